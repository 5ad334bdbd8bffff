"""Auctions: what is taken, at which price all trade, whose money goes where, and what follows."""
import pytest

from engine.core.codes import FEE_ACCOUNT, AuctionStep
from tests.core.story import (
    ALICE,
    BOB,
    BOOK,
    BUY,
    CAROL,
    DAY,
    FOK,
    IOC,
    LIMIT_MAKER,
    MARKET,
    SELL,
    Venue,
    traded,
)

AUCTION, CLOSED, HALT = 3, 4, 2


def collect(*orders: tuple[int, int, int], reference: int = 0, **terms: int) -> Venue:
    """A venue in an auction with these (side, price, lots), buys by Alice, sells by Bob."""
    venue = Venue(**terms)
    if reference:
        venue.sell(CAROL, reference, 1)
        venue.buy(CAROL, reference, 1)
    venue.tell_venue("auction", BOOK, AuctionStep.START)
    for side, price, lots in orders:
        assert venue.place(BOB if side else ALICE, side, price, lots) == [f"accepted {venue.last}"]
    return venue


def uncross(venue: Venue, **values: int) -> list[str]:
    return venue.tell_venue("auction", BOOK, AuctionStep.UNCROSS, **values)


def test_orders_rest_crossed_until_the_uncross_trades_them_at_one_price():
    venue = collect((BUY, 105, 5), (SELL, 95, 3), (SELL, 100, 4), (BUY, 101, 1))
    assert venue.bids()[0] == (105, 5) and venue.asks()[0] == (95, 3)
    assert venue.core.indicative(BOOK) == (100, 6, 1, SELL)
    first = venue.last - 3
    assert uncross(venue) == [
        "configured", "uncrossed 6 @ 100, 1 sell over", traded(3, 100, first + 1, 0, first, 2),
        traded(2, 100, first + 2, 2, first, 0), traded(1, 100, first + 3, 0, first + 2, 1)]
    assert (venue.bids(), venue.asks()) == ([], [(100, 1)])
    assert venue.buy(CAROL, 100, 1)[1] == traded(1, 100, venue.last, 0, first + 2, 0)


@pytest.mark.parametrize(("orders", "reference", "price"), [
    ([(BUY, 100, 5), (SELL, 90, 5)], 0, 95),                                # all prices equal: the middle
    ([(BUY, 100, 5), (SELL, 91, 5)], 0, 95),                                # rounded down
    ([(BUY, 100, 5), (SELL, 90, 5)], 98, 98),                               # the reference among them
    ([(BUY, 100, 5), (SELL, 90, 5)], 120, 100),                             # the nearest to it
    ([(BUY, 100, 5), (SELL, 90, 5)], 80, 90),
    ([(BUY, 100, 9), (SELL, 90, 5)], 92, 100),                              # equal volume, less left over... at any: 4
    ([(BUY, 100, 5), (BUY, 95, 5), (SELL, 90, 5)], 90, 96),                 # least left over above 95
    ([(BUY, 100, 5), (SELL, 90, 5), (SELL, 95, 5)], 100, 94),
    ([(BUY, 100, 5), (BUY, 95, 2), (SELL, 90, 5), (SELL, 96, 3)], 120, 95),  # 2 over at 95, 3 over at 96
    ([(BUY, 100, 5), (BUY, 95, 3), (SELL, 90, 5), (SELL, 96, 3)], 120, 100),
    ([(BUY, 100, 5), (BUY, 95, 3), (SELL, 90, 5), (SELL, 96, 3)], 80, 90)])
def test_the_price_is_of_most_volume_then_least_left_over_then_nearest_the_reference(orders, reference, price):
    venue = collect(*orders)
    told = uncross(venue, reference_ticks=reference)[1]
    expected = venue.events[1].price_ticks
    everything = {at: (min(b, s), -abs(b - s), -abs(at - (reference or at))) for at in range(70, 130)
                  for b in [sum(lots for side, limit, lots in orders if side == BUY and limit >= at)]
                  for s in [sum(lots for side, limit, lots in orders if side == SELL and limit <= at)]}
    assert everything[expected] == max(everything.values()), told
    if reference == 0:
        assert expected == price


def test_the_last_trade_is_the_reference_unless_the_command_names_one():
    venue = collect((BUY, 100, 5), (SELL, 90, 5), reference=93)
    assert venue.core.indicative(BOOK)[0] == 93
    assert uncross(venue, reference_ticks=97)[1] == "uncrossed 5 @ 97"


def test_money_and_fees_are_exact_and_what_a_limit_was_above_the_price_comes_back():
    venue = collect((BUY, 200, 1000), (SELL, 100, 1000), maker_fee_ppm=1000, taker_fee_ppm=2000)
    uncross(venue, reference_ticks=150)
    assert venue.money(ALICE) == ((1_001_000 - 1, 0), (850_000, 0))             # the older one: maker
    assert venue.money(BOB) == ((999_000, 0), (1_150_000 - 300, 0))             # the younger one: taker
    assert venue.money(FEE_ACCOUNT) == ((1, 0), (300, 0))


