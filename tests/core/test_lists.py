"""Order lists, told as stories: one-cancels-other, one-triggers-other and both, as Binance Spot has them."""
import numpy as np
import pytest

from engine.core.batch import Batch
from engine.core.codes import Code, CommandKind, EventKind, ListType, SelfTrade
from engine.core.exchange import Exchange
from engine.records import ORDER
from tests.core.story import (
    ALICE,
    BOB,
    BOOK,
    BUY,
    CAROL,
    FUNDS,
    GTC,
    IOC,
    LIMIT,
    LIMIT_MAKER,
    MARKET,
    SELL,
    STOP_LOSS,
    STOP_LOSS_LIMIT,
    TAKE_PROFIT,
    TAKE_PROFIT_LIMIT,
    TINY,
    Venue,
    trade_at,
    traded,
    venue_at,
)

Leg = dict[str, int | bytes]
OCO, OTO, OTOCO = ListType


def leg(side: int, kind: int, qty: int = 5, price: int = 0, trigger: int = 0, text: bytes = b"", stp: int = 0) -> Leg:
    return {"side": side, "kind": kind, "qty": qty, "price": price, "trigger": trigger, "text": text, "stp": stp}


def add_list(batch: Batch, kind: int, *legs: Leg, account: int = ALICE, text: bytes = b"") -> None:
    batch.place_list(account, BOOK, kind, text)
    for one in legs:
        batch.place(account, BOOK, int(one["side"]), int(one["kind"]), GTC, int(one["price"]), int(one["qty"]),
                    text=bytes(one["text"]) if one["text"] else b"", stp=int(one["stp"]),
                    trigger_ticks=int(one["trigger"]), trailing_bps=int(one.get("trailing", 0)),
                    once=bool(one.get("once")))


def place_list(venue: Venue, kind: int, *legs: Leg, account: int = ALICE, text: bytes = b"") -> list[str]:
    batch = Batch()
    add_list(batch, kind, *legs, account=account, text=text)
    return venue.apply(batch)


SELL_PAIR = (leg(SELL, LIMIT_MAKER, price=110), leg(SELL, STOP_LOSS, trigger=90))


def test_the_legs_of_an_oco_are_accepted_together_with_the_last_command() -> None:
    venue = venue_at()
    story = place_list(venue, OCO, *SELL_PAIR, text=b"pair")
    last = venue.last
    assert story == [f"accepted {last - 1}", f"accepted {last}", f"list {last - 2}: 2 of 2, 1"]
    assert {event.seq for event in venue.events} == {last}
    assert venue.events[2].text == b"pair" and venue.events[2].order_type == OCO
    assert venue.asks() == [(110, 5)]


def test_an_oco_holds_the_worst_leg_once() -> None:
    venue = venue_at()
    place_list(venue, OCO, *SELL_PAIR)
    assert venue.money(ALICE)[0] == (FUNDS - 5, 5)
    place_list(venue, OCO, leg(BUY, LIMIT_MAKER, price=90), leg(BUY, STOP_LOSS_LIMIT, price=120, trigger=110))
    assert venue.money(ALICE)[1] == (FUNDS - 600, 600)
    assert venue.cancel(ALICE, venue.last) == [
        f"canceled {venue.last - 1}: 5 REQUESTED", f"canceled {venue.last - 2}: 5 LIST_DONE",
        f"list {venue.last - 3}: 0 of 2, 2"]
    assert venue.money(ALICE)[1] == (FUNDS, 0)


def test_an_oco_whose_money_pays_either_leg_but_not_both_is_accepted() -> None:
    venue = venue_at(100, funds=5)
    venue.core.check()
    assert place_list(venue, OCO, *SELL_PAIR)[-1].startswith("list")


def test_a_partial_fill_of_one_leg_ends_the_other() -> None:
    venue = venue_at()
    place_list(venue, OCO, *SELL_PAIR)
    maker, stop, listed = venue.last - 1, venue.last, venue.last - 2
    assert venue.buy(BOB, 110, 2) == [
        f"accepted {venue.last}", traded(2, 110, venue.last, 0, maker, 3), f"canceled {stop}: 5 LIST_DONE"]
    assert venue.money(ALICE)[0] == (FUNDS - 5, 3)
    assert venue.buy(BOB, 110, 3)[-1] == f"list {listed}: 0 of 2, 2"


