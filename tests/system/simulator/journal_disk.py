"""Stands where the journal's native thread stands: writes one buffer at a time, in simulated time.

A kill may strike before, between or after two pieces of a write; a power loss at any time before the fdatasync is done.
"""
from collections.abc import Callable

from tests.system.simulator.disk_calls import DiskCalls
from tests.system.simulator.world import MS, US, World

_FIRST_EVENT_FD = 2_000_000


class SimDiskThread:
    """engine.disk.DiskThread, of the process that makes it."""

    def __init__(self, world: World, calls: DiskCalls) -> None:
        assert world.current is not None
        self._world, self._calls, self._process = world, calls, world.current
        self._dice = world.dice(f"journal of {self._process.name}")
        self.event_fd = _FIRST_EVENT_FD + len(self._process.at_death)
        self.elapsed_ns = 0
        self._held: bytes | None = None
        self._error = 0

    def run(self) -> None:
        """There is no thread: the world writes."""

    def write(self, fd: int, data: bytes, offset: int) -> None:
        """Begin to write."""
        if self._held is not None:
            raise RuntimeError("a write is under way: take its outcome first")
        self._held, self._fd, self._offset = data, fd, offset
        self._begin_ns = self._world.now_ns
        cut = self._dice.randint(0, len(data)) if self._dice.random() < 0.3 else len(data)
        self._world.after(self._dice.randrange(1, 50 * US), lambda: self._part(0, cut))

    def _part(self, begin: int, end: int) -> None:
        if self._waits(lambda: self._part(begin, end)):
            return
        assert self._held is not None
        try:
            self._calls.write(self._calls.descriptor(self._fd), self._held[begin:end], self._offset + begin)
        except OSError as error:
            self._finish(error.errno or 0)
            return
        if end < len(self._held):
            rest = len(self._held)
            self._world.after(self._dice.randrange(1, 300 * US), lambda: self._part(end, rest))
        else:
            delay_ns = self._dice.choice((60 * US, 200 * US, 4 * MS)) + self._dice.randrange(50 * US)
            self._world.after(delay_ns, self._sync)

    def _sync(self) -> None:
        if self._waits(self._sync):
            return
        try:
            self._calls.sync(self._calls.descriptor(self._fd))
        except OSError as error:
            self._finish(error.errno or 0)
        else:
            self._finish(0)

    def _waits(self, again: Callable[[], None]) -> bool:
        """The process is dead, or stands still."""
        if self._process.alive and self._process.paused:
            self._world.after(MS, again)
        return not self._process.alive or self._process.paused

    def _finish(self, error: int) -> None:
        self._error, self.elapsed_ns = error, self._world.now_ns - self._begin_ns
        self._process.loop.readable(self.event_fd)

    def outcome(self) -> int:
        """0 when the bytes are durable, else the errno."""
        self._held = None
        return self._error

    def stop(self) -> None:
        """There is no thread."""

    def free(self) -> None:
        """Nor a descriptor."""


class SimJournalThread:
    """threading.Thread around `run` of the above."""

    def __init__(self, **options: object) -> None:
        self.options = options

    def start(self) -> None:
        """Nothing runs beside the world."""

    def join(self) -> None:
        """So nothing has to end."""

