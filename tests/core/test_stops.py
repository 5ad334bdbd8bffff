"""Stops, told as stories: when they are set off, what they hold, how they enter, and every way they may end.

Directions, "would trigger immediately" and the refusal at the trigger are Binance Spot's.
"""
import numpy as np
import pytest

from engine.core.batch import Batch
from engine.core.codes import Code, EventKind, InstrumentStatus, SelfTrade
from engine.core.exchange import Exchange
from engine.records import ORDER
from tests.core.story import (
    ALICE,
    BOB,
    BOOK,
    BUY,
    CAROL,
    FOK,
    FUNDS,
    GTC,
    IOC,
    LIMIT,
    MARKET,
    SELL,
    STOP_LOSS,
    STOP_LOSS_LIMIT,
    TAKE_PROFIT,
    TAKE_PROFIT_LIMIT,
    Venue,
    trade_at,
    traded,
    venue_at,
)


def stop(venue: Venue, account: int, side: int, kind: int, trigger: int, qty: int = 5, price: int = 0,
         **more: object) -> list[str]:
    return venue.place(account, side, price, qty, kind=kind, trigger_ticks=trigger, **more)


@pytest.mark.parametrize(("kind", "side", "trigger", "before"), [
    (STOP_LOSS, BUY, 105, 104), (TAKE_PROFIT, SELL, 105, 104), (STOP_LOSS, SELL, 95, 96), (TAKE_PROFIT, BUY, 95, 96)])
def test_each_direction_is_set_off_at_its_trigger_and_not_before(
        kind: int, side: int, trigger: int, before: int) -> None:
    venue = venue_at(100)
    stop(venue, ALICE, side, kind, trigger)
    order = venue.last
    assert all("triggered" not in line for line in trade_at(venue, before))
    assert trade_at(venue, trigger) == [
        f"triggered {order} at {trigger}", f"canceled {order}: 5 NO_LIQUIDITY"]


@pytest.mark.parametrize(("kind", "side", "trigger", "refused"), [
    (STOP_LOSS, BUY, 100, True), (STOP_LOSS, BUY, 101, False), (TAKE_PROFIT, SELL, 99, True),
    (STOP_LOSS, SELL, 100, True), (STOP_LOSS, SELL, 99, False), (TAKE_PROFIT, BUY, 101, True)])
def test_one_that_would_be_set_off_at_once_is_refused(kind: int, side: int, trigger: int, refused: bool) -> None:
    venue = venue_at(100)
    money = venue.money(ALICE)
    story = stop(venue, ALICE, side, kind, trigger)
    assert story == (["rejected WOULD_TRIGGER"] if refused else [f"accepted {venue.last}"])
    assert (venue.money(ALICE) == money) == refused


def test_without_a_last_price_nothing_would_trigger_and_the_first_trade_does() -> None:
    venue = Venue()
    stop(venue, ALICE, SELL, STOP_LOSS, 95)
    order = venue.last
    assert f"triggered {order} at 95" in trade_at(venue, 90)


def test_a_waiting_order_is_in_no_book_and_no_depth() -> None:
    venue = venue_at(100)
    updates = venue.core.update_id(BOOK)
    stop(venue, ALICE, SELL, STOP_LOSS_LIMIT, 95, price=94)
    assert (venue.bids(), venue.asks(), venue.core.update_id(BOOK)) == ([], [], updates)
    venue.buy(BOB, 94, 5)
    assert venue.bids() == [(94, 5)]  # it would have met the limit, had it been in the book


def test_what_each_type_holds_and_gives_back() -> None:
    venue = venue_at(100)
    cases = [(BUY, STOP_LOSS_LIMIT, 105, 110, (0, 550)), (SELL, STOP_LOSS_LIMIT, 95, 90, (5, 0)),
             (BUY, STOP_LOSS, 105, 0, (0, 525)), (SELL, STOP_LOSS, 95, 0, (5, 0))]
    for side, kind, trigger, price, held in cases:
        stop(venue, ALICE, side, kind, trigger, price=price)
        assert tuple(wallet[1] for wallet in venue.money(ALICE)) == held
        assert venue.cancel(ALICE, venue.last) == [f"canceled {venue.last - 1}: 5 REQUESTED"]
        assert venue.money(ALICE) == ((FUNDS, 0), (FUNDS, 0))


