"""The ready line is one JSON object on standard output."""
import json

import pytest

from engine.ready import announce


def test_one_line_of_json(capsys: pytest.CaptureFixture[str]):
    announce("exchange", url="ws://127.0.0.1:8081", seq=5)
    out = capsys.readouterr().out
    assert out.endswith("\n") and out.count("\n") == 1
    assert json.loads(out) == {"ready": "exchange", "url": "ws://127.0.0.1:8081", "seq": 5}
