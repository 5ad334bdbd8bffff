"""An embedded server's process: started as its home's account, ended cleanly, its log quoted when it fails."""
import os
import signal
import subprocess
from pathlib import Path

from buttonwood.process_log import words
from buttonwood.processes import Process, die_with_parent, process_of, stop
from buttonwood.server_home import Home

_END_BYTES = 64 * 1024        # of a log, looked at for its last lines
_SAID_CHARACTERS = 4096


class ServerProcess:
    """A running server; `child` is None when it was adopted, because then it is not ours to reap.

    `polite` asks it to end cleanly, `harsh` is for when it does not. `address` is how to reach it.
    """

    def __init__(self, process: Process, child: subprocess.Popen[bytes] | None, address: str, polite: signal.Signals,
                 harsh: signal.Signals) -> None:
        self.process, self.child, self.address, self.adopted = process, child, address, child is None
        self._polite, self._harsh = polite, harsh

    async def stop(self, seconds_max: float) -> None:
        """End it and wait until it has gone. Raises TimeoutError when even `harsh` does not end it."""
        await stop(self.process, self._polite, seconds_max, self._harsh)
        if self.child is not None:
            self.child.wait()


def spawn(command: list[str], home: Home, output: int, polite: signal.Signals) -> subprocess.Popen[bytes]:
    """Start a server's program in its home, with output to this file descriptor.

    It gets a session of its own, because Ctrl-C in the terminal is for the supervisor, which stops servers in order;
    and the kernel sends it `polite` when the process that started it is killed.
    """
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    account = home.account
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=home.path, env=variables,
        start_new_session=True, preexec_fn=die_with_parent(polite),
        user=account.uid if account.change else None, group=account.gid if account.change else None,
        extra_groups=[] if account.change else None)


def identity(child: subprocess.Popen[bytes]) -> Process:
    """Pid and start time of a child; one that has already ended is known by its pid alone."""
    return process_of(child.pid) or Process(child.pid, 0)


def last_lines(log: Path, count: int = 3) -> str:
    """The end of a log, for an error's text, followed by the log's name."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _END_BYTES))
        lines = file.read().strip().splitlines()[-count:]
    said = " | ".join(words(line.decode("utf-8", "replace")) for line in lines)
    return f"{said[-_SAID_CHARACTERS:]} (see {log})"