def test_a_stop_limit_rests_behind_those_at_its_price_and_trades_as_maker_later() -> None:
    venue = venue_at(100)
    stop(venue, ALICE, SELL, STOP_LOSS_LIMIT, 95, price=96)
    order = venue.last
    venue.sell(BOB, 96, 3)
    maker = venue.last
    trade_at(venue, 95)
    assert venue.asks() == [(96, 8)]
    assert venue.buy(CAROL, 96, 8)[1:] == [
        traded(3, 96, venue.last, 5, maker, 0), traded(5, 96, venue.last, 0, order, 0)]
    assert venue.money(ALICE) == ((FUNDS - 5, 0), (FUNDS + 480, 0))


def test_events_of_a_triggered_order_carry_its_id_its_type_and_the_causing_command() -> None:
    venue = venue_at(100)
    venue.buy(BOB, 90, 2)
    stop(venue, ALICE, SELL, STOP_LOSS, 95, text=b"stop")
    order, slot = venue.last, venue.slots[venue.last]
    assert trade_at(venue, 95) == [
        f"triggered {order} at 95", traded(2, 90, order, 3, order - 1, 0), f"canceled {order}: 3 NO_LIQUIDITY"]
    for event in venue.events[2:]:
        assert (event.order_id, event.order_type, event.seq, event.slot, event.account) == (
            order, STOP_LOSS, venue.last, slot, ALICE)
    assert venue.events[2].trigger_ticks == 95 and venue.events[2].text == b"stop"
    assert venue.core.find(ALICE, b"stop") == (0, 0)


def test_orders_at_one_trigger_enter_in_order_of_arrival_and_nearer_triggers_first() -> None:
    venue = venue_at(100)
    orders = []
    for trigger in (95, 96, 95):
        stop(venue, ALICE, SELL, STOP_LOSS, trigger, 1)
        orders.append(venue.last)
    told = [line for line in trade_at(venue, 90) if line.startswith("triggered")]
    assert told == [f"triggered {orders[1]} at 96", f"triggered {orders[0]} at 95", f"triggered {orders[2]} at 95"]


def test_one_price_sets_off_rising_before_falling() -> None:
    venue = Venue()
    stop(venue, ALICE, SELL, STOP_LOSS, 110, 1)
    falling = venue.last
    stop(venue, ALICE, BUY, STOP_LOSS, 90, 1)
    told = [line for line in trade_at(venue, 100) if line.startswith("triggered")]
    assert told == [f"triggered {venue.last - 2} at 90", f"triggered {falling} at 110"]


def test_a_cascade_ends_in_the_command_that_began_it() -> None:
    """Bug class: stop cascades one message late."""
    venue = venue_at(100)
    for price in (99, 98, 97, 96):
        venue.buy(BOB, price, 1)
    orders = []
    for trigger in (99, 98, 97):
        stop(venue, ALICE, SELL, STOP_LOSS, trigger, 1)
        orders.append(venue.last)
    story = venue.sell(CAROL, 99, 1)
    assert [line for line in story if line.startswith(("triggered", "trade"))] == [
        traded(1, 99, venue.last, 0, orders[0] - 4, 0),
        f"triggered {orders[0]} at 99", traded(1, 98, orders[0], 0, orders[0] - 3, 0),
        f"triggered {orders[1]} at 98", traded(1, 97, orders[1], 0, orders[0] - 2, 0),
        f"triggered {orders[2]} at 97", traded(1, 96, orders[2], 0, orders[0] - 1, 0)]