def test_the_stop_leg_ends_the_limit_leg_before_it_enters() -> None:
    venue = venue_at()
    venue.buy(BOB, 80, 10)
    bid = venue.last
    place_list(venue, OCO, *SELL_PAIR)
    maker, stop = venue.last - 1, venue.last
    assert trade_at(venue, 90) == [
        f"triggered {stop} at 90", f"canceled {maker}: 5 LIST_DONE", traded(5, 80, stop, 0, bid, 5),
        f"list {maker - 1}: 0 of 2, 2"]
    assert venue.money(ALICE) == ((FUNDS - 5, 0), (FUNDS + 400, 0)) and venue.asks() == []


def test_of_two_legs_that_one_sweep_reaches_the_first_reached_wins() -> None:
    venue = venue_at()
    place_list(venue, OCO, leg(SELL, STOP_LOSS_LIMIT, price=200, trigger=90), leg(SELL, TAKE_PROFIT, trigger=110))
    stop, profit = venue.last - 1, venue.last
    venue.sell(BOB, 90, 1)
    venue.sell(BOB, 110, 1)
    story = venue.buy(CAROL, 110, 2)
    assert story[3:] == [f"triggered {stop} at 90", f"canceled {profit}: 5 LIST_DONE"]
    assert venue.asks() == [(200, 5)] and venue.money(ALICE)[0] == (FUNDS - 5, 5)


def test_a_leg_that_is_set_off_keeps_the_pairs_money_from_other_orders_of_its_account() -> None:
    """The stop of the list needs 600 and its maker holds 450; a second stop of the account would like to spend it."""
    venue = Venue(funds=1_200)
    trade_at(venue, 100)
    place_list(venue, OCO, leg(BUY, LIMIT_MAKER, price=90), leg(BUY, STOP_LOSS_LIMIT, price=120, trigger=110))
    stop = venue.last
    venue.buy(ALICE, 0, 5, kind=STOP_LOSS, trigger_ticks=110)
    venue.sell(BOB, 120, 20)
    story = trade_at(venue, 110)
    assert next(line for line in story if line.startswith("trade 5")).startswith(f"trade 5 @ 120: order {stop}")
    assert venue.money(ALICE)[1] == (0, 0)


@pytest.mark.parametrize(("one", "other"), [
    (leg(SELL, LIMIT_MAKER, price=110), leg(SELL, TAKE_PROFIT, trigger=105)),
    (leg(SELL, STOP_LOSS, trigger=90), leg(SELL, STOP_LOSS, trigger=80)),
    (leg(SELL, LIMIT, price=110), leg(SELL, STOP_LOSS, trigger=90)),
    (leg(SELL, LIMIT_MAKER, price=110), leg(BUY, STOP_LOSS, trigger=120)),
    (leg(SELL, LIMIT_MAKER, 4, 110), leg(SELL, STOP_LOSS, 5, trigger=90)),
    (leg(SELL, LIMIT_MAKER, price=100), leg(SELL, STOP_LOSS, trigger=90)),
    (leg(SELL, LIMIT_MAKER, price=80), leg(SELL, STOP_LOSS, trigger=90)),
    (leg(BUY, LIMIT_MAKER, price=110), leg(BUY, STOP_LOSS, trigger=105))])
def test_pairs_that_are_none(one: Leg, other: Leg) -> None:
    venue = venue_at()
    assert place_list(venue, OCO, one, other) == ["rejected BAD_LIST"]
    assert venue.core.open_orders(ALICE) == b"" and venue.money(ALICE) == ((FUNDS, 0), (FUNDS, 0))


def test_a_refused_leg_refuses_the_list_and_is_named() -> None:
    venue = venue_at()
    assert place_list(venue, OCO, leg(SELL, LIMIT_MAKER, price=110), leg(SELL, STOP_LOSS, trigger=100)) == [
        "rejected WOULD_TRIGGER"]
    event = venue.events[0]
    assert (event.order_id, event.flags, event.seq) == (venue.last, CommandKind.PLACE_LIST, venue.last)
    assert venue.core.open_orders(ALICE) == b""
    assert place_list(venue, OCO, leg(SELL, LIMIT_MAKER, FUNDS + 1, 110), leg(SELL, STOP_LOSS, FUNDS + 1, trigger=90)
                      ) == ["rejected INSUFFICIENT_BALANCE"]


