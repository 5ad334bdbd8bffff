"""Orders that end by themselves: GTD and DAY, the TICK that ends them, and how many end at one."""
import pytest

from engine.core.batch import Batch
from engine.core.codes import Code, OrderType, TimeInForce
from engine.core.exchange import Exchange
from engine.core.unpack import unpack_events
from tests.core.story import (
    ALICE,
    BOB,
    BOOK,
    BUY,
    CAROL,
    DAY,
    GTD,
    IOC,
    LIMIT,
    LIMIT_MAKER,
    MARKET,
    QUOTE,
    SELL,
    STOP_LOSS_LIMIT,
    Clock,
    traded,
)

SECOND = 10**9
DAY_NS = 86_400 * SECOND


def test_an_order_ends_at_the_first_tick_at_or_after_its_time():
    venue = Clock()
    venue.at(100).buy(ALICE, 10, 5, tif=GTD, expires_ns=200)
    order = venue.last
    assert venue.core.next_deadline_ns == 200
    assert venue.core.expires_ns(order, venue.slots[order]) == 200
    assert venue.at(199).tell_venue("tick") == []
    assert venue.at(200).tell_venue("tick") == [f"canceled {order}: 5 EXPIRED"]
    assert venue.money(ALICE)[1] == (1_000_000, 0)
    assert venue.core.next_deadline_ns == 0
    assert venue.at(300).tell_venue("tick") == []


def test_without_a_tick_an_order_trades_on():
    venue = Clock()
    venue.at(100).sell(ALICE, 10, 5, tif=GTD, expires_ns=200)
    maker = venue.last
    assert venue.at(999).buy(BOB, 10, 2) == [f"accepted {venue.last}", traded(2, 10, venue.last, 0, maker, 3)]
    assert venue.tell_venue("tick") == [f"canceled {maker}: 3 EXPIRED"]


def test_orders_end_in_order_of_time_then_of_age():
    venue = Clock()
    for expires in (400, 300, 400, 300, 500):
        venue.at(100).buy(ALICE, 10, 1, tif=GTD, expires_ns=expires)
    first = venue.last - 4
    assert [line.split(":")[0] for line in venue.at(450).tell_venue("tick")] == [
        f"canceled {first + place}" for place in (1, 3, 0, 2)]


@pytest.mark.parametrize("expires", [100, 0, -5])
def test_an_order_that_is_over_already_is_refused(expires):
    assert Clock().at(100).buy(ALICE, 10, 5, tif=GTD, expires_ns=expires) == ["rejected EXPIRED_ALREADY"]


def test_what_trades_at_once_leaves_no_deadline():
    venue = Clock()
    venue.at(1).sell(ALICE, 10, 5)
    venue.buy(BOB, 10, 5, tif=GTD, expires_ns=50)
    assert venue.core.next_deadline_ns == 0


def test_a_cancel_takes_the_deadline_along():
    venue = Clock()
    venue.at(1).buy(ALICE, 10, 5, tif=GTD, expires_ns=50)
    venue.cancel(ALICE, venue.last)
    assert venue.core.next_deadline_ns == 0 and venue.at(60).tell_venue("tick") == []


def test_a_reduced_or_partly_filled_order_still_ends():
    venue = Clock()
    venue.at(1).buy(ALICE, 10, 9, tif=GTD, expires_ns=50)
    order = venue.last
    venue.reduce(ALICE, order, 7)
    venue.sell(BOB, 10, 3)
    assert venue.at(50).tell_venue("tick") == [f"canceled {order}: 4 EXPIRED"]
    assert venue.money(ALICE)[1] == (1_000_000 - 30, 0)


@pytest.mark.parametrize(("now", "day_end_s", "expected"), [
    (1, 0, DAY_NS), (DAY_NS - 1, 0, DAY_NS), (DAY_NS, 0, 2 * DAY_NS), (5 * SECOND, 10, 10 * SECOND),
    (10 * SECOND, 10, DAY_NS + 10 * SECOND), (DAY_NS + 3, 86_399, 2 * DAY_NS - SECOND),
    (2**63 - 1, 0, 2**63 - 1)])
def test_a_day_order_ends_with_the_instruments_day(now, day_end_s, expected):
    venue = Clock()
    venue.tell_venue("protection", BOOK, day_end_s=day_end_s)
    venue.at(now).buy(ALICE, 10, 5, tif=DAY)
    assert venue.core.next_deadline_ns == expected
    assert venue.core.expires_ns(venue.last, venue.slots[venue.last]) == expected


