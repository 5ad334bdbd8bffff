"""dump() and load(): the same answers for ever after, slots included; older snapshots load, newer and broken ones not.

Every long random comparison (compare.py, test_model.py) goes on from a loaded snapshot again and again, too.
"""
from collections.abc import Callable

import numpy as np
import pytest

from engine.core.batch import Batch
from engine.core.exchange import Exchange
from engine.records import EVENT
from tests.core.story import ALICE, BOB, TINY, Venue

Sections = list[tuple[int, int, int, bytes]]
ACCOUNTS, ORDERS, FREE_SLOTS = 5, 7, 8


def busy() -> Venue:
    """Two price levels a side, free slots in an order of their own, a trade, client ids."""
    venue = Venue()
    orders = []
    for price in (100, 99, 99):
        venue.buy(ALICE, price, 5, text=b"bid-%d" % len(orders))
        orders.append(venue.last)
    for price in (101, 102, 103):
        venue.sell(BOB, price, 7)
    venue.sell(BOB, 100, 2)
    venue.cancel(ALICE, orders[1])
    venue.cancel(ALICE, orders[2])
    venue.cancel(BOB, orders[2] + 2)
    venue.buy(ALICE, 98, 5, text=b"left")
    return venue


def loaded(sections: Sections, **options: int) -> Exchange:
    core = Exchange(**TINY | options)
    core.load(sections)
    core.check()
    return core


def test_the_copy_is_the_state() -> None:
    venue = busy()
    copy = loaded(venue.core.dump())
    assert copy.state_hash() == venue.core.state_hash()
    assert (copy.seq, copy.time_ns, copy.dump()) == (venue.core.seq, venue.core.time_ns, venue.core.dump())
    assert copy.wallets() == venue.core.wallets()
    assert copy.open_orders(ALICE) == venue.core.open_orders(ALICE)
    assert copy.find(ALICE, b"left") == venue.core.find(ALICE, b"left") != (0, 0)


def test_slots_are_taken_in_the_same_order() -> None:
    venue = busy()
    copy = loaded(venue.core.dump())
    batch = Batch()
    for lots in range(1, 9):
        batch.place(BOB, 1, 1, 0, 0, 110 + lots % 2, lots)
    batch.stamp(venue.core.seq + 1, 99)
    events, expected = bytes(copy.apply(batch)), bytes(venue.core.apply(batch))
    assert events == expected
    slots = np.frombuffer(events, EVENT)["slot"].tolist()
    assert slots[:3] != sorted(slots[:3]), "the free list should not be in order of slots here"


def test_an_empty_exchange_has_a_snapshot_too() -> None:
    core = Exchange(**TINY)
    assert loaded(core.dump()).state_hash() == core.state_hash()


def test_best_prices_told_before_are_not_told_again() -> None:
    venue, copy = busy(), Exchange(**TINY, top_events=True)
    copy.load(venue.core.dump())
    batch = Batch()
    batch.place(BOB, 1, 1, 0, 0, 500, 1)
    batch.stamp(venue.core.seq + 1, 99)
    assert np.frombuffer(copy.apply(batch), EVENT)["kind"].tolist() == [4]


def test_shorter_items_of_an_older_version_load() -> None:
    """The last 12 bytes of an order's item came later than the rest, as it were: they are 0 here."""
    venue = busy()
    sections = venue.core.dump()
    older = [(number, version, size - 12, _cut(items, size, 12)) if number == ORDERS else
             (number, version, size, items) for number, version, size, items in sections]
    assert loaded(older).state_hash() == venue.core.state_hash()


@pytest.mark.parametrize(("change", "text"), [
    (lambda sections: [*sections, (999, 1, 8, b"")], "unknown sections .999.: a newer version"),
    (lambda sections: [(number, 2, size, items) for number, _, size, items in sections], "has version 2"),
    (lambda sections: [(number, version, size + 8, b"") for number, version, size, _ in sections], "a newer version"),
    (lambda sections: [*sections, sections[0]], "stands twice"),
    (lambda sections: _without(sections, FREE_SLOTS), "section 8 is missing"),
    (lambda sections: _patched(sections, ORDERS, 56, b"\xff\xff\xff\xff"), "contradicts the other sections"),
    (lambda sections: _patched(sections, ORDERS, 64, b"\xff\xff\xff\xff"), "do not exist"),
    (lambda sections: _patched(sections, ORDERS, 8, bytes(8)), "contradicts the other sections"),
    (lambda sections: _patched(sections, ORDERS, 72, b"\xff\xff\xff\xff"), "contradicts the other sections"),
    (lambda sections: _patched(sections, ACCOUNTS, 12, b"\xff\xff\xff\xff"), "slots that do not exist"),
    (lambda sections: _patched(sections, FREE_SLOTS, 0, b"\xff\xff\xff\xff"), "is not free"),
    (lambda sections: [(number, version, size, items[:-1]) for number, version, size, items in sections], "multiple"),
])
def test_what_cannot_be_is_refused(change: Callable[[Sections], Sections], text: str) -> None:
    core = Exchange(**TINY)
    with pytest.raises(ValueError, match=text):
        core.load(change(busy().core.dump()))
    with pytest.raises(MemoryError, match="rebuild"):
        core.apply(b"")


def test_only_an_exchange_nothing_was_applied_to_can_be_loaded() -> None:
    venue = busy()
    with pytest.raises(ValueError, match="nothing was applied to"):
        venue.core.load(venue.core.dump())
    with pytest.raises(ValueError, match="orders_max is"):
        loaded(venue.core.dump(), orders_max=7)


def _cut(items: bytes, size: int, rest: int) -> bytes:
    return b"".join(items[at:at + size - rest] for at in range(0, len(items), size))


def _without(sections: Sections, wanted: int) -> Sections:
    return [section for section in sections if section[0] != wanted]


def _patched(sections: Sections, wanted: int, offset: int, data: bytes) -> Sections:
    return [(number, version, size, items[:offset] + data + items[offset + len(data):] if number == wanted else items)
            for number, version, size, items in sections]
