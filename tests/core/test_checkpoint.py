"""CHECKPOINT: marks are hashed by who may, told hashes are compared by who has the same mark, nothing else changes."""
import numpy as np
import pytest

from engine.core.batch import Batch
from engine.core.codes import CommandKind, EventKind
from engine.core.exchange import Exchange, StateDiffers
from engine.records import COMMAND, EVENT
from tests.core.story import ALICE, TINY, Venue


def replica(marks_max: int = 2**31) -> Venue:
    venue = Venue()
    venue.core.marks_max = marks_max
    venue.buy(ALICE, 100, 5)
    return venue


def checkpoint(venue: Venue, of_seq: int = 0, state_hash: int = 0) -> list[str]:
    batch = Batch()
    batch.checkpoint(of_seq, state_hash)
    return venue.apply(batch)


def test_a_mark_keeps_the_hash_of_the_state_after_it() -> None:
    venue = replica()
    checkpoint(venue)
    assert venue.core.mark == (venue.core.seq, venue.core.state_hash())


def test_an_equal_hash_is_counted_and_a_different_one_stops_the_exchange() -> None:
    venue = replica()
    checkpoint(venue)
    seq, state_hash = venue.core.mark
    venue.buy(ALICE, 99, 5)
    checkpoint(venue, seq, state_hash)
    assert venue.core.marks_proven == 1
    told = rf"after command {seq} .* {state_hash:016x} here.* says {state_hash ^ 1:016x}"
    with pytest.raises(StateDiffers, match=told):
        checkpoint(venue, seq, state_hash ^ 1)
    with pytest.raises(StateDiffers):
        venue.core.apply(b"")


@pytest.mark.parametrize("marks_max", [0, 3])
def test_who_does_not_hash_compares_nothing(marks_max: int) -> None:
    venue = replica(marks_max)
    checkpoint(venue)
    assert venue.core.mark == (0, 0)
    checkpoint(venue, venue.core.seq, 1)
    assert venue.core.marks_proven == 0


def test_a_hash_of_another_mark_or_version_is_not_compared() -> None:
    venue = replica()
    checkpoint(venue)
    checkpoint(venue, venue.core.seq - 1, 1)
    batch = Batch()
    batch.checkpoint(venue.core.seq - 1, 1)
    other = np.frombuffer(bytes(batch), COMMAND).copy()
    other["qty_lots"] = 999
    other["seq"] = venue.core.seq + 1
    venue.core.apply(other)
    assert venue.core.marks_proven == 0


def test_hashing_or_not_leaves_the_same_state_and_events() -> None:
    one, other = replica(), replica(0)
    for venue in (one, other):
        checkpoint(venue)
        checkpoint(venue, venue.core.seq, one.core.mark[1])
    assert one.core.state_hash() == other.core.state_hash()
    assert one.core.dump() == other.core.dump()


def test_the_event_is_a_configuration_that_names_its_kind() -> None:
    venue = replica()
    batch = Batch()
    batch.checkpoint(4, 5)
    batch.stamp(venue.core.seq + 1, 7)
    event = np.frombuffer(venue.core.apply(batch), EVENT)[0]
    assert (event["kind"], event["seq"], event["time_ns"]) == (EventKind.CONFIGURED, venue.core.seq, 7)
    assert bytes(venue.core.apply(b"")) == b""
    assert not any(event[name] for name in ("account", "instrument", "order_id", "qty_lots", "amount"))


def test_a_loaded_copy_goes_on_from_the_mark() -> None:
    venue = replica()
    checkpoint(venue)
    copy = Exchange(**TINY)
    copy.load(venue.core.dump())
    copy.set_mark(venue.core.state_hash())
    batch = Batch()
    batch.checkpoint(copy.seq, venue.core.mark[1])
    batch.stamp(copy.seq + 1, 1)
    copy.apply(batch)
    assert copy.marks_proven == 1
    assert np.frombuffer(bytes(batch), COMMAND)["kind"] == CommandKind.CHECKPOINT
