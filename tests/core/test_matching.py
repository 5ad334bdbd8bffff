"""Stories of matching: price, then time; partial fills; what each order type does with what it cannot fill."""
import pytest

from tests.core.story import ALICE, BOB, BUY, CAROL, FOK, IOC, LIMIT_MAKER, MARKET, SELL, Venue, traded


def other(side: int) -> int:
    return 1 - side


def worse(side: int, price: int, by: int = 1) -> int:
    """A price less willing to trade."""
    return price - by if side == BUY else price + by


@pytest.fixture(params=[BUY, SELL], ids=["maker buys", "maker sells"])
def side(request: pytest.FixtureRequest) -> int:
    """Every story is told for both sides: there must be no difference."""
    return int(request.param)


def test_an_order_that_crosses_nothing_rests(side: int) -> None:
    venue = Venue()
    assert venue.place(ALICE, side, 100, 10) == [f"accepted {venue.last}"]
    assert venue.core.depth(1, side, 5) == [(100, 10)]
    assert venue.core.depth(1, other(side), 5) == []


def test_best_price_trades_first_at_the_makers_price(side: int) -> None:
    venue = Venue()
    venue.place(ALICE, side, worse(side, 100), 5)
    far = venue.last
    venue.place(BOB, side, 100, 5)
    near = venue.last
    story = venue.place(CAROL, other(side), worse(side, 100, 9), 8)
    taker = venue.last
    assert story == [f"accepted {taker}", traded(5, 100, taker, 3, near, 0),
                     traded(3, worse(side, 100), taker, 0, far, 2)]


def test_at_one_price_the_earliest_trades_first(side: int) -> None:
    venue = Venue()
    makers = []
    for account in (ALICE, BOB, CAROL):
        venue.place(account, side, 100, 4)
        makers.append(venue.last)
    story = venue.place(ALICE, other(side), 100, 9)
    taker = venue.last
    assert story[1:] == [traded(4, 100, taker, 5, makers[0], 0), traded(4, 100, taker, 1, makers[1], 0),
                         traded(1, 100, taker, 0, makers[2], 3)]


def test_a_partly_filled_maker_keeps_its_place(side: int) -> None:
    venue = Venue()
    venue.place(ALICE, side, 100, 10)
    first = venue.last
    venue.place(BOB, side, 100, 10)
    venue.place(CAROL, other(side), 100, 4)
    story = venue.place(CAROL, other(side), 100, 4)
    assert story[1:] == [traded(4, 100, venue.last, 0, first, 2)]


def test_what_a_limit_order_cannot_fill_rests_at_its_own_price(side: int) -> None:
    venue = Venue()
    venue.place(ALICE, side, 100, 4)
    maker = venue.last
    story = venue.place(BOB, other(side), 100, 10)
    assert story == [f"accepted {venue.last}", traded(4, 100, venue.last, 6, maker, 0)]
    assert venue.core.depth(1, other(side), 5) == [(100, 6)]
    assert venue.core.depth(1, side, 5) == []


def test_an_order_never_trades_beyond_its_limit(side: int) -> None:
    venue = Venue()
    for step in range(3):
        venue.place(ALICE, side, worse(side, 100, step), 1)
    story = venue.place(BOB, other(side), worse(side, 100), 10)
    assert [line.split(":")[0] for line in story[1:]] == ["trade 1 @ 100", f"trade 1 @ {worse(side, 100)}"]
    assert venue.core.depth(1, side, 5) == [(worse(side, 100, 2), 1)]


def test_ioc_never_rests(side: int) -> None:
    venue = Venue()
    venue.place(ALICE, side, 100, 4)
    maker = venue.last
    story = venue.place(BOB, other(side), 100, 10, tif=IOC)
    taker = venue.last
    assert story == [f"accepted {taker}", traded(4, 100, taker, 6, maker, 0), f"canceled {taker}: 6 IOC_REMAINDER"]
    assert venue.bids() == venue.asks() == []
    assert venue.core.order(taker, venue.slots[taker]) is None


