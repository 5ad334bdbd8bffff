"""Bugs of other matching engines' trackers that concern single orders: stops, expiry, FOK, prevention, icebergs.

Each is named after what went wrong there (project and number in the docstring) and told by its event list here.
"""
import pytest

from engine.core.codes import EventKind, SelfTrade
from tests.core.story import (
    ALICE,
    BOB,
    BOOK,
    BUY,
    CAROL,
    DAY,
    FOK,
    FUNDS,
    GTD,
    IOC,
    LIMIT_MAKER,
    MARKET,
    SELL,
    STOP_LOSS,
    STOP_LOSS_LIMIT,
    TAKE_PROFIT,
    Clock,
    Venue,
    prevented,
    trade_at,
    traded,
)


def test_a_trailing_stop_follows_more_than_once() -> None:
    """CppTrader #31: works only one time."""
    venue = Venue()
    trade_at(venue, 100)
    venue.place(ALICE, SELL, 50, 5, kind=STOP_LOSS_LIMIT, trailing_bps=1000)
    order = venue.last
    for price, unmoved in ((120, 109), (150, 136), (200, 181)):
        assert trade_at(venue, price) == [] and trade_at(venue, unmoved) == []
    assert trade_at(venue, 180) == [f"triggered {order} at 180"]


def test_a_trailing_stop_outlives_partial_fills_before_and_after_its_trigger() -> None:
    """nautilus_trader #1093, #2540: trailing stop and partial fill."""
    venue = Venue()
    trade_at(venue, 100)
    venue.place(ALICE, SELL, 80, 9, kind=STOP_LOSS_LIMIT, trailing_bps=1000)
    order = venue.last
    venue.buy(CAROL, 85, 4)
    bid = venue.last
    trade_at(venue, 110)
    venue.sell(BOB, 99, 2)
    maker = venue.last
    told = venue.buy(CAROL, 99, 1)
    assert told == [f"accepted {venue.last}", traded(1, 99, venue.last, 0, maker, 1), f"triggered {order} at 99",
                    traded(4, 85, order, 5, bid, 0)]
    assert venue.asks() == [(80, 5), (99, 1)] and venue.money(ALICE)[0] == (FUNDS - 9, 5)
    assert venue.buy(BOB, 80, 5)[1:] == [traded(5, 80, venue.last, 0, order, 0)]
    assert [trade_at(venue, price) for price in (130, 90)] == [[], []], "it is gone, nothing follows any more"


@pytest.mark.parametrize(("kind", "side", "silent", "trigger"), [
    (STOP_LOSS, BUY, 104, 105), (STOP_LOSS, SELL, 96, 95), (TAKE_PROFIT, BUY, 96, 95), (TAKE_PROFIT, SELL, 104, 105)])
def test_stop_loss_and_take_profit_compare_the_right_way_round(kind: int, side: int, silent: int, trigger: int) -> None:
    """Liquibook #23: the comparison seems inverted; OrderBook-rs #9."""
    venue = Venue()
    trade_at(venue, 100)
    venue.place(ALICE, side, 0, 1, kind=kind, trigger_ticks=trigger)
    order = venue.last
    assert trade_at(venue, silent) == []
    assert trade_at(venue, trigger)[0] == f"triggered {order} at {trigger}"


def test_a_stop_that_was_not_triggered_can_be_canceled() -> None:
    """Liquibook #25."""
    venue = Venue()
    trade_at(venue, 100)
    venue.place(ALICE, BUY, 0, 3, kind=STOP_LOSS, trigger_ticks=110, text=b"stop")
    order = venue.last
    assert venue.cancel(ALICE, text=b"stop") == [f"canceled {order}: 3 REQUESTED"]
    assert venue.money(ALICE)[1] == (FUNDS, 0) and trade_at(venue, 110) == []