def test_a_cascade_of_thousands_needs_no_stack() -> None:
    core = Exchange()
    batch = Batch()
    batch.asset(1, 8, "BASE")
    batch.asset(2, 8, "QUOTE")
    batch.instrument(1, text="BASEQUOTE", base_asset=1, quote_asset=2, lot_value=1, tick_value=1)
    for account in (ALICE, BOB):
        batch.account(account)
        batch.credit(account, 1, 10**6)
        batch.credit(account, 2, 10**12)
    count = 20_000
    for price in range(count + 1, 0, -1):
        batch.place(BOB, 1, BUY, LIMIT, GTC, price, 1)
    batch.place(ALICE, 1, SELL, LIMIT, GTC, count + 1, 1)
    for trigger in range(count, 0, -1):
        batch.place(ALICE, 1, SELL, STOP_LOSS, GTC, 0, 1, trigger_ticks=trigger)
    batch.place(ALICE, 1, SELL, MARKET, GTC, 0, 1)
    batch.stamp(1, 1)
    core.apply(batch)
    core.check()
    assert core.last_trade_id(1) == count + 1 and core.open_orders(ALICE) == core.open_orders(BOB) == b""


def test_triggers_are_looked_for_after_the_taker_is_done_with_all_prices_it_traded_at() -> None:
    venue = venue_at(100)
    venue.sell(BOB, 101, 1)
    venue.sell(BOB, 110, 1)
    stop(venue, ALICE, BUY, STOP_LOSS_LIMIT, 101, 1, price=110)
    order = venue.last
    story = venue.buy(CAROL, 110, 2)
    assert [line.split(":")[0] for line in story] == [
        f"accepted {venue.last}", "trade 1 @ 101", "trade 1 @ 110", f"triggered {order} at 101"]
    assert venue.bids() == [(110, 1)]


@pytest.mark.parametrize(("tif", "reason"), [(IOC, "IOC_REMAINDER"), (FOK, "FOK_UNFILLED")])
def test_time_in_force_holds_from_the_trigger_on(tif: int, reason: str) -> None:
    venue = venue_at(100)
    stop(venue, ALICE, SELL, STOP_LOSS_LIMIT, 95, 5, 94, tif=tif)
    order = venue.last
    venue.buy(BOB, 94, 2)
    expected = [f"triggered {order} at 95"]
    expected += [traded(2, 94, order, 3, venue.last, 0)] if tif == IOC else []
    rest = 3 if tif == IOC else 5
    assert trade_at(venue, 95) == [*expected, f"canceled {order}: {rest} {reason}"]
    assert venue.money(ALICE)[0][1] == 0


def test_cancel_by_id_and_by_client_id_before_the_trigger() -> None:
    """Bug class: a stop that has not been triggered cannot be canceled."""
    venue = venue_at(100)
    stop(venue, ALICE, SELL, STOP_LOSS, 95, text=b"mine")
    order = venue.last
    assert stop(venue, ALICE, SELL, STOP_LOSS, 95, text=b"mine") == ["rejected DUPLICATE_CLIENT_ID"]
    assert venue.cancel(ALICE, text=b"mine") == [f"canceled {order}: 5 REQUESTED"]
    assert venue.cancel(ALICE, order) == ["rejected UNKNOWN_ORDER"]
    assert all("triggered" not in line for line in trade_at(venue, 95))


def test_reduce_and_cancel_all() -> None:
    venue = venue_at(100)
    stop(venue, ALICE, BUY, STOP_LOSS, 105, 5)
    order = venue.last
    assert venue.reduce(ALICE, order, 2) == [f"reduced {order} to 2, left 2"]
    assert venue.money(ALICE)[1] == (FUNDS - 210, 210)
    venue.buy(ALICE, 90, 1)
    assert venue.cancel_all(ALICE) == [f"canceled {order}: 2 MASS_CANCEL", f"canceled {venue.last - 1}: 1 MASS_CANCEL"]
    assert venue.money(ALICE) == ((FUNDS, 0), (FUNDS, 0))