def test_client_ids_of_legs_and_lists_are_unique() -> None:
    venue = venue_at()
    twice = (leg(SELL, LIMIT_MAKER, price=110, text=b"a"), leg(SELL, STOP_LOSS, trigger=90, text=b"a"))
    assert place_list(venue, OCO, *twice) == ["rejected DUPLICATE_CLIENT_ID"]
    place_list(venue, OCO, *SELL_PAIR, text=b"pair")
    assert place_list(venue, OCO, *SELL_PAIR, text=b"pair") == ["rejected DUPLICATE_CLIENT_ID"]


def test_a_list_without_its_last_leg_is_refused_and_the_other_command_is_carried_out() -> None:
    venue = venue_at()
    batch = Batch()
    batch.place_list(ALICE, BOOK, OCO)
    batch.place(ALICE, BOOK, SELL, LIMIT_MAKER, GTC, 110, 5)
    batch.credit(BOB, 1, 7)
    assert venue.apply(batch) == ["rejected BAD_LIST", f"money 7 of 1 for {BOB}"]
    assert venue.asks() == [] and venue.core.open_orders(ALICE) == b""
    batch = Batch()
    batch.place_list(ALICE, BOOK, OCO)
    batch.place(ALICE, BOOK, SELL, LIMIT_MAKER, GTC, 110, 5)
    batch.place(BOB, BOOK, SELL, STOP_LOSS, GTC, 0, 5, trigger_ticks=90)
    assert venue.apply(batch) == ["rejected BAD_LIST"]


def test_a_list_may_be_cut_anywhere_between_batches_and_snapshots() -> None:
    whole, cut = venue_at(), venue_at()
    place_list(whole, OTOCO, leg(BUY, LIMIT, price=99), *SELL_PAIR)
    batch = Batch()
    add_list(batch, OTOCO, leg(BUY, LIMIT, price=99), *SELL_PAIR)
    batch.stamp(cut.core.seq + 1, whole.core.time_ns)
    data = bytes(batch)
    for start in range(0, len(data), 128):
        events = bytes(cut.core.apply(data[start:start + 128]))
        assert (events == b"") == (start < len(data) - 128)
        copy = Exchange(**TINY)
        copy.load(cut.core.dump())
        assert copy.state_hash() == cut.core.state_hash()
        cut.core = copy
    assert cut.core.state_hash() != 0 and cut.core.open_orders(ALICE) != b""


def test_an_oto_places_its_second_leg_when_the_first_is_filled() -> None:
    venue = venue_at()
    place_list(venue, OTO, leg(BUY, LIMIT, price=99), leg(SELL, LIMIT, price=105))
    working, pending = venue.last - 1, venue.last
    assert venue.money(ALICE) == ((FUNDS, 0), (FUNDS - 495, 495))
    assert venue.sell(BOB, 99, 3)[1:] == [traded(3, 99, venue.last, 0, working, 2)]
    assert venue.asks() == []
    venue.sell(BOB, 99, 2)
    assert venue.asks() == [(105, 5)] and venue.money(ALICE)[0] == (FUNDS, 5)
    assert venue.buy(CAROL, 105, 5)[-2:] == [
        traded(5, 105, venue.last, 0, pending, 0), f"list {working - 1}: 0 of 2, 2"]


def test_an_oto_whose_first_leg_is_filled_at_once_goes_on_at_once() -> None:
    venue = venue_at()
    venue.sell(BOB, 99, 5)
    ask = venue.last
    story = place_list(venue, OTO, leg(BUY, LIMIT, price=100), leg(SELL, STOP_LOSS, trigger=90))
    assert story == [f"accepted {venue.last - 1}", f"accepted {venue.last}", f"list {venue.last - 2}: 2 of 2, 1",
                     traded(5, 99, venue.last - 1, 0, ask, 0)]
    record = np.frombuffer(venue.core.open_orders(ALICE), ORDER)
    assert list(record["order_id"]) == [venue.last] and record[0]["flags"] & 2 and record[0]["list_id"] == ask + 1


