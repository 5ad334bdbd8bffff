"""A frame's events, picked by kind and split among those who sent its commands."""
from engine.core.batch import Batch
from engine.core.codes import EventKind
from engine.core.exchange import Exchange
from engine.core.unpack import Event, split_events, unpack_events
from engine.event_kinds import events_of_kind


def traded() -> list[Event]:
    """Four commands in one frame: a maker, a taker, one that is refused and another maker."""
    core, batch = Exchange(), Batch()
    batch.asset(1, 2, "ABC")
    batch.asset(2, 2, "USD")
    batch.instrument(1, text="ABCUSD", base_asset=1, quote_asset=2, lot_value=1, tick_value=1)
    for account in (2, 3):
        batch.account(account)
        batch.credit(account, 1, 10**6)
        batch.credit(account, 2, 10**6)
    batch.stamp(1, 1)
    core.apply(batch)
    batch.clear()
    batch.place(2, 1, 1, 0, 0, 100, 5)
    batch.place(3, 1, 0, 0, 0, 100, 5)
    batch.place(3, 9, 0, 0, 0, 100, 5)
    batch.place(3, 1, 0, 0, 0, 99, 5)
    batch.stamp(core.seq + 1, 2)
    return unpack_events(core.apply(batch))


def test_events_of_kind():
    events = traded()
    assert [event.kind for event in events] == [
        EventKind.ACCEPTED, EventKind.ACCEPTED, EventKind.TRADE, EventKind.REJECTED, EventKind.ACCEPTED]
    assert events_of_kind(events, EventKind.TRADE) == [events[2]]
    assert events_of_kind(events, EventKind.CANCELED) == []


def test_a_frame_is_split_among_those_who_sent_it():
    events = traded()
    first_seq = events[0].seq
    assert split_events(events, first_seq, [1, 2, 1]) == [
        (first_seq, events[:1]), (first_seq + 1, events[1:4]), (first_seq + 3, events[4:])]
    assert split_events(events, first_seq, [4]) == [(first_seq, events)]
    assert split_events([], 7, [1]) == [(7, [])]
