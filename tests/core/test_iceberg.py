"""Icebergs: what is shown, who trades before the next part, what is hidden from whom, and whose money is held."""
import numpy as np
import pytest

from engine.core.codes import AuctionStep, SelfTrade
from engine.records import ORDER
from tests.core.story import (
    ALICE,
    BOB,
    BOOK,
    BUY,
    CAROL,
    DAY,
    FOK,
    FUNDS,
    IOC,
    LIMIT_MAKER,
    MARKET,
    SELL,
    STOP_LOSS,
    STOP_LOSS_LIMIT,
    Venue,
    loaded,
    prevented,
    traded,
)


def with_iceberg(*, qty: int = 10, display: int = 3, price: int = 100, top_events: bool = False) -> Venue:
    """Alice sells 10 and shows 3; order 13 or so is hers."""
    venue = Venue(top_events=top_events)
    venue.sell(ALICE, price, qty, display_lots=display)
    return venue


def test_the_book_shows_a_part_and_the_owner_the_whole() -> None:
    venue = with_iceberg(top_events=True)
    accepted = venue.events[0]
    assert (accepted.qty_lots, accepted.left_lots) == (10, 3)
    assert venue.events[1].ask_lots == 3
    assert venue.asks() == [(100, 3)] and venue.core.level(BOOK, SELL, 100) == 3
    assert venue.money(ALICE)[0] == (FUNDS - 10, 10)
    record = np.frombuffer(venue.core.open_orders(ALICE), ORDER)[0]
    assert (record["qty_lots"], record["left_lots"], record["display_lots"]) == (10, 10, 3)


def test_the_next_part_comes_behind_all_others_at_the_price() -> None:
    venue = with_iceberg()
    iceberg = venue.last
    venue.sell(BOB, 100, 4)
    other = venue.last
    assert venue.buy(CAROL, 100, 3)[1:] == [traded(3, 100, venue.last, 0, iceberg, 7)]
    assert venue.asks() == [(100, 7)]
    assert venue.buy(CAROL, 100, 5)[1:] == [
        traded(4, 100, venue.last, 1, other, 0), traded(1, 100, venue.last, 0, iceberg, 6)]
    assert venue.asks() == [(100, 2)]


def test_a_part_that_is_not_eaten_up_keeps_its_place() -> None:
    venue = with_iceberg()
    iceberg = venue.last
    venue.sell(BOB, 100, 4)
    venue.buy(CAROL, 100, 2)
    assert venue.buy(CAROL, 100, 2)[1] == traded(1, 100, venue.last, 1, iceberg, 7)


def test_one_order_may_eat_it_whole_part_by_part() -> None:
    venue = with_iceberg()
    iceberg = venue.last
    assert venue.buy(CAROL, 101, 12)[1:] == [
        traded(part, 100, venue.last, 12 - eaten, iceberg, 10 - eaten)
        for part, eaten in ((3, 3), (3, 6), (3, 9), (1, 10))]
    assert (venue.asks(), venue.bids()) == ([], [(101, 2)])
    assert venue.money(ALICE) == ((FUNDS - 10, 0), (FUNDS + 1000, 0))


def test_what_it_takes_when_it_comes_is_not_hidden_and_the_rest_is() -> None:
    venue = Venue()
    venue.buy(BOB, 100, 4)
    assert venue.sell(ALICE, 100, 10, display_lots=3)[1] == traded(4, 100, venue.last, 6, venue.last - 1, 0)
    assert venue.asks() == [(100, 3)]
    assert venue.cancel(ALICE, venue.last) == [f"canceled {venue.last - 1}: 6 REQUESTED"]
    assert venue.money(ALICE)[0] == (FUNDS - 4, 0)


@pytest.mark.parametrize("order", [
    {"display_lots": 10}, {"display_lots": 11}, {"display_lots": -1}, {"display_lots": 3, "tif": IOC},
    {"display_lots": 3, "tif": DAY}, {"display_lots": 3, "kind": MARKET, "price": 0},
    {"display_lots": 3, "kind": STOP_LOSS, "price": 0, "trigger_ticks": 50}, {"display_lots": 1, "qty": 101}])
def test_icebergs_that_are_none(order: dict[str, int]) -> None:
    venue = Venue()
    assert venue.place(ALICE, SELL, order.pop("price", 100), order.pop("qty", 10), **order) == ["rejected BAD_ICEBERG"]
    assert venue.core.open_orders(ALICE) == b""