def test_cancel_of_either_leg_of_an_oto_ends_both() -> None:
    for which in (0, 1):
        venue = venue_at()
        place_list(venue, OTO, leg(BUY, LIMIT, price=99), leg(SELL, LIMIT, price=105))
        orders = [venue.last - 1, venue.last]
        assert venue.cancel(ALICE, orders[which]) == [
            f"canceled {orders[which]}: 5 REQUESTED", f"canceled {orders[1 - which]}: 5 LIST_DONE",
            f"list {orders[0] - 1}: 0 of 2, 2"]
        assert venue.money(ALICE) == ((FUNDS, 0), (FUNDS, 0))


def test_a_partly_filled_working_leg_that_is_canceled_ends_the_list() -> None:
    venue = venue_at()
    place_list(venue, OTO, leg(BUY, LIMIT, price=99), leg(SELL, LIMIT, price=105))
    working = venue.last - 1
    venue.sell(BOB, 99, 3)
    assert venue.cancel(ALICE, working) == [
        f"canceled {working}: 2 REQUESTED", f"canceled {working + 1}: 5 LIST_DONE", f"list {working - 1}: 0 of 2, 2"]


def test_a_pending_leg_that_is_refused_when_its_time_comes_says_why() -> None:
    venue = Venue(funds=500)
    trade_at(venue, 100)
    place_list(venue, OTO, leg(BUY, LIMIT, price=99), leg(SELL, LIMIT, 600, 105))
    pending = venue.last
    assert venue.sell(BOB, 99, 5)[2:] == [
        f"triggered {pending} at 0", f"canceled {pending}: 600 TRIGGER_REFUSED", f"list {pending - 2}: 0 of 2, 2"]
    assert venue.events[-2].flags == Code.INSUFFICIENT_BALANCE


def test_an_otoco_places_its_pair_and_the_pair_is_an_oco() -> None:
    venue = venue_at()
    place_list(venue, OTOCO, leg(BUY, LIMIT, price=99), *SELL_PAIR)
    working, maker, stop = venue.last - 2, venue.last - 1, venue.last
    venue.sell(BOB, 99, 5)
    assert venue.asks() == [(110, 5)] and venue.money(ALICE)[0] == (FUNDS, 5)
    assert trade_at(venue, 90) == [
        f"triggered {stop} at 90", f"canceled {maker}: 5 LIST_DONE", f"canceled {stop}: 5 NO_LIQUIDITY",
        f"list {working - 1}: 0 of 3, 2"]


def test_a_pair_that_would_be_set_off_when_its_time_comes_is_refused() -> None:
    venue = venue_at()
    place_list(venue, OTOCO, leg(BUY, LIMIT, price=85), *SELL_PAIR)
    assert venue.sell(BOB, 85, 5)[2:] == [
        f"canceled {venue.last - 2}: 5 TRIGGER_REFUSED", f"canceled {venue.last - 1}: 5 TRIGGER_REFUSED",
        f"list {venue.last - 4}: 0 of 3, 2"]
    assert [event.flags for event in venue.events[2:4]] == [Code.WOULD_TRIGGER] * 2


def test_reducing_one_leg_of_a_pair_reduces_both() -> None:
    venue = venue_at()
    place_list(venue, OCO, leg(BUY, LIMIT_MAKER, price=90), leg(BUY, STOP_LOSS_LIMIT, price=120, trigger=110))
    assert venue.reduce(ALICE, venue.last, 2) == [
        f"reduced {venue.last - 2} to 2, left 2", f"reduced {venue.last - 1} to 2, left 2"]
    assert venue.money(ALICE)[1] == (FUNDS - 240, 240) and venue.bids() == [(90, 2)]


def test_both_legs_may_wait() -> None:
    venue = venue_at()
    place_list(venue, OCO, leg(SELL, TAKE_PROFIT, trigger=110), leg(SELL, STOP_LOSS_LIMIT, price=89, trigger=90))
    profit, stop = venue.last - 1, venue.last
    assert venue.money(ALICE)[0] == (FUNDS - 5, 5) and venue.asks() == []
    assert trade_at(venue, 90) == [f"triggered {stop} at 90", f"canceled {profit}: 5 LIST_DONE"]
    assert venue.asks() == [(89, 5)] and venue.money(ALICE)[0] == (FUNDS - 5, 5)


