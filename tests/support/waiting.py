"""Waiting in tests: for a condition, never for a time, with limits so generous that only a failure reaches them.

A machine that tests the code may be ten times slower than ours and stand still for seconds. May go in: ways to wait.
"""
import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable

SECONDS_MAX = 120.0         # of one condition
STORY_SECONDS_MAX = 240.0   # of a whole test, below the 300 s after which pytest ends it without the test's own words


async def until(condition: Callable[[], object], seconds_max: float = SECONDS_MAX) -> None:
    """Look every few milliseconds until it holds. Raises AssertionError with the condition's text."""
    deadline = time.monotonic() + seconds_max
    while not condition():
        assert time.monotonic() < deadline, waited_for(condition, seconds_max)
        await asyncio.sleep(0.005)


async def until_answer(ask: Callable[[], Awaitable[object]], seconds_max: float = SECONDS_MAX) -> None:
    """Ask until the answer is true. Raises TimeoutError."""
    async with asyncio.timeout(seconds_max):
        while True:
            if await ask():
                return
            await asyncio.sleep(0.02)


def wait_until(condition: Callable[[], object], seconds_max: float = SECONDS_MAX, pause_seconds: float = 0.05) -> None:
    """The same for tests without a loop."""
    deadline = time.monotonic() + seconds_max
    while not condition():
        assert time.monotonic() < deadline, waited_for(condition, seconds_max)
        time.sleep(pause_seconds)


def waited_for(condition: Callable[[], object], seconds_max: float) -> str:
    """What to say when a condition did not come true."""
    return f"waited {seconds_max} s in vain for: {inspect.getsource(condition).strip()}"
