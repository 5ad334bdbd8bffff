"""An asyncio event loop of one simulated process: real tasks, futures and streams, simulated time.

`asyncio` itself is the real one. A pass of the loop is one thing that happens in the world; between two passes any
other process may run, or this one may die.
"""
import asyncio
import contextlib
import contextvars
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from tests.system.simulator.network import Network, SimServer, SimTransport
from tests.system.simulator.world import SECOND, US, Killed, Process, World

_PASS_NS_MAX = 40 * US


class SimLoop(asyncio.AbstractEventLoop):
    """Only what the shell uses; anything else raises NotImplementedError."""

    def __init__(self, world: World, process: Process, network: Network) -> None:
        self.process, self._world, self._network = process, world, network
        self._ready: deque[asyncio.Handle] = deque()
        self._dice = world.dice(f"loop of {process.name}")
        self._planned = False
        self._readers: dict[int, tuple[Callable[..., object], tuple[Any, ...]]] = {}
        self.tasks: list[asyncio.Task[Any]] = []        # kept, or a task that nobody holds would vanish
        self.problems: list[str] = []
        process.loop = self

    # time

    def time(self) -> float:
        return self._world.now_ns / SECOND

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return self.process.alive

    def is_closed(self) -> bool:
        return False

    # what is to be done

    def call_soon(
        self, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        self.wake()
        return handle

    call_soon_threadsafe = call_soon

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        timer = asyncio.TimerHandle(when, callback, args, self, context)

        def due() -> None:
            if not timer.cancelled():
                self._ready.append(timer)
                self.wake()

        self._world.at(int(when * SECOND) + 1, due)
        return timer

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Called by a timer that is cancelled: it stays planned and does nothing."""

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(self, coro: Coroutine[Any, Any, Any], **options: Any) -> asyncio.Task[Any]:
        task = asyncio.Task(coro, loop=self, **options)
        self.tasks.append(task)
        return task

    async def run_in_executor(self, executor: object, func: Callable[..., Any], *args: Any) -> Any:
        await asyncio.sleep(0)
        return func(*args)

    # passes

    def wake(self) -> None:
        """Plan a pass."""
        if not self._planned and self._ready and self.process.alive and not self.process.paused:
            self._planned = True
            self._world.after(self._dice.randrange(1, _PASS_NS_MAX), self._pass)

    def _pass(self) -> None:
        self._planned = False
        if not self.process.alive or self.process.paused:
            return
        world = self._world
        world.current = self.process
        asyncio._set_running_loop(self)
        try:
            for _ in range(len(self._ready)):
                handle = self._ready.popleft()
                if not handle.cancelled():
                    handle._run()
                if not self.process.alive:
                    return
        finally:
            asyncio._set_running_loop(None)
            world.current = None
        self.wake()

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """An error that nobody caught is something the product did wrong, unless its process is dead."""
        if self.process.alive:
            self.problems.append(f"{self.process.name}: {context.get('message')}: {context.get('exception')!r}")

    def take_apart(self) -> None:
        """Its process is dead: end what its coroutines hold on to."""
        for task in self.tasks:
            coroutine = task.get_coro()
            if not task.done() and coroutine is not None:
                with contextlib.suppress(RuntimeError, Killed):
                    coroutine.close()

    # descriptors and sockets

    def add_reader(self, fd: Any, callback: Callable[..., object], *args: Any) -> None:
        self._readers[fd] = callback, args

    def remove_reader(self, fd: Any) -> bool:
        return self._readers.pop(fd, None) is not None

    def readable(self, fd: int) -> None:
        """A simulated descriptor has something to read."""
        if fd in self._readers:
            callback, args = self._readers[fd]
            self.call_soon(callback, *args)

    async def create_unix_server(self, protocol_factory: Any, path: Any = None, **options: Any) -> SimServer:
        return self._network.listen(self, str(path), protocol_factory)

    async def create_unix_connection(
        self, protocol_factory: Any, path: Any = None, **options: Any
    ) -> tuple[SimTransport, asyncio.Protocol]:
        return await self._network.connect(self, str(path), protocol_factory)