def test_reduce_takes_the_hidden_part_first_and_keeps_the_place() -> None:
    venue = with_iceberg()
    iceberg = venue.last
    venue.sell(BOB, 100, 1)
    assert venue.reduce(ALICE, iceberg, 4) == [f"reduced {iceberg} to 4, left 4"]
    assert venue.asks() == [(100, 4)] and venue.money(ALICE)[0] == (FUNDS - 4, 4)
    assert venue.reduce(ALICE, iceberg, 2) == [f"reduced {iceberg} to 2, left 2"]
    assert venue.asks() == [(100, 3)]
    assert venue.buy(CAROL, 100, 1)[1] == traded(1, 100, venue.last, 0, iceberg, 1)


def test_fill_or_kill_and_market_orders_count_what_is_hidden() -> None:
    venue = with_iceberg()
    assert venue.buy(CAROL, 100, 11, tif=FOK)[-1] == f"canceled {venue.last}: 11 FOK_UNFILLED"
    assert len(venue.buy(CAROL, 100, 10, tif=FOK)) == 5
    assert venue.asks() == []
    venue.sell(ALICE, 100, 10, display_lots=3)
    assert len(venue.buy(CAROL, 0, 8, kind=MARKET)) == 4
    assert venue.place(CAROL, BUY, 0, 0, kind=MARKET, amount=200)[1:] == [
        traded(1, 100, venue.last, 0, venue.last - 2, 1), traded(1, 100, venue.last, 0, venue.last - 2, 0)]


def test_self_trade_prevention_meets_all_it_has() -> None:
    venue = with_iceberg()
    iceberg = venue.last
    told = venue.buy(ALICE, 100, 5, stp=SelfTrade.DECREMENT)
    assert told[1:] == [prevented(5, 100, venue.last, 0, iceberg, 5), f"reduced {iceberg} to 5, left 5",
                        f"canceled {venue.last}: 5 STP"]
    assert venue.asks() == [(100, 3)]
    assert venue.buy(ALICE, 100, 5, stp=SelfTrade.EXPIRE_MAKER)[1:] == [
        prevented(5, 100, venue.last, 5, iceberg, 0), f"canceled {iceberg}: 5 STP"]


def test_an_uncross_counts_and_trades_what_is_hidden() -> None:
    venue = with_iceberg()
    venue.tell_venue("auction", BOOK, AuctionStep.START)
    venue.buy(BOB, 101, 8)
    assert venue.core.indicative(BOOK)[:2] == (100, 8)
    assert venue.asks() == [(100, 3)]
    told = venue.tell_venue("auction", BOOK, AuctionStep.UNCROSS)
    assert [line.split(":")[0] for line in told[2:]] == ["trade 3 @ 100", "trade 3 @ 100", "trade 2 @ 100"]
    assert (venue.asks(), venue.bids()) == ([(100, 1)], [])


def test_a_stop_that_becomes_an_iceberg() -> None:
    venue = Venue()
    venue.sell(BOB, 100, 1)
    venue.buy(CAROL, 100, 1)
    venue.place(ALICE, SELL, 95, 10, kind=STOP_LOSS_LIMIT, trigger_ticks=90, display_lots=4)
    stop = venue.last
    assert venue.asks() == []
    venue.buy(BOB, 90, 1)
    venue.sell(CAROL, 90, 1)
    assert venue.asks() == [(95, 4)]
    assert venue.buy(CAROL, 95, 5)[1] == traded(4, 95, venue.last, 1, stop, 6)


def test_a_replaced_order_may_be_an_iceberg_and_a_post_only_one_too() -> None:
    venue = with_iceberg()
    venue.replace(ALICE, venue.last, SELL, 105, 9, display_lots=2)
    assert venue.asks() == [(105, 2)]
    venue.sell(ALICE, 106, 9, kind=LIMIT_MAKER, display_lots=5)
    assert venue.asks() == [(105, 2), (106, 5)]


def test_a_snapshot_keeps_what_is_hidden() -> None:
    venue = with_iceberg()
    venue.buy(CAROL, 100, 4)
    copy = loaded(venue.core)
    assert copy.state_hash() == venue.core.state_hash() and copy.open_orders(ALICE) == venue.core.open_orders(ALICE)
    assert copy.depth(BOOK, SELL, 9) == [(100, 2)]
