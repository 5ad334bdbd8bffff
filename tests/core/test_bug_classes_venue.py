"""Bugs of other matching engines' trackers that concern the whole venue: auctions, restart, memory, mass cancels.

Each is named after what went wrong there (project and number in the docstring) and told by its event list here.
"""
import numpy as np
import pytest

from engine.core.batch import Batch
from engine.core.codes import AuctionStep, ListType
from engine.core.exchange import Exchange
from engine.core.unpack import unpack_events
from engine.records import ORDER
from tests.core.story import (
    ALICE,
    BOB,
    BOOK,
    BUY,
    CAROL,
    FUNDS,
    GTD,
    LIMIT_MAKER,
    SELL,
    STOP_LOSS,
    TINY,
    Clock,
    Venue,
    loaded,
    tell,
    traded,
)
from tests.core.test_lists import leg, place_list

ORDERS = 7  # section of the snapshot


class Recorder(Clock):
    """A venue whose commands can be applied again."""

    def __init__(self) -> None:
        self.commands: list[bytes] = []
        super().__init__()

    def apply(self, batch: Batch) -> list[str]:
        told = super().apply(batch)
        self.commands.append(bytes(batch))
        return told


def replayed(venue: Recorder) -> Exchange:
    copy = Exchange(**TINY)
    for commands in venue.commands:
        copy.apply(commands)
    copy.check()
    return copy


def busy() -> Recorder:
    """A bit of everything that a restart may forget."""
    venue = Recorder()
    venue.at(10).sell(ALICE, 100, 10, display_lots=3, text=b"iceberg")
    venue.buy(BOB, 100, 4)
    venue.sell(BOB, 100, 5, tif=GTD, expires_ns=900)
    venue.place(CAROL, SELL, 0, 2, kind=STOP_LOSS, trailing_bps=500)
    place_list(venue, ListType.OCO, leg(SELL, LIMIT_MAKER, price=130), leg(SELL, STOP_LOSS, trigger=80))
    venue.tell_venue("timer", CAROL, 700, session=3)
    venue.tell_venue("kill", ALICE)
    return venue


def test_a_restart_answers_as_if_there_had_been_none() -> None:
    """viabtc #188: error on server restart, the replay of the operation log fails."""
    venue = busy()
    for copy in (replayed(venue), loaded(venue.core)):
        assert copy.state_hash() == venue.core.state_hash()
        assert copy.all_orders() == venue.core.all_orders() and copy.order_lists() == venue.core.order_lists()
    copies = [replayed(venue), loaded(venue.core)]
    venue.buy(CAROL, 101, 8)
    told = venue.events
    for copy in copies:
        assert [tell(event) for event in unpack_events(copy.apply(venue.commands[-1]))] == [
            tell(event) for event in told]
        assert copy.state_hash() == venue.core.state_hash()


def test_a_snapshot_keeps_who_was_sent_to_the_tail() -> None:
    """OrderBook-rs 0.12 #205: an iceberg's next part and a replaced order stay behind those they stood before."""
    venue = Recorder()
    venue.sell(ALICE, 100, 6, display_lots=2)
    iceberg = venue.last
    venue.sell(BOB, 100, 2)
    second = venue.last
    venue.buy(CAROL, 100, 2)
    venue.replace(BOB, second, SELL, 100, 2)
    last = venue.last
    copy = loaded(venue.core)
    assert venue.buy(CAROL, 100, 4)[1:] == [traded(2, 100, venue.last, 2, iceberg, 2),
                                            traded(2, 100, venue.last, 0, last, 0)]
    copy.apply(venue.commands[-1])
    assert copy.state_hash() == venue.core.state_hash()


def test_a_snapshot_that_is_refused_leaves_nothing_half_restored() -> None:
    """OrderBook-rs 0.12 #207: failure-atomic restore. Here nothing of such an exchange can be used any more."""
    sections = busy().core.dump()
    copy = Exchange(**TINY)
    with pytest.raises(ValueError, match="missing"):
        copy.load([section for section in sections if section[0] != ORDERS])
    batch = Batch()
    batch.tick()
    batch.stamp(1, 1)
    with pytest.raises(MemoryError, match="rebuild"):
        copy.apply(batch)
    with pytest.raises(ValueError, match="nothing was applied"):
        copy.load(sections)