def test_a_triggered_stop_does_not_remain_after_its_full_fill() -> None:
    """nautilus_trader #3740."""
    venue = Venue()
    trade_at(venue, 100)
    venue.sell(BOB, 111, 5)
    maker = venue.last
    venue.place(ALICE, BUY, 111, 5, kind=STOP_LOSS_LIMIT, trigger_ticks=110, text=b"stop")
    order, slot = venue.last, venue.slots[venue.last]
    assert trade_at(venue, 110) == [f"triggered {order} at 110", traded(5, 111, order, 0, maker, 0)]
    assert venue.core.order(order, slot) is None and venue.core.find(ALICE, b"stop") == (0, 0)
    assert venue.core.open_count == 0
    assert venue.cancel(ALICE, order, slot=slot) == ["rejected UNKNOWN_ORDER"]
    assert trade_at(venue, 110) == [], "it is not set off a second time"


def test_a_triggered_stop_trades_its_quantity_over_several_levels_and_no_more() -> None:
    """nautilus_trader #4264: overfills across multiple book levels."""
    venue = Venue()
    trade_at(venue, 100)
    makers = []
    for price in (111, 112, 113):
        venue.sell(BOB, price, 2)
        makers.append(venue.last)
    venue.place(ALICE, BUY, 0, 5, kind=STOP_LOSS, trigger_ticks=110)
    order = venue.last
    assert trade_at(venue, 110)[1:] == [
        traded(2, 111, order, 3, makers[0], 0), traded(2, 112, order, 1, makers[1], 0),
        traded(1, 113, order, 0, makers[2], 1)]
    assert venue.money(ALICE) == ((FUNDS + 5, 0), (FUNDS - 222 - 224 - 113, 0))


def test_a_stop_at_an_empty_level_ends_and_harms_nobody() -> None:
    """aat #67."""
    venue = Venue()
    trade_at(venue, 100)
    venue.place(ALICE, SELL, 0, 4, kind=STOP_LOSS, trigger_ticks=90)
    order = venue.last
    assert trade_at(venue, 90) == [f"triggered {order} at 90", f"canceled {order}: 4 NO_LIQUIDITY"]
    assert (venue.bids(), venue.asks()) == ([], []) and venue.money(ALICE)[0] == (FUNDS, 0)
    assert trade_at(venue, 90) == []


def test_stops_of_both_directions_that_set_each_other_off_end_in_one_message() -> None:
    """Melin exchange-core #2, Flash1: the cascade comes one message late or never ends."""
    venue = Venue()
    trade_at(venue, 100)
    venue.sell(BOB, 108, 1)
    ask = venue.last
    venue.buy(CAROL, 92, 1)
    bid = venue.last
    venue.place(ALICE, BUY, 0, 1, kind=STOP_LOSS, trigger_ticks=105)
    rising = venue.last
    venue.place(ALICE, SELL, 0, 1, kind=TAKE_PROFIT, trigger_ticks=107)
    second = venue.last
    told = trade_at(venue, 105)
    assert told == [f"triggered {rising} at 105", traded(1, 108, rising, 0, ask, 0), f"triggered {second} at 107",
                    traded(1, 92, second, 0, bid, 0)]
    assert len({event.seq for event in venue.events}) == 1 and venue.core.open_count == 0


@pytest.mark.parametrize("tif", [GTD, DAY])
def test_a_partly_filled_order_expires_with_what_is_left(tif: int) -> None:
    """nautilus_trader #943: expiry of a partially filled order blocks."""
    venue = Clock()
    venue.at(100).sell(ALICE, 100, 10, tif=tif, expires_ns=500)
    order = venue.last
    assert venue.buy(BOB, 100, 4)[1:] == [traded(4, 100, venue.last, 0, order, 6)]
    assert venue.at(500).tell_venue("tick") == [f"canceled {order}: 6 EXPIRED"]
    assert venue.money(ALICE) == ((FUNDS - 4, 0), (FUNDS + 400, 0))
    assert venue.at(501).tell_venue("tick") == [] and venue.core.next_deadline_ns == 0


