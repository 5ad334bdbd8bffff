"""The timer wheel: items are called in time, again as they ask, not after removal, and a failing one harms nobody."""
import asyncio
import logging
import time

import uvloop

from gateway.timer_wheel import TimerWheel
from tests.support.waiting import until

CLOCK_SECONDS = 0.002   # uvloop tells its time in whole milliseconds, rounded down


class Item:
    """Notes when it was called; asks for `again` seconds more."""

    def __init__(self, again: float = 0, fails: bool = False) -> None:
        self.wheel_slot = -1
        self.again, self.fails = again, fails
        self.calls: list[float] = []

    def on_timer(self, now: float) -> float:
        self.calls.append(time.monotonic())
        if self.fails:
            raise RuntimeError("broken item")
        return self.again


def test_calls_come_in_time_and_again():
    async def main() -> None:
        wheel, started = TimerWheel(0.01, 64), time.monotonic()
        once, often, removed, moved = Item(), Item(again=0.05), Item(), Item()
        for item in (once, often, removed, moved):
            wheel.add(item, 0.1)
        wheel.add(moved, 0.3)
        wheel.remove(removed)
        wheel.remove(removed)
        await until(lambda: moved.calls and len(often.calls) > 2)
        assert len(once.calls) == len(moved.calls) == 1 and not removed.calls
        assert once.wheel_slot == -1
        started -= CLOCK_SECONDS
        assert once.calls[0] - started >= 0.1 and moved.calls[0] - started >= 0.3
        assert often.calls[0] - started >= 0.1 and often.calls[-1] - started >= 0.1 + 0.05 * (len(often.calls) - 1)
        wheel.close()
        calls = len(often.calls)
        await asyncio.sleep(0.1)
        assert len(often.calls) == calls
    uvloop.run(main())


def test_no_call_comes_early_when_a_slot_is_half_over():
    async def main() -> None:
        wheel, first, late = TimerWheel(0.1, 64), Item(), Item()
        wheel.add(first, 0.1)
        await asyncio.sleep(0.07)
        started = time.monotonic() - CLOCK_SECONDS
        wheel.add(late, 0.1)
        await until(lambda: late.calls)
        assert late.calls[0] - started >= 0.1
    uvloop.run(main())


def test_long_waits_are_cut_to_the_ring():
    async def main() -> None:
        wheel, item = TimerWheel(0.01, 16), Item()
        wheel.add(item, 3600)
        await until(lambda: item.calls)
        assert len(item.calls) == 1
    uvloop.run(main())


def test_a_held_loop_is_caught_up_with():
    async def main() -> None:
        wheel, items = TimerWheel(0.01, 64), [Item() for _ in range(10)]
        for number, item in enumerate(items):
            wheel.add(item, 0.02 * (number + 1))
        time.sleep(0.3)  # noqa: ASYNC251
        await until(lambda: all(item.calls for item in items))
        assert [len(item.calls) for item in items] == [1] * 10
    uvloop.run(main())


def test_a_failing_item_is_logged_and_dropped(caplog):
    async def main() -> None:
        wheel, bad, good = TimerWheel(0.01, 64), Item(again=0.01, fails=True), Item(again=0.02)
        wheel.add(bad, 0.05)
        wheel.add(good, 0.05)
        await until(lambda: len(good.calls) > 2)
        assert len(bad.calls) == 1
        wheel.close()
    with caplog.at_level(logging.ERROR):
        uvloop.run(main())
    assert "broken item" in caplog.text