def test_ioc_that_fills_completely_ends_with_its_last_trade(side: int) -> None:
    venue = Venue()
    venue.place(ALICE, side, 100, 4)
    maker = venue.last
    story = venue.place(BOB, other(side), 100, 4, tif=IOC)
    assert story == [f"accepted {venue.last}", traded(4, 100, venue.last, 0, maker, 0)]


def test_fok_fills_completely_or_not_at_all(side: int) -> None:
    venue = Venue()
    venue.place(ALICE, side, 100, 4)
    venue.place(ALICE, side, worse(side, 100), 4)
    venue.place(ALICE, side, worse(side, 100, 2), 4)
    story = venue.place(BOB, other(side), worse(side, 100), 9, tif=FOK)
    assert story == [f"accepted {venue.last}", f"canceled {venue.last}: 9 FOK_UNFILLED"]
    assert sum(qty for _, qty in venue.core.depth(1, side, 5)) == 12
    story = venue.place(BOB, other(side), worse(side, 100), 8, tif=FOK)
    assert [line.split(":")[0] for line in story] == [
        f"accepted {venue.last}", "trade 4 @ 100", f"trade 4 @ {worse(side, 100)}"]


def test_fok_against_an_empty_book(side: int) -> None:
    venue = Venue()
    story = venue.place(ALICE, side, 100, 1, tif=FOK)
    assert story == [f"accepted {venue.last}", f"canceled {venue.last}: 1 FOK_UNFILLED"]


def test_post_only_rests_or_is_refused_whole(side: int) -> None:
    venue = Venue()
    venue.place(ALICE, side, 100, 4)
    assert venue.place(BOB, other(side), 100, 9, kind=LIMIT_MAKER) == ["rejected WOULD_MATCH"]
    assert venue.core.depth(1, side, 5) == [(100, 4)]
    behind = 101 if side == BUY else 99
    assert venue.place(BOB, other(side), behind, 9, kind=LIMIT_MAKER) == [f"accepted {venue.last}"]
    assert venue.core.depth(1, other(side), 5) == [(behind, 9)]


def test_market_order_sweeps_and_cancels_what_is_missing(side: int) -> None:
    venue = Venue()
    venue.place(ALICE, side, 100, 4)
    maker = venue.last
    story = venue.place(BOB, other(side), 0, 10, kind=MARKET)
    taker = venue.last
    assert story == [f"accepted {taker}", traded(4, 100, taker, 6, maker, 0), f"canceled {taker}: 6 NO_LIQUIDITY"]


def test_market_order_against_an_empty_book(side: int) -> None:
    venue = Venue()
    story = venue.place(BOB, side, 0, 10, kind=MARKET)
    assert story == [f"accepted {venue.last}", f"canceled {venue.last}: 10 NO_LIQUIDITY"]


def test_market_buy_by_amount_spends_whole_lots_only() -> None:
    venue = Venue()
    venue.sell(ALICE, 100, 3)
    venue.sell(ALICE, 110, 9)
    story = venue.buy(BOB, 0, 0, kind=MARKET, amount=540)
    assert [line.split(":")[0] for line in story[1:]] == ["trade 3 @ 100", "trade 2 @ 110"]
    assert venue.money(BOB)[1] == (1_000_000 - 520, 0)
    assert [event.left_lots for event in venue.events[1:]] == [0, 0]


def test_market_sell_by_amount_receives_no_more_than_asked() -> None:
    venue = Venue()
    venue.buy(ALICE, 110, 3)
    venue.buy(ALICE, 100, 9)
    venue.sell(BOB, 0, 0, kind=MARKET, amount=599)
    assert venue.money(BOB) == ((1_000_000 - 5, 0), (1_000_000 + 530, 0))