def test_replace_of_a_stop_by_a_stop_uses_the_freed_money() -> None:
    venue = Venue(funds=10)
    stop(venue, ALICE, SELL, STOP_LOSS, 95, 10, text=b"x")
    order = venue.last
    assert venue.replace(ALICE, order, SELL, 0, 10, kind=STOP_LOSS, trigger_ticks=94, text=b"x") == [
        f"canceled {order}: 10 REQUESTED", f"accepted {venue.last}"]
    assert venue.money(ALICE)[0] == (0, 10)


def test_a_triggered_order_that_rests_keeps_its_id_its_time_and_its_place_in_its_owners_list() -> None:
    venue = venue_at(100)
    stop(venue, ALICE, SELL, STOP_LOSS_LIMIT, 95, price=120, text=b"first")
    order, slot = venue.last, venue.slots[venue.last]
    venue.sell(ALICE, 130, 1)
    venue.sell(ALICE, 131, 1)
    trade_at(venue, 95)
    record = np.frombuffer(venue.core.open_orders(ALICE), ORDER)
    assert list(record["order_id"]) == [order, order + 1, order + 2]
    assert (record[0]["slot"], record[0]["time_ns"], record[0]["update_ns"]) == (slot, order, venue.last)
    assert (record[0]["order_type"], record[0]["stop_ticks"], record[0]["text"]) == (STOP_LOSS_LIMIT, 95, b"first")
    assert venue.cancel(ALICE, order) == [f"canceled {order}: 5 REQUESTED"]


def test_a_query_shows_a_waiting_order() -> None:
    venue = venue_at(100)
    stop(venue, ALICE, SELL, TAKE_PROFIT_LIMIT, 105, price=104, stp=SelfTrade.EXPIRE_TAKER)
    record = np.frombuffer(venue.core.order(venue.last, venue.slots[venue.last]) or b"", ORDER)[0]
    assert (record["stop_ticks"], record["trigger_ticks"], record["stp"], record["flags"]) == (105, 105, 1, 6)


def test_self_trade_prevention_of_a_triggered_order() -> None:
    venue = venue_at(100)
    venue.buy(ALICE, 94, 5)
    maker = venue.last
    stop(venue, ALICE, SELL, STOP_LOSS, 95, 5, stp=SelfTrade.EXPIRE_TAKER)
    order = venue.last
    story = trade_at(venue, 95)
    assert story[0] == f"triggered {order} at 95" and story[1].startswith("prevented 5 @ 94")
    assert story[2] == f"canceled {order}: 5 STP" and venue.bids() == [(94, 5)]
    assert {event.seq for event in venue.events} == {venue.last}
    assert venue.cancel(ALICE, maker) == [f"canceled {maker}: 5 REQUESTED"]


def test_a_market_buy_takes_what_is_missing_from_what_is_available() -> None:
    venue = venue_at(100)
    venue.sell(BOB, 110, 5)
    stop(venue, ALICE, BUY, STOP_LOSS, 105, 5)
    trade_at(venue, 105)
    assert venue.money(ALICE) == ((FUNDS + 5, 0), (FUNDS - 550, 0))


def test_a_market_buy_that_its_money_does_not_pay_in_full_is_lowered_to_what_it_pays() -> None:
    venue = Venue(funds=525)
    trade_at(venue, 100)
    stop(venue, ALICE, BUY, STOP_LOSS, 105, 5)
    order = venue.last
    venue.sell(BOB, 110, 5)
    maker = venue.last
    assert trade_at(venue, 105) == [
        f"triggered {order} at 105", f"reduced {order} to 4, left 4", traded(4, 110, order, 0, maker, 1)]
    assert venue.money(ALICE)[1] == (85, 0)


def test_one_that_is_refused_at_its_trigger_says_why() -> None:
    venue = Venue(funds=525)
    trade_at(venue, 100)
    stop(venue, ALICE, BUY, STOP_LOSS, 105, 5)
    order = venue.last
    venue.sell(BOB, 526, 5)
    assert trade_at(venue, 105) == [f"triggered {order} at 105", f"canceled {order}: 5 TRIGGER_REFUSED"]
    assert venue.events[-1].flags == Code.INSUFFICIENT_BALANCE
    assert venue.money(ALICE) == ((525, 0), (525, 0))