def test_a_day_order_keeps_the_end_it_was_told():
    venue = Clock()
    venue.at(1).buy(ALICE, 10, 5, tif=DAY)
    venue.tell_venue("protection", BOOK, day_end_s=60)
    assert venue.core.next_deadline_ns == DAY_NS


def test_post_only_may_expire_market_orders_may_not():
    venue = Clock()
    assert venue.at(1).buy(ALICE, 10, 5, kind=LIMIT_MAKER, tif=DAY) == [f"accepted {venue.last}"]
    assert venue.buy(ALICE, 0, 5, kind=MARKET, tif=DAY) == ["rejected BAD_COMMAND"]
    assert venue.buy(ALICE, 10, 5, tif=DAY, expires_ns=1) == ["rejected EXPIRED_ALREADY"]
    assert venue.buy(ALICE, 10, 5, tif=5) == ["rejected BAD_COMMAND"]
    assert venue.buy(ALICE, 10, 5, tif=IOC, expires_ns=9)[0] == f"accepted {venue.last}"


def test_a_replaced_order_has_the_end_of_the_new_one():
    venue = Clock()
    venue.at(1).buy(ALICE, 10, 5, tif=GTD, expires_ns=50)
    venue.replace(ALICE, venue.last, BUY, 11, 5, tif=GTD, expires_ns=80)
    assert venue.core.next_deadline_ns == 80
    venue.replace(ALICE, venue.last, BUY, 12, 5)
    assert venue.core.next_deadline_ns == 0


def test_at_most_a_thousand_end_at_one_tick():
    core, batch = Exchange(), Batch()
    for asset in (1, 2):
        batch.asset(asset, 8, f"A{asset}")
    batch.instrument(BOOK, text="A1A2", base_asset=1, quote_asset=2, lot_value=1, tick_value=1)
    batch.account(ALICE)
    batch.credit(ALICE, QUOTE, 10**6)
    for _ in range(2500):
        batch.place(ALICE, BOOK, BUY, OrderType.LIMIT, TimeInForce.GTD, 1, 1, expires_ns=50)
    batch.stamp(1, 1)
    core.apply(batch)
    ended = []
    while core.next_deadline_ns:
        batch.clear()
        batch.tick()
        batch.stamp(core.seq + 1, 50)
        ended.append(len(unpack_events(core.apply(batch))))
    core.check()
    assert ended == [1000, 1000, 500]


def test_expiries_of_both_sides_and_of_other_orders_do_not_mix():
    venue = Clock()
    venue.at(1).buy(ALICE, 10, 5)
    venue.sell(BOB, 20, 5, tif=GTD, expires_ns=9)
    venue.place(BOB, SELL, 21, 5, kind=LIMIT)
    assert venue.at(9).tell_venue("tick") == [f"canceled {venue.last - 2}: 5 EXPIRED"]
    assert (venue.bids(), venue.asks()) == ([(10, 5)], [(21, 5)])


def test_a_stop_expires_while_it_waits_and_after_it_was_triggered():
    venue = Clock()
    for trigger in (12, 11):
        venue.at(1).buy(ALICE, trigger, 5, kind=STOP_LOSS_LIMIT, trigger_ticks=trigger, tif=GTD, expires_ns=50)
    waits, enters = venue.last - 1, venue.last
    venue.sell(BOB, 11, 1)
    venue.buy(CAROL, 11, 1)
    assert venue.bids() == [(11, 5)] and venue.core.next_deadline_ns == 50
    assert venue.at(50).tell_venue("tick") == [f"canceled {waits}: 5 EXPIRED", f"canceled {enters}: 5 EXPIRED"]
    assert venue.money(ALICE)[1] == (1_000_000, 0) and venue.core.next_deadline_ns == 0


def test_a_stop_that_is_due_when_its_trigger_comes_does_not_trade():
    venue = Clock()
    venue.at(1).buy(ALICE, 11, 5, kind=STOP_LOSS_LIMIT, trigger_ticks=11, tif=GTD, expires_ns=50)
    venue.at(60).sell(BOB, 11, 9)
    venue.buy(CAROL, 11, 1)
    assert venue.events[-1].code == Code.TRIGGER_REFUSED and venue.events[-1].flags == Code.EXPIRED_ALREADY
    assert venue.core.next_deadline_ns == 0


def test_a_triggered_stop_keeps_its_session():
    venue = Clock()
    venue.buy(ALICE, 11, 5, kind=STOP_LOSS_LIMIT, trigger_ticks=11, session=4)
    order = venue.last
    venue.sell(BOB, 11, 1)
    venue.buy(CAROL, 11, 1)
    assert venue.tell_venue("mass_cancel", ALICE, session=4) == [f"canceled {order}: 5 MASS_CANCEL"]
