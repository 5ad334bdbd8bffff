"""Simulated time and processes: one queue of things that will happen, taken in order of their time.

Nothing here waits and nothing runs beside anything else, so a seed decides everything. Each actor has dice of its own,
so that an order of iteration which Python does not promise cannot change what others draw.
"""
import heapq
import random
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.system.simulator.loop import SimLoop
    from tests.system.simulator.threads import SimThread

US, MS, SECOND = 1_000, 1_000_000, 1_000_000_000
START_NS = 1_700_000_000 * SECOND


class Killed(BaseException):
    """Unwinds the code of a process that is no more; nothing it still does has an effect."""


class Process:
    """Something that can be killed or held: a loop, threads, open files and sockets. It never comes back itself."""

    def __init__(self, world: "World", name: str) -> None:
        self.world, self.name = world, name
        self.alive, self.paused = True, False
        self.exit: BaseException | None = None
        self.loop: SimLoop
        self.threads: list[SimThread] = []
        self.at_death: list[Callable[[], None]] = []
        self.disk_calls_left = -1               # killed inside the disk call at which this reaches 0
        self.in_disk_call: Callable[[], None] = self.kill

    def kill(self) -> None:
        """SIGKILL: no code of it runs any more."""
        if not self.alive:
            return
        self.alive = False
        self.world.told(f"{self.name} is dead")
        for thread in self.threads:
            thread.unwind()
        for call in self.at_death:
            call()

    def arm(self, disk_calls: int, how: Callable[[], None] | None) -> None:
        """After so many more disk calls it is killed inside of one, or `how` befalls it."""
        self.disk_calls_left, self.in_disk_call = disk_calls, how or self.kill

    def pause(self) -> None:
        """SIGSTOP."""
        self.paused = True

    def resume(self) -> None:
        """SIGCONT."""
        self.paused = False
        if self.alive:
            self.loop.wake()


class World:
    """`after` and `at` plan; `run` lets time pass. `trace` is a digest of all that happened."""

    def __init__(self, seed: int) -> None:
        self.seed, self.now_ns, self.clock_offset_ns = seed, 0, 0
        self.current: Process | None = None         # whose code runs
        self.story: list[str] = []                  # what happened, in words
        self.steps = 0
        self._queue: list[tuple[int, int, Callable[[], None]]] = []
        self._planned = 0

    def dice(self, name: str) -> random.Random:
        """Chance of one actor."""
        return random.Random(f"{self.seed}/{name}")

    def at(self, time_ns: int, call: Callable[[], None]) -> None:
        """Plan a call."""
        self._planned += 1
        heapq.heappush(self._queue, (max(time_ns, self.now_ns), self._planned, call))

    def after(self, delay_ns: int, call: Callable[[], None]) -> None:
        """Plan a call so long from now."""
        self.at(self.now_ns + delay_ns, call)

    def clock_ns(self) -> int:
        """What a process reads as the time of day: steps when somebody sets it."""
        return START_NS + self.now_ns + self.clock_offset_ns

    def told(self, text: str) -> None:
        """One line of the story."""
        self.story.append(f"{self.now_ns / MS:10.3f} ms  {text}")

    def run(self, until: Callable[[], bool], limit_ns: int) -> bool:
        """Let time pass until the condition holds; False when it does not so far from now."""
        end_ns = self.now_ns + limit_ns
        while not until():
            if not self._queue or self._queue[0][0] > end_ns:
                self.now_ns = max(self.now_ns, end_ns)
                return until()
            self.now_ns, _, call = heapq.heappop(self._queue)
            self.steps += 1
            call()
        return True
