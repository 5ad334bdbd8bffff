"""Single processes of a venue, started as an operator starts them, known by their ready line, stopped by pid."""
import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

STOP_SECONDS_MAX = 120
LOG_CHARACTERS = 4000       # of its end, shown when a test fails


def finished(command: Sequence[object], seconds_max: float = 240.0, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a program to its end. Raises AssertionError with all it said if it does not end in time."""
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               **options)
    try:
        output, errors = process.communicate(timeout=seconds_max)
    except subprocess.TimeoutExpired:
        process.kill()
        output, errors = process.communicate()
        raise AssertionError(f"{command}: not done in {seconds_max} s: {output}{errors}") from None
    except BaseException:
        process.kill()
        process.communicate()
        raise
    return subprocess.CompletedProcess(command, process.returncode, output, errors)


def end_of(log: Path) -> str:
    """The last lines of a log, for the words of a failure."""
    return f"{log}:\n{log.read_text(errors='replace')[-LOG_CHARACTERS:]}"


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
        line = process.stdout.readline()
        assert line.startswith("{"), f"{words} did not start: {line!r}, {end_of(Path(log.name))}"
        yield Part(process, json.loads(line))
        process.send_signal(signal.SIGTERM)
        assert process.wait(STOP_SECONDS_MAX) == 0, end_of(Path(log.name))
    except BaseException:
        print(end_of(Path(log.name)), file=sys.stderr)
        raise
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        process.stdout.close()
