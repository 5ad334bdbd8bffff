"""Who stays behind is cut when the time is over, who catches up begins anew, and nobody is looked at without need."""
import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from gateway.stragglers import LOOK_SECONDS, Stragglers
from gateway.timer_wheel import TimerWheel
from tests.support.waiting import until

SECONDS_MAX = 2 * LOOK_SECONDS


class Peer:
    """A connection that is behind until told."""

    def __init__(self) -> None:
        self.caught_up = self.was_cut = False
        self.looks = 0

    def catches_up(self) -> bool:
        self.looks += 1
        return self.caught_up

    def cut(self) -> None:
        self.was_cut = True


def run(story: Callable[[Stragglers], Coroutine[Any, Any, None]], seconds_max: float = SECONDS_MAX) -> None:
    async def main() -> None:
        wheel = TimerWheel()
        await story(Stragglers(wheel, seconds_max))
        wheel.close()
    asyncio.run(main())


def test_who_stays_behind_is_cut_and_others_are_not():
    async def story(stragglers: Stragglers) -> None:
        dead, slow, gone = Peer(), Peer(), Peer()
        for peer in (dead, slow, gone):
            stragglers.add(peer)
        slow.caught_up = True
        stragglers.discard(gone)
        await until(lambda: dead.was_cut)
        assert not slow.was_cut and slow.looks == 1
        assert not gone.was_cut and not gone.looks
        await until(lambda: stragglers.wheel_slot < 0)   # nobody is looked at any more
    run(story)


def test_the_time_counts_from_when_it_fell_behind():
    async def story(stragglers: Stragglers) -> None:
        loop, dead = asyncio.get_running_loop(), Peer()
        began = loop.time()
        stragglers.add(dead)
        await until(lambda: dead.looks > 0)
        stragglers.add(dead)                             # still
        await until(lambda: dead.was_cut)
        assert loop.time() - began >= SECONDS_MAX
    run(story)


def test_time_in_which_our_own_loop_was_held_does_not_count():
    async def story(stragglers: Stragglers) -> None:
        loop, late = asyncio.get_running_loop(), Peer()
        stragglers.add(late)
        now = loop.time()
        assert stragglers.on_timer(now + 100) == LOOK_SECONDS and not late.was_cut
        assert stragglers.on_timer(now + 100 + LOOK_SECONDS) and not late.was_cut
        for look in range(2, 5):
            stragglers.on_timer(now + 100 + look * LOOK_SECONDS)
        assert late.was_cut
    run(story, 4 * LOOK_SECONDS)


def test_without_a_limit_nobody_is_looked_at():
    async def story(stragglers: Stragglers) -> None:
        stragglers.add(Peer())
        assert stragglers.wheel_slot < 0
    run(story, 0)