def test_a_frozen_accounts_stop_does_not_enter() -> None:
    venue = venue_at(100)
    stop(venue, ALICE, SELL, STOP_LOSS, 95, 5)
    batch = Batch()
    batch.account(ALICE, 1)
    venue.apply(batch)
    trade_at(venue, 95)
    assert (venue.events[-1].code, venue.events[-1].flags) == (Code.TRIGGER_REFUSED, Code.ACCOUNT_FROZEN)


def test_orders_max_counts_waiting_orders() -> None:
    venue = venue_at(100)
    batch = Batch()
    batch.limits(BOOK, orders_max=2)
    venue.apply(batch)
    stop(venue, ALICE, SELL, STOP_LOSS, 95)
    assert venue.sell(ALICE, 120, 1) == [f"accepted {venue.last}"]
    assert stop(venue, ALICE, SELL, STOP_LOSS, 95) == ["rejected TOO_MANY_ORDERS"]
    assert venue.sell(ALICE, 120, 1) == ["rejected TOO_MANY_ORDERS"]


def test_capacity_counts_waiting_orders() -> None:
    venue = Venue(orders_max=1)
    stop(venue, ALICE, SELL, STOP_LOSS, 95)
    assert stop(venue, ALICE, SELL, STOP_LOSS, 95) == ["rejected CAPACITY"]
    assert venue.sell(ALICE, 120, 1) == ["rejected CAPACITY"]


def test_shapes_that_make_no_sense() -> None:
    venue = venue_at(100)
    bad = ["rejected BAD_COMMAND"]
    assert stop(venue, ALICE, SELL, STOP_LOSS, 0) == bad
    assert stop(venue, ALICE, SELL, STOP_LOSS, 95, price=94) == bad
    assert stop(venue, ALICE, SELL, STOP_LOSS, 95, tif=FOK) == bad
    assert stop(venue, ALICE, SELL, STOP_LOSS, 95, 0, amount=5) == bad
    assert stop(venue, ALICE, SELL, 7, 95) == bad
    assert stop(venue, ALICE, SELL, LIMIT, 95, price=94) == bad
    assert stop(venue, ALICE, SELL, STOP_LOSS_LIMIT, -1, price=94) == ["rejected PRICE_RANGE"]
    assert stop(venue, ALICE, SELL, STOP_LOSS_LIMIT, 95, price=0) == ["rejected PRICE_RANGE"]
    assert stop(venue, ALICE, BUY, STOP_LOSS, 2**50, 2**20) == ["rejected OVERFLOW"]
    assert stop(venue, 99, SELL, STOP_LOSS, 95) == ["rejected UNKNOWN_ACCOUNT"]
    assert stop(venue, ALICE, SELL, STOP_LOSS, 95, FUNDS + 1) == ["rejected INSUFFICIENT_BALANCE"]
    venue.configure(InstrumentStatus.HALT)
    assert stop(venue, ALICE, SELL, STOP_LOSS, 95) == ["rejected MARKET_CLOSED"]


def test_triggers_grow_and_leave_nothing_behind() -> None:
    """Bug class: an index of waiting orders that is never pruned; ceilings that drop orders silently."""
    venue = Venue()
    for number in range(1, 400):
        venue.sell(ALICE, 0, 1, kind=STOP_LOSS, trigger_ticks=number * 2**40)
    assert venue.core.check() is None and len(venue.core.open_orders(ALICE)) == 399 * ORDER.itemsize
    assert len([line for line in trade_at(venue, 1) if line.startswith("triggered")]) == 399
    assert venue.core.open_orders(ALICE) == b"" and venue.money(ALICE) == ((FUNDS, 0), (FUNDS, 0))


def test_only_the_triggered_order_is_told_as_triggered() -> None:
    venue = venue_at(100)
    stop(venue, ALICE, SELL, STOP_LOSS, 95)
    trade_at(venue, 95)
    assert [event.kind for event in venue.events].count(EventKind.TRIGGERED) == 1
    assert all("triggered" not in line for line in trade_at(venue, 94))
