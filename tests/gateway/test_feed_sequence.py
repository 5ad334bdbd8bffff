"""Which messages are good, which show that something is missing, which come from a publisher that was replaced."""
import pytest

from engine.market_channels import STALE_SECONDS
from gateway.feed_sequence import SequenceWatch, Verdict

GOOD, HOLE, NEW_EPOCH, OLD = Verdict.GOOD, Verdict.HOLE, Verdict.NEW_EPOCH, Verdict.OLD


@pytest.mark.parametrize(("messages", "verdicts"), [
    ([("a", 1, 5), ("a", 1, 6), ("b", 1, 1), ("a", 1, 7), ("b", 1, 2)], [GOOD] * 5),
    ([("a", 1, 5), ("a", 1, 7), ("a", 1, 8)], [GOOD, HOLE, GOOD]),
    ([("a", 1, 5), ("a", 1, 5)], [GOOD, HOLE]),
    ([("a", 1, 5), ("a", 1, 4), ("a", 1, 5)], [GOOD, HOLE, GOOD]),
    ([("a", 1, 5), ("a", 2, 1), ("a", 2, 2), ("b", 2, 9)], [GOOD, NEW_EPOCH, GOOD, GOOD]),
    ([("a", 2, 5), ("a", 1, 6), ("a", 2, 6)], [GOOD, OLD, GOOD]),
])
def test_verdicts(messages, verdicts):
    watch = SequenceWatch()
    assert [watch.judge(name.encode(), epoch, seq, 0.0) for name, epoch, seq in messages] == verdicts


def test_after_a_reset_anything_may_come_first():
    watch = SequenceWatch()
    watch.judge(b"a", 7, 1, 0.0)
    watch.reset()
    assert watch.judge(b"a", 3, 44, 0.0) is GOOD


def test_an_older_epoch_is_taken_once_the_newer_one_is_silent():
    watch = SequenceWatch()
    assert watch.stale(0.0)
    watch.judge(b"a", 7, 1, 100.0)
    assert watch.judge(b"a", 6, 1, 100.0 + STALE_SECONDS) is OLD
    assert not watch.stale(100.0 + STALE_SECONDS)
    assert watch.judge(b"a", 6, 2, 100.1 + STALE_SECONDS) is NEW_EPOCH
    assert watch.judge(b"a", 6, 3, 100.2 + STALE_SECONDS) is GOOD
