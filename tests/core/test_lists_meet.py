"""Order lists where they meet auctions and limits."""
from engine.core.codes import AuctionStep
from tests.core.story import (
    ALICE,
    BOB,
    BOOK,
    BUY,
    CAROL,
    LIMIT,
    LIMIT_MAKER,
    SELL,
    STOP_LOSS,
    STOP_LOSS_LIMIT,
    TAKE_PROFIT_LIMIT,
    traded,
    venue_at,
)
from tests.core.test_lists import OCO, OTOCO, leg, place_list

AUCTION = 3


def test_in_an_auction_a_pair_of_stop_limits_waits_and_one_with_another_leg_is_refused() -> None:
    venue = venue_at(100)
    venue.tell_venue("auction", BOOK, AuctionStep.START)
    stop = leg(SELL, STOP_LOSS_LIMIT, price=95, trigger=95)
    assert place_list(venue, OCO, stop, leg(SELL, LIMIT_MAKER, price=105)) == ["rejected AUCTION_ONLY"]
    profit = leg(SELL, TAKE_PROFIT_LIMIT, price=105, trigger=105)
    assert place_list(venue, OCO, leg(SELL, STOP_LOSS, trigger=95), profit) == ["rejected AUCTION_ONLY"]
    first = venue.last + 1
    assert place_list(venue, OCO, stop, profit)[-1] == f"list {first}: 2 of 2, 1"
    assert venue.money(ALICE)[0][1] == 5


def test_a_leg_filled_by_an_uncross_places_its_pair_in_the_state_that_follows() -> None:
    venue = venue_at(100)
    venue.tell_venue("auction", BOOK, AuctionStep.START)
    place_list(venue, OTOCO, leg(BUY, LIMIT, price=100), leg(SELL, LIMIT_MAKER, price=105),
               leg(SELL, STOP_LOSS_LIMIT, price=95, trigger=95))
    working, profit, stop = venue.last - 2, venue.last - 1, venue.last
    venue.sell(BOB, 100, 5)
    told = venue.tell_venue("auction", BOOK, AuctionStep.UNCROSS)
    assert told == ["configured", "uncrossed 5 @ 100", traded(5, 100, venue.last - 1, 0, working, 0),
                    f"triggered {profit} at 0"]
    assert venue.asks() == [(105, 5)]
    assert venue.buy(CAROL, 105, 1)[1:] == [
        traded(1, 105, venue.last, 0, profit, 4), f"canceled {stop}: 5 LIST_DONE"]


def test_a_leg_that_trades_in_an_uncross_ends_the_other() -> None:
    venue = venue_at(100)
    place_list(venue, OCO, leg(SELL, LIMIT_MAKER, price=105), leg(SELL, STOP_LOSS, trigger=95))
    profit, stop = venue.last - 1, venue.last
    venue.tell_venue("auction", BOOK, AuctionStep.START)
    venue.buy(BOB, 106, 2)
    assert venue.tell_venue("auction", BOOK, AuctionStep.UNCROSS)[2:] == [
        traded(2, 105, venue.last - 1, 0, profit, 3), f"canceled {stop}: 5 LIST_DONE"]


def test_a_list_refused_for_two_reasons_says_the_one_about_all_its_legs() -> None:
    venue = venue_at(100)
    venue.tell_venue("protection", BOOK, stops_max=1)
    venue.tell_venue("limits", BOOK, band_up_ppm=10_000, band_down_ppm=10_000)
    venue.sell(ALICE, 0, 1, kind=STOP_LOSS, trigger_ticks=90)
    assert place_list(venue, OCO, leg(SELL, LIMIT_MAKER, price=150), leg(SELL, STOP_LOSS, trigger=95)) == [
        "rejected TOO_MANY_STOPS"]
    assert venue.events[-1].order_id == 0