def test_market_by_amount_reports_what_found_no_liquidity(side: int) -> None:
    venue = Venue()
    venue.place(ALICE, side, 100, 2)
    story = venue.place(BOB, other(side), 0, 0, kind=MARKET, amount=1000)
    assert story[-1] == f"canceled {venue.last}: 0 NO_LIQUIDITY"
    assert venue.events[-1].amount == 800


def test_market_by_amount_smaller_than_one_lot_ends_canceled(side: int) -> None:
    venue = Venue()
    venue.place(ALICE, side, 100, 2)
    story = venue.place(BOB, other(side), 0, 0, kind=MARKET, amount=99)
    assert story == [f"accepted {venue.last}", f"canceled {venue.last}: 0 NO_LIQUIDITY"]


def test_trade_and_fill_numbers_rise_by_one(side: int) -> None:
    venue = Venue()
    for _ in range(3):
        venue.place(ALICE, side, 100, 1)
    venue.place(BOB, other(side), 100, 3)
    assert [(event.trade_id, event.fill_id) for event in venue.events[1:]] == [(1, 1), (2, 2), (3, 3)]
    assert venue.core.last_trade_id(1) == 3


def test_no_event_ever_has_quantity_zero_in_a_trade(side: int) -> None:
    venue = Venue()
    venue.place(ALICE, side, 100, 5)
    venue.place(BOB, other(side), 100, 5)
    assert venue.place(BOB, other(side), 100, 5) == [f"accepted {venue.last}"]
    assert venue.place(CAROL, side, 100, 7)[1:] == [traded(5, 100, venue.last, 2, venue.last - 1, 0)]


def test_best_price_is_right_after_the_best_level_went(side: int) -> None:
    """A phantom best level would let the taker trade at a price that is gone, or stop it too early."""
    venue = Venue()
    for step in (0, 1, 70, 5000):
        venue.place(ALICE, side, worse(side, 10_000, step), 1)
    venue.cancel(ALICE, venue.last - 3)
    assert venue.core.depth(1, side, 1) == [(worse(side, 10_000), 1)]
    story = venue.place(BOB, other(side), 0, 3, kind=MARKET)
    assert [line.split(":")[0] for line in story[1:]] == [
        f"trade 1 @ {worse(side, 10_000, step)}" for step in (1, 70, 5000)]


def test_a_trader_may_trade_with_itself() -> None:
    venue = Venue()
    venue.sell(ALICE, 100, 10)
    assert venue.buy(ALICE, 100, 10)[1].startswith("trade 10 @ 100")
    assert venue.money(ALICE) == ((1_000_000, 0), (1_000_000, 0))


@pytest.mark.parametrize("price", [1, 63, 64, 65, 4095, 4096, 2**18, 2**30 - 1, 2**42, 2**53 - 1, 2**53])
def test_prices_may_be_anywhere(side: int, price: int) -> None:
    venue = Venue(funds=2**60)
    venue.place(ALICE, side, price, 3)
    maker = venue.last
    assert venue.core.level(1, side, price) == 3
    story = venue.place(BOB, other(side), price, 3)
    assert story[1:] == [traded(3, price, venue.last, 0, maker, 0)]
    assert venue.bids() == venue.asks() == []


def test_levels_over_the_whole_range_are_walked_in_order(side: int) -> None:
    venue = Venue(funds=2**60)
    prices = sorted({2**power + step for power in range(1, 53) for step in (-1, 0, 1)})
    for price in prices:
        venue.place(ALICE, side, price, 1)
    expected = prices if side == SELL else prices[::-1]
    assert [price for price, _ in venue.core.depth(1, side, 1000)] == expected
    for order_id in range(venue.last - len(prices) + 1, venue.last + 1, 2):
        venue.cancel(ALICE, order_id)
    assert [price for price, _ in venue.core.depth(1, side, 1000)] == [
        price for price in expected if prices.index(price) % 2]