def test_an_ioc_ends_once_and_does_not_come_again() -> None:
    """hftbacktest #130, nautilus_trader #628: IOC repeats, or does not work as expected."""
    venue = Venue()
    venue.sell(ALICE, 100, 3)
    maker = venue.last
    told = venue.buy(BOB, 101, 5, tif=IOC, text=b"once")
    order = venue.last
    assert told == [f"accepted {order}", traded(3, 100, order, 2, maker, 0), f"canceled {order}: 2 IOC_REMAINDER"]
    assert venue.sell(ALICE, 101, 5) == [f"accepted {venue.last}"], "what comes later is not for it"
    assert venue.cancel(BOB, text=b"once") == ["rejected UNKNOWN_ORDER"]
    assert venue.money(BOB)[1] == (FUNDS - 300, 0)


@pytest.mark.parametrize("tif", [IOC, FOK])
def test_ioc_and_fok_create_no_price_level(tif: int) -> None:
    """dydx v4 PR #898."""
    venue = Venue(top_events=True)
    venue.sell(ALICE, 105, 3)
    before = venue.core.update_id(BOOK)
    reason = "IOC_REMAINDER" if tif == IOC else "FOK_UNFILLED"
    for price in (1, 100, 104):
        assert venue.buy(BOB, price, 1, tif=tif)[1:] == [f"canceled {venue.last}: 1 {reason}"]
    assert venue.buy(BOB, 105, 4, tif=FOK)[1:] == [f"canceled {venue.last}: 4 FOK_UNFILLED"]
    assert venue.bids() == [] and venue.asks() == [(105, 3)] and venue.core.update_id(BOOK) == before


def test_post_only_and_fok_are_decided_before_anything_moves() -> None:
    """OrderBook-rs 0.12 #209: atomic post-only and FOK."""
    venue = Venue()
    for price in (100, 101):
        venue.sell(ALICE, price, 2)
    before = venue.core.update_id(BOOK), venue.core.last_trade_id(BOOK), venue.money(BOB)
    assert venue.buy(BOB, 101, 5, tif=FOK)[1:] == [f"canceled {venue.last}: 5 FOK_UNFILLED"]
    assert venue.buy(BOB, 100, 1, kind=LIMIT_MAKER) == ["rejected WOULD_MATCH"]
    assert (venue.core.update_id(BOOK), venue.core.last_trade_id(BOOK), venue.money(BOB)) == before
    assert len(venue.buy(BOB, 101, 4, tif=FOK)) == 3


@pytest.mark.parametrize(("mode", "told", "asks"), [
    (SelfTrade.EXPIRE_TAKER, ["canceled 14: 5 STP"], [(100, 3)]),
    (SelfTrade.EXPIRE_MAKER, ["canceled 13: 3 STP"], []),
    (SelfTrade.EXPIRE_BOTH, ["canceled 13: 3 STP", "canceled 14: 5 STP"], []),
    (SelfTrade.DECREMENT, ["canceled 13: 3 STP", "reduced 14 to 2, left 2"], [])])
def test_self_trade_prevention_frees_what_it_ends_and_rests_no_residue_it_should_not(
    mode: int, told: list[str], asks: list[tuple[int, int]]
) -> None:
    """dingir-exchange #98, econia #43, order-matcher #6, fasenderos PR #596, OrderBook-rs #97 (PR #138)."""
    venue = Venue()
    venue.sell(ALICE, 100, 3)
    left, maker_left = {SelfTrade.EXPIRE_TAKER: (0, 3), SelfTrade.EXPIRE_MAKER: (5, 0), SelfTrade.EXPIRE_BOTH: (0, 0),
                        SelfTrade.DECREMENT: (2, 0)}[SelfTrade(mode)]
    assert venue.buy(ALICE, 100, 5, stp=mode) == [
        "accepted 14", prevented(3, 100, 14, left, 13, maker_left), *told]
    assert venue.asks() == asks and venue.bids() == ([(100, left)] if left else [])
    assert venue.money(ALICE) == ((FUNDS - maker_left, maker_left), (FUNDS - 100 * left, 100 * left))