def test_cancel_all_takes_every_leg_once() -> None:
    venue = venue_at()
    place_list(venue, OCO, *SELL_PAIR)
    first = venue.last - 2
    place_list(venue, OTO, leg(BUY, LIMIT, price=99), leg(SELL, TAKE_PROFIT_LIMIT, price=105, trigger=105))
    story = venue.cancel_all(ALICE)
    assert story == [f"canceled {order}: 5 MASS_CANCEL" for order in (first + 1, first + 2, first + 4, first + 5)] + [
        f"list {first}: 0 of 2, 2", f"list {first + 3}: 0 of 2, 2"]
    assert venue.money(ALICE) == ((FUNDS, 0), (FUNDS, 0))


def test_a_list_is_canceled_by_id_and_by_its_client_id() -> None:
    venue = venue_at()
    for by_text in (True, False):
        place_list(venue, OCO, *SELL_PAIR, text=b"pair")
        listed = venue.last - 2
        batch = Batch()
        batch.cancel_list(ALICE, BOOK, 0 if by_text else listed, 0 if by_text else venue.events[-1].slot,
                          b"pair" if by_text else b"")
        assert venue.apply(batch) == [f"canceled {listed + 1}: 5 REQUESTED", f"canceled {listed + 2}: 5 REQUESTED",
                                      f"list {listed}: 0 of 2, 2"]
        assert venue.apply(batch) == ["rejected UNKNOWN_ORDER"]


def test_self_trade_prevention_that_takes_a_leg_ends_the_list() -> None:
    venue = venue_at()
    place_list(venue, OCO, *SELL_PAIR)
    maker = venue.last - 1
    story = venue.buy(ALICE, 110, 5, tif=IOC, stp=SelfTrade.EXPIRE_MAKER)
    assert [line.split(":")[0] for line in story[2:]] == [
        f"canceled {maker}", f"canceled {venue.last}", f"canceled {maker + 1}", f"list {maker - 1}"]


def test_room_is_asked_for_all_legs_together() -> None:
    venue = venue_at(100, orders_max=2)
    assert place_list(venue, OTOCO, leg(BUY, LIMIT, price=99), *SELL_PAIR) == ["rejected CAPACITY"]
    batch = Batch()
    batch.limits(BOOK, orders_max=2)
    venue.apply(batch)
    assert place_list(venue, OTOCO, leg(BUY, LIMIT, price=99), *SELL_PAIR) == ["rejected TOO_MANY_ORDERS"]
    assert place_list(venue, OCO, *SELL_PAIR)[-1].startswith("list")


def test_a_working_leg_must_be_a_limit_order_and_no_leg_may_go_by_amount() -> None:
    venue = venue_at()
    assert place_list(venue, OTO, leg(BUY, MARKET), leg(SELL, LIMIT, price=105)) == ["rejected BAD_LIST"]
    assert place_list(venue, 3, leg(BUY, LIMIT, price=99), leg(SELL, LIMIT, price=105)) == ["rejected BAD_LIST"]
    batch = Batch()
    batch.place_list(ALICE, BOOK, OTO)
    batch.place(ALICE, BOOK, BUY, LIMIT, GTC, 99, 5)
    batch.place(ALICE, BOOK, SELL, MARKET, GTC, 0, 0, 500)
    assert venue.apply(batch) == ["rejected BAD_LIST"]


def test_a_market_order_may_be_triggered_by_a_fill() -> None:
    venue = venue_at()
    venue.buy(CAROL, 98, 5)
    bid = venue.last
    place_list(venue, OTO, leg(BUY, LIMIT, price=99), leg(SELL, MARKET))
    pending = venue.last
    assert venue.sell(BOB, 99, 5)[2:] == [
        f"triggered {pending} at 0", traded(5, 98, pending, 0, bid, 0), f"list {pending - 2}: 0 of 2, 2"]
    assert [event.kind for event in venue.events].count(EventKind.ACCEPTED) == 1
