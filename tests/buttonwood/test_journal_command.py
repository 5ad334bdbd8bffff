"""`buttonwood journal`: people see what was journaled, in words; a damaged journal is named and fails the check."""
import itertools
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from buttonwood.cli import main
from engine.core.batch import Batch
from engine.segments import list_files
from tests.engine.stage import TRADER, config_for, credits, opened, run, send, setup
from tests.support.waiting import SECONDS_MAX

CREDITS = 60


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs of a venue with small segments: configuration, an order, a cancel, and money."""
    folder = tmp_path_factory.mktemp("venue")

    async def story() -> None:
        orders = Batch()
        orders.place(TRADER, 1, 0, 0, 0, 25, 3, text=b"mine")
        orders.reduce(TRADER, 1, 2, text=b"mine")
        orders.cancel(TRADER, 1, text=b"mine")
        orders.cancel_all(TRADER, 1)
        async with opened(config_for(folder), clock=lambda: 10**18) as engine:
            for batch in (setup(), orders):
                await send(engine, batch)
        async with opened(config_for(folder)) as engine:
            for _ in range(CREDITS):
                await send(engine, credits(1, 7))

    run(story())
    return folder


def answer(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    assert main(["journal", *words]) == 0
    return capsys.readouterr().out.splitlines()


def test_segments_are_listed_with_what_they_hold(venue, capsys):
    views = json.loads(answer(capsys, "ls", "--json", "--data", str(venue))[0])
    files = [path for _, path in list_files(venue / "journal")]
    assert [view["file"] for view in views] == [path.name for path in files] and len(views) > 2
    assert [view["size_bytes"] for view in views] == [path.stat().st_size for path in files]
    assert (views[0]["first_seq"], views[-1]["last_seq"]) == (1, 8 + CREDITS)
    assert all(after["first_seq"] == before["last_seq"] + 1 for before, after in itertools.pairwise(views))
    assert sum(view["commands"] for view in views) == 8 + CREDITS
    assert (views[0]["first_epoch"], views[0]["last_epoch"], views[-1]["last_epoch"]) == (1, 2, 2)
    assert views[0]["first_time_ns"] == 10**18 < views[0]["last_time_ns"] < views[1]["first_time_ns"]
    table = answer(capsys, "ls", "--data", str(venue))
    assert len(table) == 1 + len(views) and "2001-09-09T01:46:40.000" in table[1] and "1-2" in table[1]


def test_commands_are_shown_in_words(venue, capsys):
    shown = [json.loads(line) for line in answer(capsys, "dump", "--json", "--data", str(venue))]
    assert [command["seq"] for command in shown] == list(range(1, 9 + CREDITS))
    assert [command["kind"] for command in shown[:8]] == [
        "ASSET", "ASSET", "INSTRUMENT", "ACCOUNT", "PLACE", "REDUCE", "CANCEL", "CANCEL_ALL"]
    assert shown[0] == {"seq": 1, "time_ns": 10**18, "epoch": 1, "kind": "ASSET", "asset": 1, "text": "USD", "scale": 2}
    assert (shown[2]["text"], shown[2]["status"], shown[2]["lot_value"]) == ("BTCUSD", "TRADING", 10**6)
    assert shown[4] == {
        "seq": 5, "time_ns": 10**18 + 1, "epoch": 1, "kind": "PLACE", "account": TRADER, "instrument": 1, "side": "BUY",
        "order_type": "LIMIT", "time_in_force": "GTC", "price_ticks": 25, "qty_lots": 3, "amount": 0, "text": "mine"}
    assert shown[-1]["epoch"] == 2 and (shown[-1]["asset"], shown[-1]["amount"]) == (1, 7)


def test_a_part_is_shown_line_by_line(venue, capsys):
    lines = answer(capsys, "dump", "--from", "5", "--count", "2", "--data", str(venue))
    assert len(lines) == 2 and lines[0].split()[:3] == ["5", "2001-09-09T01:46:40.000000001Z", "PLACE"]
    assert "side=BUY" in lines[0] and "text=mine" in lines[0]
    assert main(["journal", "dump", "--from", "5000", "--data", str(venue)]) == 1
    assert "ends at 68, 5000 was asked for" in capsys.readouterr().err


def test_a_reader_that_has_seen_enough_is_no_error(venue):
    program = subprocess.Popen([sys.executable, "-m", "buttonwood", "journal", "dump", "--data", str(venue)],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert program.stdout is not None
    program.stdout.close()
    _, errors = program.communicate(timeout=SECONDS_MAX)
    assert errors == b"" and program.returncode == 0


def test_a_sound_journal_passes_the_check(venue, capsys):
    found = json.loads(answer(capsys, "check", "--json", "--data", str(venue))[0])
    assert (found["commands"], found["last_seq"], found["epochs"], found["torn_bytes"]) == (68, 68, 2, 0)
    assert "sound: 68 commands in 64 frames of 2 runs" in answer(capsys, "check", "--data", str(venue))[0]


@pytest.fixture
def copy(venue: Path, tmp_path: Path) -> Iterator[Path]:
    shutil.copytree(venue / "journal", tmp_path / "journal")
    yield tmp_path


def test_a_torn_write_at_the_end_is_told_and_sound(copy, capsys):
    _, last = list_files(copy / "journal")[-1]
    data = bytearray(last.read_bytes())
    end = len(data.rstrip(b"\0"))
    data[end - 60:end - 50] = b"torn write"
    last.write_bytes(data)
    lines = answer(capsys, "check", "--data", str(copy))
    assert "67 commands" in lines[0] and "never became whole" in lines[1]


def test_damage_fails_the_check_with_file_offset_and_remedy(copy, capsys):
    _, first = list_files(copy / "journal")[0]
    data = bytearray(first.read_bytes())
    data[200] ^= 1
    first.write_bytes(data)
    for words in (["check"], ["dump"]):
        assert main(["journal", *words, "--data", str(copy)]) == 1
        error = capsys.readouterr().err
        assert f"{first} at byte 96" in error and "Restore" in error


def test_no_journal_is_said(tmp_path, capsys):
    for words in (["ls"], ["dump"], ["check"]):
        assert main(["journal", *words, "--data", str(tmp_path)]) == 1
        assert "there is no journal" in capsys.readouterr().err and not (tmp_path / "journal").exists()
