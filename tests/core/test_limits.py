"""Stories of an instrument's limits: price band, maximum notional, open orders; off until they are set."""
import pytest

from engine.core.batch import Batch
from engine.core.codes import MAX_TICKS, CommandKind, SelfTrade
from tests.core.story import ALICE, BOB, BUY, CAROL, FOK, IOC, LIMIT_MAKER, MARKET, SELL, Venue, traded


def limited(book: int = 1, **limits: int) -> Venue:
    venue = Venue()
    assert limit(venue, book, **limits) == ["configured"]
    return venue


def limit(venue: Venue, book: int = 1, **limits: int) -> list[str]:
    batch = Batch()
    batch.limits(book, **limits)
    return venue.apply(batch)


def test_a_band_lies_around_the_reference_price_until_something_trades() -> None:
    venue = limited(reference_ticks=1000, band_up_ppm=100_000, band_down_ppm=50_000)
    for side in (BUY, SELL):
        for price, fine in ((949, False), (950, True), (1100, True), (1101, False)):
            story = venue.place(ALICE, side, price, 1)
            assert (story == ["rejected PRICE_BAND"]) != fine
            venue.cancel_all(ALICE)


def test_the_band_follows_the_last_trade() -> None:
    venue = limited(reference_ticks=1000, band_up_ppm=100_000)
    venue.sell(ALICE, 1100, 1)
    venue.buy(BOB, 1100, 1)
    assert venue.core.last_price(1) == 1100
    assert venue.buy(BOB, 1211, 1) == ["rejected PRICE_BAND"]
    assert venue.buy(BOB, 1210, 1) == [f"accepted {venue.last}"]


def test_without_a_reference_or_with_0_there_is_no_band() -> None:
    venue = limited(band_up_ppm=1, band_down_ppm=1)
    assert venue.sell(ALICE, MAX_TICKS, 1) == [f"accepted {venue.last}"]
    assert limit(venue, reference_ticks=1000, band_up_ppm=1) == ["configured"]
    assert venue.buy(ALICE, 1, 1) == [f"accepted {venue.last}"]
    assert venue.buy(ALICE, 1001, 1) == ["rejected PRICE_BAND"]
    assert limit(venue) == ["configured"]
    assert venue.core.limits(1) == (0, 0, 0, 0, 0)
    assert venue.buy(ALICE, 1001, 1) == [f"accepted {venue.last}"]


@pytest.mark.parametrize("mode", SelfTrade)
@pytest.mark.parametrize("amount", [0, 5000])
def test_a_market_order_trades_up_to_the_end_of_the_band(mode: int, amount: int) -> None:
    venue = Venue()
    makers = []
    for price in (100, 101, 103):
        venue.sell(ALICE, price, 2)
        makers.append(venue.last)
    limit(venue, reference_ticks=100, band_up_ppm=20_000)
    story = venue.buy(BOB, 0, 0 if amount else 6, kind=MARKET, amount=amount, stp=mode)
    left = (0, 0) if amount else (4, 2)
    assert story[1:] == [
        traded(2, 100, venue.last, left[0], makers[0], 0), traded(2, 101, venue.last, left[1], makers[1], 0),
        f"canceled {venue.last}: {left[1]} NO_LIQUIDITY"]
    assert venue.events[-1].amount == (amount - 402 if amount else 0)
    assert venue.asks() == [(103, 2)]
    assert venue.money(BOB)[1] == (1_000_000 - 402, 0)


def test_a_market_sell_stops_at_the_lower_end() -> None:
    venue = Venue()
    venue.buy(ALICE, 100, 2)
    venue.buy(ALICE, 97, 2)
    limit(venue, reference_ticks=100, band_down_ppm=20_000)
    assert venue.sell(BOB, 0, 3, kind=MARKET)[-1] == f"canceled {venue.last}: 1 NO_LIQUIDITY"
    assert venue.bids() == [(97, 2)]


def test_maximum_notional() -> None:
    venue = limited(max_notional=1000)
    assert venue.buy(ALICE, 100, 11) == ["rejected MAX_NOTIONAL"]
    assert venue.buy(ALICE, 100, 10) == [f"accepted {venue.last}"]
    assert venue.sell(BOB, 0, 0, kind=MARKET, amount=1001) == ["rejected MAX_NOTIONAL"]
    assert venue.sell(BOB, 0, 11, kind=MARKET)[1:] != []  # no price yet to say what 11 lots are worth
    assert venue.sell(BOB, 0, 11, kind=MARKET) == ["rejected MAX_NOTIONAL"]


def test_open_orders_of_one_account_in_one_instrument() -> None:
    venue = limited(orders_max=2)
    venue.buy(ALICE, 90, 1)
    venue.buy(ALICE, 91, 1)
    for kind in (0, LIMIT_MAKER):
        assert venue.buy(ALICE, 92, 1, kind=kind) == ["rejected TOO_MANY_ORDERS"]
    for tif in (IOC, FOK):
        assert venue.buy(ALICE, 92, 1, tif=tif)[0] == f"accepted {venue.last}"
    assert venue.buy(BOB, 92, 1) == [f"accepted {venue.last}"]
    venue.sell(CAROL, 91, 2)
    assert venue.buy(ALICE, 90, 1) == [f"accepted {venue.last}"]


@pytest.mark.parametrize(("book", "limits", "refusal"), [
    (9, {}, "UNKNOWN_INSTRUMENT"), (0, {}, "UNKNOWN_INSTRUMENT"), (1, {"max_notional": -1}, "BAD_COMMAND"),
    (1, {"reference_ticks": -1}, "BAD_COMMAND"), (1, {"reference_ticks": MAX_TICKS + 1}, "BAD_COMMAND"),
    (1, {"band_up_ppm": 100_000_001}, "BAD_COMMAND"), (1, {"band_down_ppm": 1_000_001}, "BAD_COMMAND")])
def test_bad_limits(book: int, limits: dict[str, int], refusal: str) -> None:
    venue = limited(orders_max=5)
    assert limit(venue, book, **limits) == [f"rejected {refusal}"]
    assert venue.core.limits(1) == (0, 0, 0, 0, 5)


def test_limits_survive_a_change_of_the_instrument_and_are_part_of_the_state() -> None:
    venue = limited(orders_max=1)
    assert venue.events[0].flags == CommandKind.INSTRUMENT_LIMITS
    assert venue.configure(min_lots=1) == ["configured"]
    venue.buy(ALICE, 90, 1)
    assert venue.buy(ALICE, 90, 1) == ["rejected TOO_MANY_ORDERS"]
    hashes = set()
    for number in range(3):
        limit(venue, reference_ticks=number, orders_max=1)
        hashes.add(venue.core.state_hash())
    assert len(hashes) == 3
    assert limited(band_up_ppm=1).core.state_hash() != limited(band_down_ppm=1).core.state_hash()


def test_the_end_of_a_band_may_lie_beyond_every_price() -> None:
    venue = limited(reference_ticks=MAX_TICKS, band_up_ppm=100_000_000, band_down_ppm=1_000_000)
    venue.sell(ALICE, MAX_TICKS, 1)
    assert venue.buy(BOB, 0, 1, kind=MARKET) == ["rejected INSUFFICIENT_BALANCE"]
    assert venue.buy(BOB, 1, 1) == [f"accepted {venue.last}"]