def test_a_tier_and_its_rebate_hold_in_an_uncross():
    venue = collect((BUY, 200, 1000), (SELL, 100, 1000))
    venue.tell_venue("fees", BOOK, 0, maker_fee_ppm=-1000)
    venue.tell_venue("credit", FEE_ACCOUNT, 1, 5)
    uncross(venue, reference_ticks=150)
    assert venue.money(ALICE)[0] == (1_001_001, 0) and venue.money(FEE_ACCOUNT)[0] == (4, 0)


@pytest.mark.parametrize("order", [
    {"kind": MARKET, "price": 0}, {"tif": IOC}, {"tif": FOK}, {"kind": LIMIT_MAKER}])
def test_only_limit_orders_that_may_rest_are_collected(order):
    venue = collect()
    assert venue.place(**{"account": ALICE, "side": BUY, "price": 10, "qty": 1, **order}) == ["rejected AUCTION_ONLY"]


def test_collected_orders_can_be_canceled_reduced_and_replaced():
    venue = collect((BUY, 105, 5), (SELL, 95, 5))
    buy, sell = venue.last - 1, venue.last
    assert venue.reduce(ALICE, buy, 2) == [f"reduced {buy} to 2, left 2"]
    assert venue.replace(BOB, sell, SELL, 96, 3) == [f"canceled {sell}: 5 REQUESTED", f"accepted {venue.last}"]
    assert venue.cancel(ALICE, buy) == [f"canceled {buy}: 2 REQUESTED"]
    assert uncross(venue) == ["configured", "uncrossed 0 @ 0"]
    assert venue.money(ALICE) == ((1_000_000, 0), (1_000_000, 0))


def test_indications_are_told_where_tops_are():
    venue = Venue(top_events=True)
    assert venue.tell_venue("auction", BOOK, AuctionStep.START)[1] == "started 0 @ 0"
    venue.buy(ALICE, 105, 5)
    assert venue.sell(BOB, 95, 3)[-1] == "indicated 3 @ 100, 2 buy over"
    assert venue.cancel(BOB, venue.last)[-1] == "indicated 0 @ 0"
    venue.sell(BOB, 95, 3)
    assert [line for line in uncross(venue) if "@" in line][:3] == [
        "uncrossed 3 @ 100, 2 buy over", "touched 0 @ 105", "touched 0 @ 95"]


def test_an_auction_may_end_in_another_state():
    venue = collect((BUY, 105, 5), (SELL, 95, 5))
    uncross(venue, status=HALT)
    assert venue.buy(ALICE, 10, 1) == ["rejected MARKET_CLOSED"]
    assert venue.tell_venue("auction", BOOK, AuctionStep.START)[0] == "configured"


def test_a_closing_instrument_ends_its_day_orders():
    venue = Venue()
    venue.buy(ALICE, 10, 5, tif=DAY)
    day = venue.last
    venue.buy(ALICE, 10, 5)
    assert venue.configure(status=CLOSED) == ["configured", f"canceled {day}: 5 EXPIRED"]
    assert venue.buy(ALICE, 10, 1) == ["rejected MARKET_CLOSED"]
    assert len(venue.cancel_all(ALICE)) == 1


def test_a_crossed_book_leaves_its_auction_by_an_uncross_only():
    venue = collect((BUY, 105, 5), (SELL, 95, 5))
    assert venue.configure(status=0) == ["rejected CONFLICT"]
    assert venue.configure(status=AUCTION, taker_fee_ppm=7) == ["configured"]
    venue.cancel_all(ALICE)
    assert venue.configure(status=0) == ["configured"]


@pytest.mark.parametrize(("values", "code"), [
    ((9, 0), "UNKNOWN_INSTRUMENT"), ((BOOK, 1), "CONFLICT"), ((BOOK, 2), "BAD_COMMAND")])
def test_auctions_that_make_no_sense(values, code):
    assert Venue().tell_venue("auction", *values) == [f"rejected {code}"]


def test_a_second_start_and_a_nonsense_end():
    venue = collect()
    assert venue.tell_venue("auction", BOOK, AuctionStep.START) == ["rejected CONFLICT"]
    for values in ({"status": AUCTION}, {"status": 5}, {"reference_ticks": -1}):
        assert uncross(venue, **values) == ["rejected BAD_COMMAND"]


def test_self_trade_prevention_does_not_hold_in_an_uncross():
    venue = collect((BUY, 105, 5))
    venue.sell(ALICE, 95, 5, stp=1)
    assert uncross(venue)[1] == "uncrossed 5 @ 100"
    assert venue.money(ALICE) == ((1_000_000, 0), (1_000_000, 0))