def test_an_iceberg_trades_its_whole_quantity_and_not_a_lot_more() -> None:
    """OrderBook-rs 0.12 #210: iceberg quantity conservation."""
    venue = Venue()
    venue.sell(ALICE, 100, 10, display_lots=3)
    eaten = []
    for lots in (1, 4, 2, 7):
        venue.buy(BOB, 100, lots, tif=IOC)
        eaten += [event.qty_lots for event in venue.events if event.kind == EventKind.TRADE]
    assert sum(eaten) == 10 and max(eaten) <= 3
    assert (venue.asks(), venue.bids()) == ([], [])
    assert venue.money(ALICE) == ((FUNDS - 10, 0), (FUNDS + 1000, 0))


def test_partial_fills_of_a_resting_order_move_its_owners_money_at_once() -> None:
    """hftbacktest #316: partial fills of resting orders are never applied to position and balance."""
    venue = Venue()
    venue.buy(ALICE, 100, 10)
    for done in (3, 7, 10):
        venue.sell(BOB, 100, {3: 3, 7: 4, 10: 3}[done])
        assert venue.money(ALICE) == ((FUNDS + done, 0), (FUNDS - 1000, 1000 - 100 * done))


def test_replace_of_a_partly_filled_order_corrupts_no_queue() -> None:
    """Liquibook #32, CppTrader #42: replace corrupts the book, or goes through a stale handle."""
    venue = Venue()
    orders = []
    for account in (ALICE, BOB, ALICE, BOB):
        venue.sell(account, 100, 4)
        orders.append(venue.last)
    venue.buy(CAROL, 100, 1)
    assert venue.replace(ALICE, orders[0], SELL, 100, 6) == [f"canceled {orders[0]}: 3 REQUESTED",
                                                            f"accepted {venue.last}"]
    orders.append(venue.last)
    assert venue.replace(ALICE, orders[0], SELL, 99, 6) == ["rejected UNKNOWN_ORDER"]
    assert venue.buy(CAROL, 100, 18)[1:] == [
        traded(4, 100, venue.last, 14, orders[1], 0), traded(4, 100, venue.last, 10, orders[2], 0),
        traded(4, 100, venue.last, 6, orders[3], 0), traded(6, 100, venue.last, 0, orders[4], 0)]


def test_deleting_an_order_leaves_everybody_elses_place_alone() -> None:
    """nautilus_trader #4370: queue position cleared by any delete; #3200."""
    venue = Venue()
    orders = []
    for account in (BOB, ALICE, BOB):
        venue.sell(account, 100, 2)
        orders.append(venue.last)
    venue.buy(CAROL, 100, 1)
    venue.sell(BOB, 101, 1)
    venue.cancel(BOB, venue.last)
    venue.cancel(BOB, orders[2])
    assert venue.buy(CAROL, 100, 2)[1:] == [
        traded(1, 100, venue.last, 1, orders[0], 0), traded(1, 100, venue.last, 0, orders[1], 1)]


def test_a_market_order_may_be_bounded_by_quantity_or_by_budget() -> None:
    """exchange-core #87, #104, #105: market, IOC by budget, FOK."""
    venue = Venue()
    venue.sell(ALICE, 100, 3)
    cheap = venue.last
    venue.sell(ALICE, 110, 3)
    dear = venue.last
    assert venue.buy(BOB, 0, 2, kind=MARKET)[1:] == [traded(2, 100, venue.last, 0, cheap, 1)]
    assert venue.buy(BOB, 0, 0, kind=MARKET, amount=215)[1:] == [
        traded(1, 100, venue.last, 0, cheap, 0), traded(1, 110, venue.last, 0, dear, 2)]
    assert venue.money(BOB)[1] == (FUNDS - 410, 0), "what buys no whole lot stays his"
    assert venue.buy(BOB, 110, 3, tif=FOK)[1:] == [f"canceled {venue.last}: 3 FOK_UNFILLED"]
