"""A venue as a customer has it: `buttonwood up` in a process of its own, known by its ready line and its processes."""
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from buttonwood.verify_command import UNTRIED
from tests.system.processes import end_of, finished

READY_SECONDS_MAX = 120
STOP_SECONDS_MAX = 120
ANY_PORTS = ["--rest-port", "0", "--orders-port", "0", "--streams-port", "0"]


class RunningVenue:
    """`with RunningVenue(data_dir, "--demo") as venue:`; `words` is what the ready line said: rest, orders, key, ...

    Its journal has small segments, because the usual ones take longer to make and to delete than a test.
    """

    def __init__(self, data_dir: Path, *arguments: str, settings: str = "", **variables: str) -> None:
        self.data_dir = data_dir
        file = data_dir.with_suffix(".toml")
        file.write_text("journal.segment_bytes = 4194304\nlimits.shutdown_notice_seconds = 0\n" + settings)
        where = ["--data", str(data_dir), "--config", str(file)]
        self._command = [sys.executable, "-m", "buttonwood", "up", *where, *ANY_PORTS, *arguments]
        self._environment = os.environ | variables
        self.words: dict[str, str] = {}

    def launch(self) -> None:
        """Start, and do not wait."""
        self.process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True, env=self._environment)

    def output(self) -> str:
        """All that it printed, once it has ended."""
        return self.process.communicate()[0]

    def __enter__(self) -> Self:
        """Start and wait until ready."""
        self.launch()
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line.startswith("buttonwood is ready: "):
            self.process.kill()
            self.show_logs()
            raise AssertionError(f"not ready, status {self.process.wait()}: {line}{self.output()}")
        self.words = dict(word.split("=", 1) for word in line.split()[3:])
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        """Stop, if that has not been done; after a failure the processes' logs are shown."""
        if error is not None:
            self.show_logs()
        if self.process.poll() is None:
            self.stop(signal.SIGTERM)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def show_logs(self) -> None:
        """The ends of all logs to standard error, where a test's report has them."""
        for log in sorted((self.data_dir / "logs").glob("*.log")):
            print(end_of(log), file=sys.stderr)

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Ask it to end; its exit status. What it leaves running fails the test."""
        family = self.family()
        self.process.send_signal(number)
        status = self.process.wait(STOP_SECONDS_MAX)
        assert not (left := [process for process in family if alive(process)]), left
        return status

    def family(self) -> list[psutil.Process]:
        """All processes below `up`."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def part(self, *words: str) -> psutil.Process:
        """The process right below `up` whose command line holds these words."""
        for process in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):
                if all(word in " ".join(process.cmdline()) for word in words):
                    return process
        raise AssertionError(f"no process {words}")

    def verify(self) -> dict[str, object]:
        """The report of `buttonwood verify --json`, which must hold."""
        return verify(self.data_dir)


def verify(data_dir: Path) -> dict[str, object]:
    """Run `buttonwood verify --json`; the report, in which all proofs must hold. Waits for a Postgres that recovers."""
    command = [sys.executable, "-m", "buttonwood", "verify", "--data", str(data_dir), "--json", "--full"]
    end = time.monotonic() + READY_SECONDS_MAX
    while True:
        output = finished(command)
        if output.returncode != UNTRIED or time.monotonic() > end:
            break
    assert output.returncode == 0, output.stdout + output.stderr
    report: dict[str, object] = json.loads(output.stdout)
    assert report["ok"] is True
    return report


def alive(process: psutil.Process) -> bool:
    """Running, and not only waiting to be reaped."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


