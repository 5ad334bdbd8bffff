"""One timer for all deadlines of a process: a ring of short slots instead of a timer per connection.

An item is in at most one slot. When its slot comes up the item says in how many seconds it wants to be called again.
Adding, moving and removing cost O(1). Calls come up to one tick late, never early. Knows nothing of sockets.
"""
import asyncio
import logging
import math
from typing import Protocol

_log = logging.getLogger(__name__)
TICK_SECONDS = 0.25
SLOTS = 512   # a ring of 128 s; a longer wait is cut to the ring and the item is asked early


class Timed(Protocol):
    """What a wheel carries. `wheel_slot` belongs to the wheel: the slot's index, -1 when not carried."""

    wheel_slot: int

    def on_timer(self, now: float) -> float:
        """Called when the wait is over; returns the seconds until the next call, 0 for none."""


class TimerWheel:
    """Runs while it carries something; `close` stops it."""

    def __init__(self, tick_seconds: float = TICK_SECONDS, slots: int = SLOTS) -> None:
        self._tick_seconds = tick_seconds
        self._slots: list[set[Timed]] = [set() for _ in range(slots)]
        self._position = 0        # ticks since the wheel started to turn
        self._turned_at = 0.0     # loop time of that tick
        self._carried = 0
        self._handle: asyncio.TimerHandle | None = None

    def add(self, item: Timed, seconds: float) -> None:
        """Call item.on_timer in `seconds`; an item that is already carried is moved."""
        self.remove(item)
        if self._handle is None:
            self._start()
        waited = asyncio.get_running_loop().time() - self._turned_at   # of the slot that is under way
        ticks = min(max(math.ceil((waited + seconds) / self._tick_seconds), 1), len(self._slots) - 1)
        item.wheel_slot = (self._position + ticks) % len(self._slots)
        self._slots[item.wheel_slot].add(item)
        self._carried += 1

    def remove(self, item: Timed) -> None:
        """Forget the item; harmless when it is not carried."""
        if item.wheel_slot >= 0:
            self._slots[item.wheel_slot].discard(item)
            item.wheel_slot = -1
            self._carried -= 1

    def close(self) -> None:
        """Stop turning; what is carried is never called again."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _start(self) -> None:
        self._turned_at = asyncio.get_running_loop().time()
        self._schedule()

    def _schedule(self) -> None:
        loop = asyncio.get_running_loop()
        self._handle = loop.call_at(self._turned_at + self._tick_seconds, self._turn)

    def _turn(self) -> None:
        """Catch up with the clock: a loop that was held for seconds calls each missed slot once."""
        now = asyncio.get_running_loop().time()
        while self._turned_at + self._tick_seconds <= now:
            self._turned_at += self._tick_seconds
            self._position += 1
            self._call_slot(self._position % len(self._slots), now)
        self._handle = None
        if self._carried:
            self._schedule()

    def _call_slot(self, slot: int, now: float) -> None:
        items, self._slots[slot] = self._slots[slot], set()
        for item in items:
            item.wheel_slot = -1
        self._carried -= len(items)
        for item in items:
            self._call(item, now)

    def _call(self, item: Timed, now: float) -> None:
        try:
            seconds = item.on_timer(now)
        except Exception:
            _log.exception("a deadline failed; the others go on")
            return
        if seconds > 0 and item.wheel_slot < 0:
            self.add(item, seconds)
