"""Threads of simulated processes: real ones that take turns with the world, so that only one thing runs at any time.

A thread gives the turn back whenever it waits for an event and around each of its disk calls; there its process may be
killed, or others run first.
"""
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from tests.system.simulator.world import SECOND, Killed, Process, World

_here = threading.local()


def current_thread() -> "SimThread | None":
    """The simulated thread whose turn it is; None on the world's own."""
    thread: SimThread | None = getattr(_here, "thread", None)
    return thread


class SimThread:
    """Runs one function from its first `turn` on; `pause` inside it gives the turn back."""

    def __init__(self, world: World, process: Process, body: Callable[[], None]) -> None:
        self.world, self.process, self._body = world, process, body
        self.done = self._dying = False
        self.hurried = False                    # its pauses end at once: somebody waits for it
        self._waits = 0
        self._mine, self._theirs = threading.Lock(), threading.Lock()   # held: not your turn
        self._mine.acquire()
        self._theirs.acquire()
        self._real = threading.Thread(target=self._run, daemon=True)
        process.threads.append(self)
        self._real.start()

    def turn(self) -> None:
        """Let it run until it pauses or ends."""
        if self.done:
            return
        before, self.world.current = self.world.current, self.process
        self._mine.release()
        self._theirs.acquire()
        self.world.current = before

    def wake_at(self, time_ns: int) -> None:
        """It goes on then, unless something else wakes it before."""
        wait = self._waits

        def due() -> None:
            if self._waits != wait or self.done:
                return
            if self.process.paused:
                self.world.after(SECOND // 100, due)
            else:
                self.turn()

        self.world.at(time_ns, due)

    def pause(self, delay_ns: int) -> None:
        """Called inside: let the world go on for so long."""
        if not self.hurried:
            self.wake_at(self.world.now_ns + delay_ns)
            self.give_back()

    def give_back(self) -> None:
        """Called inside: whoever has planned a `turn` lets it go on."""
        self._theirs.release()
        self._mine.acquire()
        self._waits += 1
        if self._dying:
            raise Killed

    def unwind(self) -> None:
        """Its process has died: end the real thread. Not when it is this thread that runs."""
        self._dying = True
        if not self.done and current_thread() is not self:
            self.turn()
            self._real.join()

    def _run(self) -> None:
        self._mine.acquire()
        _here.thread = self
        try:
            if not self._dying:
                self._body()
        except Killed:
            pass
        finally:
            self.done = True
            self._theirs.release()


class SimEvent:
    """threading.Event."""

    def __init__(self) -> None:
        self._set = False
        self._waiting: list[SimThread] = []

    def is_set(self) -> bool:
        """Whether it is set."""
        return self._set

    def set(self) -> None:
        """Wake those that wait."""
        self._set = True
        for thread in self._waiting:
            thread.wake_at(thread.world.now_ns)
        self._waiting.clear()

    def clear(self) -> None:
        """Set no more."""
        self._set = False

    def wait(self, timeout: float) -> bool:
        """Whether it was set within so many seconds."""
        thread = current_thread()
        if not self._set and thread is not None and not thread.hurried:
            self._waiting.append(thread)
            thread.pause(int(timeout * SECOND))
            if thread in self._waiting:
                self._waiting.remove(thread)
        return self._set


class SimExecutor:
    """A ThreadPoolExecutor of one thread, of the process that makes it."""

    def __init__(self, world: World) -> None:
        assert world.current is not None
        self._world, self._process = world, world.current
        self._jobs: deque[tuple[Future[Any], Callable[..., Any], tuple[Any, ...]]] = deque()
        self._thread: SimThread | None = None

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Its future gets what the function returns or raises."""
        future: Future[Any] = Future()
        self._jobs.append((future, function, arguments))
        if self._thread is None or self._thread.done:
            self._thread = SimThread(self._world, self._process, self._work)
            self._thread.wake_at(self._world.now_ns + 1000)
        return future

    def shutdown(self) -> None:
        """Wait for what is under way: no time passes meanwhile."""
        while self._thread is not None and not self._thread.done:
            self._thread.hurried = True
            self._thread.turn()

    def _work(self) -> None:
        while self._jobs:
            future, function, arguments = self._jobs.popleft()
            try:
                future.set_result(function(*arguments))
            except Exception as error:
                future.set_exception(error)
