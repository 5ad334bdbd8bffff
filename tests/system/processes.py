"""Single processes of a venue, started as an operator starts them, known by their ready line, stopped by pid."""
import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

STOP_SECONDS_MAX = 20


class Part:
    """One running process; `ready` is what it said, `pid` its own."""

    def __init__(self, process: subprocess.Popen[str], ready: dict[str, Any]) -> None:
        self.process, self.ready, self.pid = process, ready, process.pid

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    @property
    def port(self) -> int:
        """Of its url."""
        return int(self.ready["url"].split(":")[2].split("/")[0])


@contextlib.contextmanager
def part(settings: Path, *words: str) -> Iterator[Part]:
    """Start `buttonwood WORDS --config SETTINGS`; at the end it must stop cleanly when asked."""
    with (settings.with_suffix(f".{words[0]}.log")).open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "buttonwood", *words, "--config", str(settings)],
            stdout=subprocess.PIPE, stderr=log, text=True, cwd=Path(__file__).parents[2])
    assert process.stdout is not None
    try:
        yield Part(process, json.loads(process.stdout.readline()))
        process.send_signal(signal.SIGTERM)
        assert process.wait(STOP_SECONDS_MAX) == 0, Path(log.name).read_text()[-2000:]
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        process.stdout.close()
