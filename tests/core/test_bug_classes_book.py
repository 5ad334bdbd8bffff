"""The bug classes that the Flash1 harness found in 247 matching engines, each a story by its event list.

A class of the book: queues, ids, levels, prices, ceilings. Those of single engines' bug trackers stand in
test_bug_classes_orders and test_bug_classes_venue. Every story is told for both sides.
"""
import pytest

from engine.core.batch import Batch
from engine.core.codes import Code
from engine.core.exchange import Exchange
from engine.core.unpack import unpack_events
from tests.core.story import (
    ALICE,
    BOB,
    BOOK,
    BUY,
    CAROL,
    FOK,
    GTD,
    IOC,
    LIMIT_MAKER,
    MARKET,
    SELL,
    STOP_LOSS,
    TINY,
    Clock,
    Venue,
    instrument_terms,
    traded,
)


@pytest.fixture(params=[BUY, SELL], ids=["maker buys", "maker sells"])
def side(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def other(side: int) -> int:
    return 1 - side


def queue(venue: Venue, side: int, price: int, *lots: int) -> list[int]:
    """Alice's orders at one price, oldest first."""
    orders = []
    for number, qty in enumerate(lots):
        venue.place(ALICE, side, price, qty, text=b"%d-%d" % (price, number))
        orders.append(venue.last)
    return orders


def test_a_maker_that_left_its_level_has_left_the_id_index_too(side: int) -> None:
    venue = Venue()
    (maker,) = queue(venue, side, 100, 5)
    slot = venue.slots[maker]
    assert venue.place(BOB, other(side), 100, 5)[1:] == [traded(5, 100, venue.last, 0, maker, 0)]
    assert venue.core.order(maker, slot) is None and venue.core.find(ALICE, b"100-0") == (0, 0)
    assert venue.cancel(ALICE, maker) == ["rejected UNKNOWN_ORDER"]
    assert venue.cancel(ALICE, text=b"100-0") == ["rejected UNKNOWN_ORDER"]
    assert venue.cancel_all(ALICE) == ["rejected UNKNOWN_ORDER"] and venue.core.open_count == 0


@pytest.mark.parametrize("gone", range(4))
def test_cancel_of_any_order_of_a_queue_loses_nobody_behind_it(side: int, gone: int) -> None:
    venue = Venue()
    orders = queue(venue, side, 100, 1, 2, 3, 4)
    lots = {order: place + 1 for place, order in enumerate(orders)}
    assert venue.cancel(ALICE, orders[gone]) == [f"canceled {orders[gone]}: {gone + 1} REQUESTED"]
    left = 10 - (gone + 1)
    assert venue.core.depth(BOOK, side, 9) == [(100, left)]
    told = venue.place(BOB, other(side), 100, left)
    expected = []
    for order in orders[:gone] + orders[gone + 1:]:
        left -= lots[order]
        expected.append(traded(lots[order], 100, venue.last, left, order, 0))
    assert told[1:] == expected
    assert venue.core.depth(BOOK, side, 9) == []


def test_removing_does_not_swap_the_last_order_into_the_gap(side: int) -> None:
    venue = Venue()
    orders = queue(venue, side, 100, 1, 1, 1, 1, 1, 1)
    for gone in (1, 0, 3):
        venue.cancel(ALICE, orders[gone])
    orders.append(queue(venue, side, 100, 1)[0])  # takes a slot that was freed in the middle
    told = venue.place(BOB, other(side), 100, 4)
    assert told[1:] == [traded(1, 100, venue.last, 3 - place, orders[number], 0)
                        for place, number in enumerate((2, 4, 5, 6))]


def test_a_partial_fill_does_not_send_the_maker_to_the_tail(side: int) -> None:
    venue = Venue()
    first, second = queue(venue, side, 100, 5, 5)
    for left in (4, 3, 2):
        assert venue.place(BOB, other(side), 100, 1)[1:] == [traded(1, 100, venue.last, 0, first, left)]
    assert venue.place(BOB, other(side), 100, 3)[1:] == [
        traded(2, 100, venue.last, 1, first, 0), traded(1, 100, venue.last, 0, second, 4)]


def test_a_fill_is_told_and_paid_at_the_makers_price(side: int) -> None:
    venue = Venue()
    (maker,) = queue(venue, side, 100, 5)
    willing = 110 if side == SELL else 90
    assert venue.place(BOB, other(side), willing, 5)[1:] == [traded(5, 100, venue.last, 0, maker, 0)]
    assert venue.events[1].quote_amount == 500
    paid = 500 if side == SELL else -500
    assert venue.money(ALICE)[1] == (1_000_000 + paid, 0) and venue.money(BOB)[1] == (1_000_000 - paid, 0)


def test_ioc_never_rests_however_it_ends(side: int) -> None:
    venue = Venue()
    (maker,) = queue(venue, side, 100, 5)
    assert venue.place(BOB, other(side), 100, 8, tif=IOC)[1:] == [
        traded(5, 100, venue.last, 3, maker, 0), f"canceled {venue.last}: 3 IOC_REMAINDER"]
    assert venue.place(BOB, other(side), 100, 8, tif=IOC)[1:] == [f"canceled {venue.last}: 8 IOC_REMAINDER"]
    assert (venue.bids(), venue.asks()) == ([], [])
    assert venue.money(BOB)[0][1] == venue.money(BOB)[1][1] == 0


def test_a_replacement_that_crosses_trades_at_the_makers_price_and_never_rests_crossed(side: int) -> None:
    venue = Venue()
    (maker,) = queue(venue, side, 100, 5)
    away, through = (105, 95) if side == BUY else (95, 105)
    venue.place(BOB, other(side), away, 8)
    old = venue.last
    told = venue.replace(BOB, old, other(side), through, 8)
    assert told == [f"canceled {old}: 8 REQUESTED", f"accepted {venue.last}",
                    traded(5, 100, venue.last, 3, maker, 0)]
    assert venue.core.depth(BOOK, other(side), 9) == [(through, 3)]
    assert venue.core.depth(BOOK, side, 9) == []


def test_a_reduce_never_makes_an_order_trade(side: int) -> None:
    venue = Venue()
    (order,) = queue(venue, side, 100, 5)
    venue.place(BOB, other(side), 101 if side == BUY else 99, 5)
    assert venue.reduce(ALICE, order, 3) == [f"reduced {order} to 3, left 3"]
    assert venue.reduce(ALICE, order, 4) == ["rejected BAD_REDUCE"]


@pytest.mark.parametrize("ended", ["filled", "canceled", "replaced"])
def test_cancel_reduce_and_replace_of_an_order_that_ended_are_refused(side: int, ended: str) -> None:
    venue = Venue()
    (order,) = queue(venue, side, 100, 5)
    if ended == "filled":
        venue.place(BOB, other(side), 100, 5)
    elif ended == "canceled":
        venue.cancel(ALICE, order)
    else:
        venue.replace(ALICE, order, side, 99, 5)
    queue(venue, side, 90, 7)  # may live in the slot that was freed
    before = venue.core.depth(BOOK, side, 9)
    assert venue.cancel(ALICE, order) == ["rejected UNKNOWN_ORDER"]
    assert venue.reduce(ALICE, order, 1) == ["rejected UNKNOWN_ORDER"]
    assert venue.replace(ALICE, order, side, 95, 5) == ["rejected UNKNOWN_ORDER"]
    assert venue.core.depth(BOOK, side, 9) == before


@pytest.mark.parametrize("how", ["cancel", "cancel all", "reduce", "trade"])
def test_no_phantom_best_price_stays_when_its_level_is_gone(side: int, how: str) -> None:
    venue = Venue(top_events=True)
    best, next_best = (101, 100) if side == BUY else (99, 100)
    venue.place(CAROL, side, next_best, 4)
    (order,) = queue(venue, side, best, 5)
    if how == "cancel":
        venue.cancel(ALICE, order)
    elif how == "cancel all":
        venue.cancel_all(ALICE)
    elif how == "reduce":
        venue.reduce(ALICE, order, 1)
        venue.cancel(ALICE, order)
    else:
        venue.place(BOB, other(side), best, 5)
    assert venue.core.depth(BOOK, side, 9) == [(next_best, 4)]
    assert venue.core.top(BOOK) == ((100, 4, 0, 0) if side == BUY else (0, 0, 100, 4))
    assert venue.place(BOB, other(side), best, 1, kind=LIMIT_MAKER)[0] == (
        f"accepted {venue.last}"), "it meets nobody at the level that is gone"


def test_no_trade_has_quantity_zero(side: int) -> None:
    venue = Venue(funds=10**6)
    first, second, third = queue(venue, side, 100, 2, 3, 4)
    told = venue.place(BOB, other(side), 100, 5)
    assert told[1:] == [traded(2, 100, venue.last, 3, first, 0), traded(3, 100, venue.last, 0, second, 0)]
    assert venue.place(BOB, other(side), 0, 0, kind=MARKET, amount=99)[1:] == [
        f"canceled {venue.last}: 0 NO_LIQUIDITY"], "less than one lot's price buys none"
    assert venue.place(BOB, other(side), 100, 0) == ["rejected QTY_RANGE"]
    assert venue.core.depth(BOOK, side, 9) == [(100, 4)] and venue.core.order(third, venue.slots[third])


def test_a_marketable_limit_order_stops_at_its_own_limit(side: int) -> None:
    venue = Venue()
    step = -1 if side == BUY else 1
    orders = [queue(venue, side, 100 + step * far, 2)[0] for far in range(4)]
    assert venue.place(BOB, other(side), 100 + step, 9)[1:] == [
        traded(2, 100, venue.last, 7, orders[0], 0), traded(2, 100 + step, venue.last, 5, orders[1], 0)]
    assert venue.core.depth(BOOK, other(side), 9) == [(100 + step, 5)]
    assert venue.core.depth(BOOK, side, 9) == [(100 + 2 * step, 2), (100 + 3 * step, 2)]


@pytest.mark.parametrize("ended", ["filled as maker", "filled as taker", "canceled", "killed"])
def test_a_client_order_id_may_be_used_again_after_its_order_ended(side: int, ended: str) -> None:
    venue = Venue()
    if ended == "filled as taker":
        venue.place(BOB, other(side), 100, 5)
    venue.place(ALICE, side, 100, 5, text=b"mine", tif=FOK if ended == "killed" else 0)
    if ended == "filled as maker":
        venue.place(BOB, other(side), 100, 5)
    elif ended == "canceled":
        venue.cancel(ALICE, text=b"mine")
    assert venue.core.find(ALICE, b"mine") == (0, 0)
    assert venue.place(ALICE, side, 90, 5, text=b"mine") == [f"accepted {venue.last}"]
    assert venue.place(ALICE, side, 91, 5, text=b"mine") == ["rejected DUPLICATE_CLIENT_ID"]


def test_a_ceiling_refuses_aloud_and_room_that_is_freed_is_room_again(side: int) -> None:
    venue = Venue(orders_max=3, max_ticks=200, max_lots=50)
    orders = queue(venue, side, 100, 1, 1, 1)
    assert venue.place(ALICE, side, 100, 1) == ["rejected CAPACITY"]
    assert venue.place(ALICE, side, 201, 1) == ["rejected PRICE_RANGE"]
    assert venue.place(ALICE, side, 100, 51) == ["rejected QTY_RANGE"]
    assert venue.core.depth(BOOK, side, 9) == [(100, 3)], "nobody was pushed out"
    for order in orders * 3:
        venue.cancel(ALICE, order)
        venue.place(ALICE, side, 100, 1)
        venue.cancel(ALICE, venue.last)
    assert queue(venue, side, 100, 1, 1, 1)[0] and venue.core.depth(BOOK, side, 9) == [(100, 3)]


def test_starting_capacities_are_no_ceilings(side: int) -> None:
    core = Exchange(**TINY)
    batch = Batch()
    batch.asset(1, 8, "BASE")
    batch.asset(2, 8, "QUOTE")
    for book in range(1, 21):
        batch.instrument(book, text=f"BOOK{book}", **instrument_terms())
    for account in range(2, 42):
        batch.account(account)
        batch.credit(account, 1, 10**6)
        batch.credit(account, 2, 10**6)
        for place in range(20):
            batch.place(account, 1 + place, side, 0, 0, 100 + account * 64 * place, 1, text=b"%d" % place)
    batch.stamp(1, 1)
    refused = [event for event in unpack_events(core.apply(batch)) if event.code != Code.NONE]
    core.check()
    assert refused == [] and core.open_count == 800


def test_the_expiry_index_forgets_orders_that_ended_otherwise(side: int) -> None:
    venue = Clock()
    for expires, how in ((200, "fill"), (300, "cancel"), (400, "replace"), (500, "cancel all"), (600, "kill")):
        venue.at(100).place(ALICE, side, 100, 5, tif=GTD, expires_ns=expires)
        order = venue.last
        assert venue.core.next_deadline_ns == expires
        if how == "fill":
            venue.place(BOB, other(side), 100, 5)
        elif how == "cancel":
            venue.cancel(ALICE, order)
        elif how == "replace":
            venue.replace(ALICE, order, side, 100, 5)
            venue.cancel(ALICE, venue.last)
        elif how == "cancel all":
            venue.cancel_all(ALICE)
        else:
            venue.tell_venue("kill", account=ALICE, on=True, cancel=True)
        assert venue.core.next_deadline_ns == 0, how
    assert venue.at(10_000).tell_venue("tick") == []


def test_a_cascade_of_stops_ends_within_the_message_that_set_it_off(side: int) -> None:
    """Orders of `side` rest at 100, 99, 98 (or up); each stop trades one level on and sets off the next."""
    venue = Venue()
    step = -1 if side == BUY else 1
    makers = [queue(venue, side, 100 + step * far, 1)[0] for far in range(4)]
    venue.place(BOB, other(side), 100, 1)
    stops = []
    for far in (1, 2):
        venue.place(CAROL, other(side), 0, 1, kind=STOP_LOSS, trigger_ticks=100 + step * far)
        stops.append(venue.last)
    told = venue.place(BOB, other(side), 100 + step, 1)
    assert told == [f"accepted {venue.last}", traded(1, 100 + step, venue.last, 0, makers[1], 0),
                    f"triggered {stops[0]} at {100 + step}", traded(1, 100 + 2 * step, stops[0], 0, makers[2], 0),
                    f"triggered {stops[1]} at {100 + 2 * step}", traded(1, 100 + 3 * step, stops[1], 0, makers[3], 0)]
    assert {event.seq for event in venue.events} == {venue.last}
