"""The sequencer: one order, one clock that never steps back, frames of whatever waits, bounded."""
import asyncio
from collections.abc import Callable

import numpy as np
import pytest

from engine.errors import BatchTooLarge, Busy
from engine.records import COMMAND
from engine.sequencer import Sequencer
from tests.engine.stage import credits, run


class Desk:
    """A sequencer whose journal is this list; `durable` says that the oldest write has reached the disk."""

    def __init__(self, clock: Callable[[], int] = lambda: 0, pending_max: int = 100) -> None:
        self.frames: list[bytes] = []
        self.calls: list[tuple[int, list[object]]] = []
        self.sequencer = Sequencer(
            self.frames.append, next_seq=10, time_ns=1000, frame_commands_max=8, pending_max=pending_max, clock=clock)

    def submit(self, count: int, amount: int = 1) -> None:
        self.sequencer.submit(credits(count, amount), lambda seq, events: self.calls.append((seq, list(events))))

    def durable(self) -> list[int]:
        group = self.sequencer.durable()
        self.sequencer.recycle(group.batch)
        return [count for count, _ in group.submissions]

    def records(self, number: int) -> np.ndarray:
        return np.frombuffer(self.frames[number], COMMAND)


def test_submissions_of_one_pass_share_a_frame():
    async def story() -> None:
        desk = Desk()
        desk.submit(2)
        desk.submit(3)
        assert not desk.frames
        await asyncio.sleep(0)
        assert len(desk.frames) == 1
        assert desk.records(0)["seq"].tolist() == [10, 11, 12, 13, 14]
        assert desk.durable() == [2, 3]
    run(story())


def test_what_comes_during_a_write_waits_for_the_next_frame():
    async def story() -> None:
        desk = Desk()
        desk.submit(1)
        await asyncio.sleep(0)
        for _ in range(3):
            desk.submit(1)
            await asyncio.sleep(0)
        assert len(desk.frames) == 1 and desk.sequencer.pending == 4
        assert desk.durable() == [1]
        assert desk.records(1)["seq"].tolist() == [11, 12, 13] and desk.sequencer.pending == 3
        assert desk.durable() == [1, 1, 1] and desk.sequencer.pending == 0
        assert len(desk.frames) == 2
    run(story())


def test_a_frame_takes_no_more_than_its_limit_and_no_submission_is_split():
    async def story() -> None:
        desk = Desk()
        for count in (5, 4, 4, 8, 1):
            desk.submit(count)
        await asyncio.sleep(0)
        assert [desk.durable() for _ in range(4)] == [[5], [4, 4], [8], [1]]
        assert [len(frame) // 128 for frame in desk.frames] == [5, 8, 8, 1]
    run(story())


def test_a_batch_may_be_reused_at_once():
    async def story() -> None:
        desk, batch = Desk(), credits(1, 111)
        desk.sequencer.submit(batch, lambda *_: None)
        batch.clear()
        batch.credit(2, 1, 222)
        desk.sequencer.submit(batch, lambda *_: None)
        batch.clear()
        await asyncio.sleep(0)
        assert desk.records(0)["amount"].tolist() == [111, 222]
    run(story())


def test_recycled_batches_carry_nothing_over():
    async def story() -> None:
        desk = Desk()
        for amount in range(1, 20):
            desk.submit(amount % 8 + 1, amount)
            await asyncio.sleep(0)
            assert set(desk.records(-1)["amount"].tolist()) == {amount}
            assert desk.durable() == [amount % 8 + 1]
    run(story())


def test_time_goes_on_when_the_clock_steps_back():
    times = iter([5000, 400, 5001, 5001, 9000])

    async def story() -> None:
        desk = Desk(lambda: next(times))
        for _ in range(5):
            desk.submit(2)
            await asyncio.sleep(0)
            desk.durable()
        assert [desk.records(number)["time_ns"].tolist() for number in range(5)] == [
            [5000] * 2, [5001] * 2, [5002] * 2, [5003] * 2, [9000] * 2]
    run(story())


def test_time_begins_after_the_last_command_of_the_journal():
    async def story() -> None:
        desk = Desk(lambda: 3)
        desk.submit(1)
        await asyncio.sleep(0)
        assert desk.records(0)["time_ns"].tolist() == [1001]
    run(story())


def test_too_many_waiting_commands_are_refused_and_nothing_of_them_is_taken():
    async def story() -> None:
        desk = Desk(pending_max=10)
        desk.submit(8)
        with pytest.raises(Busy, match="requests_pending_max 10"):
            desk.submit(3)
        desk.submit(2)
        with pytest.raises(Busy):
            desk.submit(1)
        await asyncio.sleep(0)
        desk.durable()
        desk.submit(8)
        desk.durable()
        desk.durable()
        assert sum(len(frame) for frame in desk.frames) == 18 * 128 and desk.sequencer.pending == 0
    run(story())


@pytest.mark.parametrize("count", [0, 9])
def test_an_empty_or_too_large_batch_is_refused(count: int):
    async def story() -> None:
        desk = Desk()
        with pytest.raises(BatchTooLarge, match="send 1 to 8"):
            desk.submit(count)
        assert not desk.sequencer.pending
    run(story())
