"""reserve(): room for what is expected changes nothing but what the kernel is asked for later."""
import numpy as np
import pytest

from engine.core.batch import Batch
from engine.core.exchange import Exchange
from engine.core.memory import live_bytes
from engine.records import EVENT
from tests.core.story import ALICE, BOB, SELL, TINY, Venue, instrument_terms

ROOM = {"orders": 2000, "wallets": 500, "accounts": 300, "instruments": 40, "leaves": 400, "events": 4096}


def crowd(first_seq: int) -> Batch:
    """Two thousand orders of a hundred accounts in forty instruments, all with client ids."""
    batch = Batch()
    batch.asset(1, 8, "BASE")
    batch.asset(2, 8, "QUOTE")
    for instrument in range(1, 41):
        batch.instrument(instrument, text=f"BOOK{instrument}", **instrument_terms())
    for account in range(200, 300):
        batch.account(account)
        batch.credit(account, 1, 10**6)
    for number in range(2000):
        batch.place(200 + number % 100, 1 + number % 40, SELL, 0, 0, 100 + number % 64, 1, text=b"%d" % number)
    batch.stamp(first_seq, 1)
    return batch


def test_what_fits_asks_for_no_memory() -> None:
    core, batch = Exchange(**TINY), crowd(3)
    assets = Batch()
    assets.asset(1, 8, "BASE")
    assets.asset(2, 8, "QUOTE")
    assets.stamp(1, 1)
    core.apply(assets)
    core.reserve(**ROOM)
    before = live_bytes()
    events = np.frombuffer(core.apply(batch), EVENT)
    assert core.open_count == 2000 and not events["code"].any()
    assert live_bytes() == before
    core.check()


def test_the_state_is_the_same_and_an_exchange_in_use_may_get_room() -> None:
    plain, sized, late = Exchange(**TINY), Exchange(**TINY), Exchange(**TINY)
    sized.reserve(**ROOM)
    for core in (plain, sized, late):
        core.apply(crowd(1))
    late.reserve(**{name: 2 * count for name, count in ROOM.items()})
    late.check()
    assert plain.state_hash() == sized.state_hash() == late.state_hash()
    assert plain.dump() == sized.dump() == late.dump()
    assert all(late.find(200 + number % 100, b"%d" % number)[0] for number in range(2000))


def test_events_that_were_told_stay_readable() -> None:
    venue = Venue()
    venue.sell(ALICE, 100, 5)
    view, told = venue.core.events(), bytes(venue.core.events())
    venue.core.reserve(events=10_000)
    assert bytes(view) == told == bytes(venue.core.events())
    venue.buy(BOB, 100, 5)
    assert venue.asks() == []


def test_nothing_asked_for_changes_nothing_and_less_than_there_is_neither() -> None:
    venue = Venue()
    venue.sell(ALICE, 100, 5)
    before = live_bytes()
    venue.core.reserve()
    venue.core.reserve(orders=1, wallets=1, accounts=1, instruments=1, leaves=1, events=1)
    assert live_bytes() == before
    venue.core.check()


@pytest.mark.parametrize("room", [{"orders": 2**26 + 1}, {"accounts": 2**24}, {"instruments": 2**20},
                                  {"wallets": 2**32 - 1}])
def test_impossible_numbers_are_refused_and_do_no_harm(room: dict[str, int]) -> None:
    venue = Venue()
    with pytest.raises(MemoryError):
        venue.core.reserve(**room)
    assert venue.sell(ALICE, 100, 5) == [f"accepted {venue.last}"]
