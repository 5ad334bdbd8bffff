"""How far from the best price a market order trades."""
import pytest

from tests.core.story import ALICE, BOB, BOOK, BUY, IOC, MARKET, SELL, Venue


def ladder(venue: Venue, side: int) -> None:
    """Three lots each 0, 10 and 11 ticks away from 1000."""
    for away in (0, 10, 11):
        venue.place(ALICE, side, 1000 + (away if side == SELL else -away), 3)


@pytest.mark.parametrize("side", [BUY, SELL])
def test_a_market_order_stops_at_the_limit_and_says_why(side):
    venue = Venue()
    venue.tell_venue("protection", BOOK, slippage_ppm=10_000)
    ladder(venue, 1 - side)
    story = venue.place(BOB, side, 0, 9, kind=MARKET, tif=IOC)
    assert story[-1] == f"canceled {venue.last}: 3 SLIPPAGE" and len(story) == 4
    assert venue.money(BOB)[0][1] == venue.money(BOB)[1][1] == 0


def test_an_empty_book_is_still_no_liquidity():
    venue = Venue()
    venue.tell_venue("protection", BOOK, slippage_ppm=10_000)
    assert venue.buy(BOB, 0, 9, kind=MARKET)[-1] == f"canceled {venue.last}: 9 NO_LIQUIDITY"
    venue.sell(ALICE, 1000, 3)
    assert venue.buy(BOB, 0, 9, kind=MARKET)[-1] == f"canceled {venue.last}: 6 NO_LIQUIDITY"


def test_by_amount_the_rest_of_the_amount_comes_back():
    venue = Venue()
    venue.tell_venue("protection", BOOK, slippage_ppm=10_000)
    ladder(venue, SELL)
    assert venue.buy(BOB, 0, 0, kind=MARKET, amount=9000)[-1] == f"canceled {venue.last}: 0 SLIPPAGE"
    assert venue.events[-1].amount == 9000 - 3000 - 3030
    assert venue.money(BOB)[1] == (1_000_000 - 6030, 0)


def test_the_tighter_of_band_and_slippage_holds():
    venue = Venue()
    venue.tell_venue("protection", BOOK, slippage_ppm=500_000)
    venue.tell_venue("limits", BOOK, reference_ticks=1000, band_up_ppm=10_000)
    for price in (1000, 1010):
        venue.sell(ALICE, price, 3)
    assert venue.buy(BOB, 0, 9, kind=MARKET)[-1] == f"canceled {venue.last}: 3 NO_LIQUIDITY"


def test_a_limit_order_is_not_concerned():
    venue = Venue()
    venue.tell_venue("protection", BOOK, slippage_ppm=1)
    ladder(venue, SELL)
    assert len(venue.buy(BOB, 2000, 9)) == 4


@pytest.mark.parametrize(("values", "code"), [
    ({"slippage_ppm": 1_000_001}, "BAD_COMMAND"), ({"day_end_s": 86_400}, "BAD_COMMAND")])
def test_protections_that_make_no_sense(values, code):
    assert Venue().tell_venue("protection", BOOK, **values) == [f"rejected {code}"]
    assert Venue().tell_venue("protection", 9) == ["rejected UNKNOWN_INSTRUMENT"]
