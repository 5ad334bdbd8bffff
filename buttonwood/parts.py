"""The parts of a running venue, each started until ready, watched and stopped in the same way.

A Child is one of our own processes, a Server is an embedded Postgres or Redis. Both die
with us when we are killed. A child that ends with status REFUSED has said why it must not run (damaged journal, wrong
configuration): it is not started again. One that ends with status HALTED cannot do its work until somebody has looked,
while the others can: it is tried again after a long pause.
"""
import asyncio
import os
import signal
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

import msgspec

from buttonwood.processes import Process, die_with_parent, wait_gone
from buttonwood.processes import stop as stop_process
from buttonwood.server_process import ServerProcess, identity, last_lines
from engine.errors import VenueError

REFUSED = 3           # exit status of a process that must not be started again as things are
HALTED = 4            # exit status of a process that must not be started again soon, while the others go on
_FOREVER = 1e9


class Refused(VenueError):
    """A part refuses to run; the text is its own explanation."""


class Halted(VenueError):
    """A part cannot work as things are, the others can; the text is its own explanation."""


class Part(Protocol):
    """Something that can be kept running."""

    name: str
    adoptable: bool                # the next supervisor may take it over
    process: Process | None

    async def start(self) -> None:
        """Return when it is ready. Raises VenueError when it ends instead, Refused when it must not be tried again,
        Halted when not soon."""

    async def ended(self) -> str:
        """Wait until it has ended and say how. Raises Refused as above."""

    async def stop(self, seconds_max: float) -> None:
        """End it cleanly; does nothing when it does not run."""


class Child:
    """One of our own processes. After `start`, `ready` is what it announced.

    A log longer than `log_bytes_max` is put aside as NAME.old.log, replacing the one before, when its process starts.
    """

    adoptable = False
    process: Process | None

    def __init__(self, name: str, command: list[str], log: Path, log_bytes_max: int) -> None:
        self.name, self.process = name, None
        self.ready: dict[str, object] = {}
        self._command, self._log, self._log_bytes_max = command, log, log_bytes_max
        self._child: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """See Part."""
        self._child = self._spawn()
        self.process = identity(self._child)
        ready = await self._announcement()
        if ready is None:
            raise self._failure(await self.ended())
        self.ready = ready

    async def ended(self) -> str:
        """See Part."""
        if self._child is None or self.process is None:
            return "not started"
        await wait_gone(self.process, _FOREVER)
        status = self._reap()
        if status in (REFUSED, HALTED):
            raise self._failure(f"status {status}")
        return f"killed by {signal.Signals(-status).name}" if status < 0 else f"status {status}"

    async def stop(self, seconds_max: float) -> None:
        """See Part."""
        if self._child is not None and self.process is not None:
            await stop_process(self.process, signal.SIGTERM, seconds_max, signal.SIGKILL)
            self._reap()

    def _spawn(self) -> subprocess.Popen[bytes]:
        if self._log.exists() and self._log.stat().st_size > self._log_bytes_max:
            self._log.rename(self._log.with_suffix(".old.log"))
        with self._log.open("ab") as log:
            return subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, env=_environment(),
                start_new_session=True, preexec_fn=die_with_parent(signal.SIGTERM))

    def _reap(self) -> int:
        assert self._child is not None
        if self._child.stdout is not None:
            self._child.stdout.close()
        return self._child.wait()

    def _failure(self, how: str) -> VenueError:
        if self._child is not None and self._child.returncode == REFUSED:
            return Refused(f"{self.name}: {last_lines(self._log, 1)}")
        if self._child is not None and self._child.returncode == HALTED:
            return Halted(f"{self.name}: {last_lines(self._log, 1)}")
        return VenueError(f"{self.name} ended ({how}): {last_lines(self._log)}")

    async def _announcement(self) -> dict[str, object] | None:
        """What it says when it is ready (see engine/ready.py); None when it ended without a word."""
        assert self._child is not None and self._child.stdout is not None
        loop, reader = asyncio.get_running_loop(), asyncio.StreamReader()
        output = open(os.dup(self._child.stdout.fileno()), "rb", buffering=0)  # noqa: SIM115  the transport closes it
        transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), output)
        try:
            return _ready(await reader.readline())
        finally:
            transport.close()


def _environment() -> dict[str, str]:
    """Ours, with our own modules first: the working directory may hold some of the same names."""
    source = str(Path(__file__).resolve().parent.parent)
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [source, os.environ.get("PYTHONPATH")]))}


def _ready(line: bytes) -> dict[str, object] | None:
    try:
        return msgspec.json.decode(line, type=dict[str, object])
    except msgspec.DecodeError:
        return None


class Server:
    """An embedded server, made by `launch`; `address` is its DSN or URL once it is ready."""

    adoptable = True
    process: Process | None

    def __init__(self, name: str, launch: Callable[[], Awaitable[ServerProcess]]) -> None:
        self.name, self.process, self._launch = name, None, launch
        self._server: ServerProcess | None = None
        self.address = ""

    async def start(self) -> None:
        """See Part."""
        self._server = await self._launch()
        self.process, self.address = self._server.process, self._server.address

    async def ended(self) -> str:
        """See Part."""
        if self._server is None:
            return "not started"
        await wait_gone(self._server.process, _FOREVER)
        if self._server.child is not None:
            self._server.child.wait()
        return "its process is gone"

    async def stop(self, seconds_max: float) -> None:
        """See Part."""
        if self._server is not None:
            await self._server.stop(seconds_max)