def test_a_full_pool_refuses_orders_and_takes_the_cancels_that_make_room() -> None:
    """viabtc #279: memory full, cannot recover."""
    venue = Venue(orders_max=2)
    venue.sell(ALICE, 100, 1)
    first = venue.last
    venue.sell(ALICE, 101, 1)
    assert venue.sell(BOB, 102, 1) == ["rejected CAPACITY"]
    assert venue.place(BOB, BUY, 0, 1, kind=STOP_LOSS, trigger_ticks=200) == ["rejected CAPACITY"]
    copy = Exchange(**TINY, orders_max=2)
    copy.load(venue.core.dump())
    assert copy.state_hash() == venue.core.state_hash()
    assert venue.cancel(ALICE, first) == [f"canceled {first}: 1 REQUESTED"]
    assert venue.sell(BOB, 102, 1) == [f"accepted {venue.last}"]


@pytest.mark.parametrize("during", [False, True], ids=["placed before", "placed in the auction"])
def test_an_auction_keeps_what_an_iceberg_hides(during: bool) -> None:
    """FLOX PR #472: an auction branch dropped the iceberg's peak."""
    venue = Venue()
    if not during:
        venue.sell(ALICE, 100, 10, display_lots=3)
    venue.tell_venue("auction", BOOK, AuctionStep.START)
    if during:
        venue.sell(ALICE, 100, 10, display_lots=3)
    order = venue.last if during else venue.last - 1
    assert venue.asks() == [(100, 3)]
    venue.buy(BOB, 100, 5)
    venue.tell_venue("auction", BOOK, AuctionStep.UNCROSS)
    assert venue.asks() == [(100, 1)]
    record = np.frombuffer(venue.core.open_orders(ALICE), ORDER)[0]
    assert (record["left_lots"], record["display_lots"]) == (5, 3)
    assert venue.buy(BOB, 100, 5)[1:] == [
        traded(1, 100, venue.last, 4, order, 4), traded(3, 100, venue.last, 1, order, 1),
        traded(1, 100, venue.last, 0, order, 0)]


@pytest.mark.parametrize("during", [False, True], ids=["placed before", "placed in the auction"])
def test_an_auction_keeps_when_an_order_expires(during: bool) -> None:
    """FLOX PR #472: an auction branch dropped the expiry."""
    venue = Clock()
    if not during:
        venue.at(10).sell(ALICE, 100, 10, tif=GTD, expires_ns=500)
    venue.at(20).tell_venue("auction", BOOK, AuctionStep.START)
    if during:
        venue.sell(ALICE, 100, 10, tif=GTD, expires_ns=500)
    order = venue.last if during else venue.last - 1
    venue.buy(BOB, 100, 4)
    venue.tell_venue("auction", BOOK, AuctionStep.UNCROSS)
    assert venue.core.next_deadline_ns == 500
    assert venue.at(500).tell_venue("tick") == [f"canceled {order}: 6 EXPIRED"]
    assert venue.money(ALICE)[0] == (FUNDS - 4, 0)


def test_an_order_that_is_due_in_an_auction_ends_before_its_uncross() -> None:
    """FLOX PR #472, the other way round: it must not trade after its time was told as over."""
    venue = Clock()
    venue.at(10).tell_venue("auction", BOOK, AuctionStep.START)
    venue.sell(ALICE, 100, 10, tif=GTD, expires_ns=500)
    order = venue.last
    venue.buy(BOB, 100, 4)
    assert venue.at(500).tell_venue("tick") == [f"canceled {order}: 10 EXPIRED"]
    told = venue.tell_venue("auction", BOOK, AuctionStep.UNCROSS)
    assert not any(line.startswith("trade") for line in told) and venue.bids() == [(100, 4)]


@pytest.mark.parametrize("by", ["account", "instrument", "session"])
def test_a_mass_cancel_takes_all_it_names_and_nothing_else(by: str) -> None:
    """agnostic-orderbook #17: mass cancellation."""
    venue = Venue()
    venue.sell(ALICE, 100, 1, session=7)
    venue.buy(ALICE, 50, 1)
    venue.place(ALICE, BUY, 0, 1, kind=STOP_LOSS, trigger_ticks=200, session=7)
    venue.sell(BOB, 100, 1, session=7)
    first = venue.last - 3
    named = {"account": {"account": ALICE}, "instrument": {"instrument": BOOK},
             "session": {"account": ALICE, "session": 7}}[by]
    gone = {"account": (0, 1, 2), "instrument": (0, 1, 2, 3), "session": (0, 2)}[by]
    assert venue.tell_venue("mass_cancel", **named) == [
        f"canceled {first + place}: 1 MASS_CANCEL" for place in gone]
    assert venue.core.open_count == 4 - len(gone)
    assert venue.core.next_deadline_ns == 0
