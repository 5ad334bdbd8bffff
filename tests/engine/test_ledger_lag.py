"""How far the ledger is behind, in simulated time: absence counts, limits, lifting at half, bounded memory."""
import asyncio
from collections.abc import Callable, Iterator

import pytest

from engine.config import Ledger
from engine.ledger_lag import MARKS_MAX, LedgerLag


class Loop:
    """Stands for the running loop: only its clock is asked for."""

    now = 0.0

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loop]:
    loop = Loop()
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: loop)
    yield loop


def test_a_ledger_that_says_nothing_is_behind_after_the_limit(clock: Loop):
    lag = LedgerLag(Ledger(lag_seconds_max=10), 0)
    assert not lag.look() and lag.seconds == lag.frames == 0
    lag.durable(5)
    clock.now = 9.9
    assert not lag.look() and lag.seconds == 9.9 and lag.frames == 1
    clock.now = 10.1
    assert lag.look()


def test_what_was_durable_before_the_start_counts_until_it_is_reported(clock: Loop):
    lag = LedgerLag(Ledger(lag_seconds_max=10), 77)
    clock.now = 11
    assert lag.look()
    lag.reported(76)
    assert lag.look()
    lag.reported(77)
    assert not lag.look() and lag.reported_seq == 77


def test_it_lifts_at_half_of_the_limit(clock: Loop):
    lag = LedgerLag(Ledger(lag_seconds_max=10), 0)
    for second in range(12):
        clock.now = second
        lag.durable(second + 1)
    assert lag.behind
    lag.reported(3)                 # the oldest is 8 seconds old now
    assert lag.behind and lag.seconds == 8
    lag.reported(7)
    assert not lag.behind and lag.seconds == 4


def test_frames_are_limited_too(clock: Loop):
    lag = LedgerLag(Ledger(lag_seconds_max=0, lag_frames_max=10), 0)
    for frame in range(1, 12):
        assert not lag.behind
        clock.now += 0.02
        lag.durable(frame)
    assert lag.behind and lag.frames == 11
    lag.reported(8)
    assert not lag.behind and lag.frames == 3


def test_without_limits_nothing_is_remembered(clock: Loop):
    lag = LedgerLag(Ledger(lag_seconds_max=0), 10**6)
    for frame in range(1000):
        lag.durable(frame)
    clock.now = 10**6
    assert not lag.look() and lag.seconds == 0 and not lag._marks


@pytest.mark.parametrize("report", [lambda lag: None, lambda lag: lag.reported(MARKS_MAX // 2)])
def test_memory_is_bounded_and_the_lag_never_told_too_short(clock: Loop, report: Callable[[LedgerLag], None]):
    lag = LedgerLag(Ledger(lag_seconds_max=1), 0)
    for frame in range(1, MARKS_MAX + 2000):
        clock.now += 0.02
        lag.durable(frame)
    report(lag)
    assert len(lag._marks) <= MARKS_MAX and lag.look()
    assert lag.seconds >= clock.now - 0.02 * (lag.reported_seq + 1) - 0.1
