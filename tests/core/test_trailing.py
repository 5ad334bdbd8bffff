"""Trailing stops, told as the scenarios of Binance Spot's FAQ on them, and what else they meet."""
import numpy as np
import pytest

from engine.core.codes import ListType
from engine.records import ORDER
from tests.core.story import (
    ALICE,
    BOOK,
    BUY,
    LIMIT_MAKER,
    SELL,
    STOP_LOSS,
    STOP_LOSS_LIMIT,
    TAKE_PROFIT,
    TAKE_PROFIT_LIMIT,
    Venue,
    loaded,
    trade_at,
    venue_at,
)
from tests.core.test_lists import leg, place_list


def trailing(venue: Venue, side: int, kind: int, bps: int, *, price: int = 0, stop: int = 0, qty: int = 1) -> int:
    """order_id of Alice's order."""
    told = venue.place(ALICE, side, price, qty, kind=kind, trigger_ticks=stop, trailing_bps=bps)
    assert told == [f"accepted {venue.last}"]
    return venue.last


def trigger_of(venue: Venue) -> int:
    """Of Alice's only order."""
    return int(np.frombuffer(venue.core.open_orders(ALICE), ORDER)[0]["trigger_ticks"])


@pytest.mark.parametrize(("side", "kind", "bps", "price", "stop", "path", "trigger"), [
    (BUY, STOP_LOSS_LIMIT, 500, 45_000, 44_000, (40_000, 37_000, 44_000, 46_000, 42_000, 44_099), 44_100),
    (SELL, STOP_LOSS_LIMIT, 1000, 38_000, 39_000, (40_000, 41_500, 39_000, 37_000, 41_000, 36_901), 36_900),
    (BUY, TAKE_PROFIT_LIMIT, 850, 38_500, 38_000, (40_000, 42_000, 38_000, 37_000, 39_000, 38_000, 40_144), 40_145),
    (SELL, TAKE_PROFIT_LIMIT, 750, 41_000, 42_000,
     (40_000, 41_500, 39_000, 42_000, 45_000, 44_000, 46_500, 43_013), 43_012),
    (SELL, STOP_LOSS_LIMIT, 700, 39_000, 0, (40_000, 42_000, 39_500, 45_500, 42_316), 42_315),
])
def test_the_scenarios_of_the_faq(side: int, kind: int, bps: int, price: int, stop: int, path: tuple[int, ...],
                                  trigger: int) -> None:
    venue = venue_at(path[0])
    order = trailing(venue, side, kind, bps, price=price, stop=stop)
    for step in path[1:]:
        assert trade_at(venue, step) == []
    assert trigger_of(venue) == trigger
    assert trade_at(venue, trigger)[0] == f"triggered {order} at {trigger}"


def test_a_sell_rounds_its_trigger_down_and_a_buy_up() -> None:
    venue = venue_at(101)
    trailing(venue, SELL, STOP_LOSS, 100)
    assert trigger_of(venue) == 99
    venue.cancel_all(ALICE)
    trailing(venue, BUY, STOP_LOSS, 100)
    assert trigger_of(venue) == 103


def test_one_that_trails_at_once_starts_with_the_first_trade_there_is() -> None:
    venue = Venue(funds=10**9)
    assert venue.place(ALICE, BUY, 0, 1, kind=STOP_LOSS, trailing_bps=100) == ["rejected PRICE_RANGE"]
    order = trailing(venue, SELL, STOP_LOSS, 1000)
    assert trade_at(venue, 200) == []
    assert trigger_of(venue) == 180
    assert trade_at(venue, 180)[0] == f"triggered {order} at 180"


@pytest.mark.parametrize("order", [
    {"kind": STOP_LOSS, "trailing_bps": 10_000}, {"kind": STOP_LOSS, "trailing_bps": 0},
    {"kind": LIMIT_MAKER, "price": 5, "trailing_bps": 100}])
def test_distances_that_are_none(order: dict[str, int]) -> None:
    assert venue_at(100).place(ALICE, SELL, order.pop("price", 0), 1, **order) == ["rejected BAD_COMMAND"]


def test_a_stop_price_that_is_reached_already_is_refused() -> None:
    assert venue_at(100).place(ALICE, SELL, 0, 1, kind=STOP_LOSS, trigger_ticks=100, trailing_bps=100) == [
        "rejected WOULD_TRIGGER"]


def test_a_market_buy_holds_its_quantity_at_the_trigger_it_may_expect() -> None:
    venue = venue_at(1000)
    before = venue.money(ALICE)[1]
    trailing(venue, BUY, STOP_LOSS, 500, qty=2)
    assert venue.money(ALICE)[1] == (before[0] - 2100, 2100)
    trade_at(venue, 900)
    assert venue.money(ALICE)[1] == (before[0] - 2100, 2100)
    venue.cancel_all(ALICE)
    trailing(venue, BUY, STOP_LOSS, 500, stop=1100)
    assert venue.money(ALICE)[1] == (before[0] - 1155, 1155)


def test_orders_that_come_to_one_trigger_go_in_the_order_of_their_extremes_then_of_their_start() -> None:
    venue = venue_at(100)
    first = trailing(venue, SELL, STOP_LOSS, 1000)
    trade_at(venue, 110)
    trade_at(venue, 105)
    later = trailing(venue, SELL, STOP_LOSS, 1000)
    last = trailing(venue, SELL, STOP_LOSS, 1000)
    trade_at(venue, 200)
    fired = [line for line in trade_at(venue, 180) if line.startswith("triggered")]
    assert fired == [f"triggered {order} at 180" for order in (first, later, last)]


def test_cancel_reduce_and_a_snapshot_find_it_wherever_it_has_moved() -> None:
    venue = venue_at(100)
    orders = [trailing(venue, side, kind, bps, qty=5) for side, kind in ((SELL, STOP_LOSS), (BUY, TAKE_PROFIT))
              for bps in (1000, 2000, 2000)]
    trade_at(venue, 108, 95)
    copy = loaded(venue.core)
    assert copy.state_hash() == venue.core.state_hash()
    for order in (orders[1], orders[4]):
        assert venue.reduce(ALICE, order, 3) == [f"reduced {order} to 3, left 3"]
        assert venue.cancel(ALICE, order) == [f"canceled {order}: 3 REQUESTED"]
    assert [line for line in trade_at(venue, 114) if line.startswith("triggered")] == [
        f"triggered {orders[3]} at 105", f"triggered {orders[5]} at 114"]


def test_a_pair_whose_stop_trails() -> None:
    venue = venue_at(100)
    stop = leg(SELL, STOP_LOSS)
    assert place_list(venue, ListType.OCO, leg(SELL, LIMIT_MAKER, price=130), stop) == ["rejected BAD_COMMAND"]
    place_list(venue, ListType.OCO, leg(SELL, LIMIT_MAKER, price=130), {**stop, "trailing": 1000})
    profit, trails = venue.last - 1, venue.last
    trade_at(venue, 120)
    told = trade_at(venue, 108)
    assert told[:2] == [f"triggered {trails} at 108", f"canceled {profit}: 5 LIST_DONE"]


def test_an_unreachable_trigger_never_fires_and_the_highest_price_does_no_harm() -> None:
    venue = Venue(funds=2**60, max_ticks=2**53)
    trade_at(venue, 2**53 - 1)
    trailing(venue, BUY, STOP_LOSS_LIMIT, 9999, price=1)
    assert trigger_of(venue) == 2**53
    assert venue.core.depth(BOOK, BUY, 1) == []
