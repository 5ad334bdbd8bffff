"""Fee schedules: who pays what in which tier, and what becomes of a rebate that the fee account cannot pay."""
import pytest

from engine.core.codes import FEE_ACCOUNT
from tests.core.story import ALICE, BASE, BOB, BOOK, CAROL, QUOTE, Venue


def fees(venue: Venue) -> list[tuple[int, int]]:
    return [(event.taker_fee, event.maker_fee) for event in venue.events if event.trade_id]


def test_a_tier_pays_its_own_fees_and_others_the_instruments():
    venue = Venue(maker_fee_ppm=1000, taker_fee_ppm=2000)
    assert venue.tell_venue("fees", BOOK, 3, maker_fee_ppm=100, taker_fee_ppm=500) == ["configured"]
    assert venue.tell_venue("account_tier", BOB, 3) == ["configured"]
    venue.sell(ALICE, 10, 8000)
    venue.buy(BOB, 10, 4000)
    assert fees(venue) == [(2, 40)]             # Bob takes in tier 3, Alice makes as everybody
    venue.buy(CAROL, 10, 4000)
    assert fees(venue) == [(8, 40)]
    venue.sell(BOB, 11, 5000)
    venue.buy(CAROL, 11, 5000)
    assert fees(venue)[-1] == (10, 5)           # Bob makes in tier 3: 55,000 quote at 100 ppm


def test_a_tier_without_a_schedule_follows_tier_0_and_then_the_instrument():
    venue = Venue(maker_fee_ppm=1, taker_fee_ppm=2)
    venue.tell_venue("fees", BOOK, 5, maker_fee_ppm=50, taker_fee_ppm=60)
    assert [venue.core.fees(BOOK, tier) for tier in (0, 4, 5)] == [(1, 2), (1, 2), (50, 60)]
    venue.configure(maker_fee_ppm=3, taker_fee_ppm=4)
    assert [venue.core.fees(BOOK, tier) for tier in (0, 4, 5)] == [(3, 4), (3, 4), (50, 60)]
    venue.tell_venue("fees", BOOK, 0, maker_fee_ppm=7, taker_fee_ppm=8)
    assert [venue.core.fees(BOOK, tier) for tier in (0, 4, 5)] == [(7, 8), (7, 8), (50, 60)]
    venue.tell_venue("fees", BOOK, 5, clear=True)
    venue.tell_venue("fees", BOOK, 0, clear=True)
    assert [venue.core.fees(BOOK, tier) for tier in (0, 4, 5)] == [(3, 4)] * 3


def test_a_rebate_is_paid_by_the_fee_account_at_once():
    venue = Venue(taker_fee_ppm=10_000)
    venue.tell_venue("fees", BOOK, 0, maker_fee_ppm=-5000, taker_fee_ppm=10_000)
    venue.tell_venue("credit", FEE_ACCOUNT, QUOTE, 1000)
    venue.sell(ALICE, 10, 1000)
    before = venue.money(ALICE)[1][0]
    venue.buy(BOB, 10, 1000)
    assert fees(venue) == [(10, -50)]
    assert venue.money(ALICE)[1][0] == before + 10_050
    assert venue.money(FEE_ACCOUNT) == ((10, 0), (950, 0))


def test_the_fee_account_pays_what_it_has_and_owes_nothing():
    venue = Venue()
    venue.tell_venue("fees", BOOK, 0, maker_fee_ppm=-5000, taker_fee_ppm=0)
    venue.tell_venue("credit", FEE_ACCOUNT, QUOTE, 30)
    venue.sell(ALICE, 10, 3000)
    venue.buy(BOB, 10, 1000)
    venue.buy(BOB, 10, 1000)
    assert fees(venue) == [(0, 0)]
    assert venue.money(FEE_ACCOUNT)[1] == (0, 0)
    venue.tell_venue("credit", FEE_ACCOUNT, QUOTE, 100)
    venue.buy(BOB, 10, 1000)
    assert fees(venue) == [(0, -50)]


def test_a_taker_may_have_a_rebate_too_and_a_sell_gets_it_in_quote():
    venue = Venue()
    venue.tell_venue("fees", BOOK, 0, maker_fee_ppm=10_000, taker_fee_ppm=-1000)
    venue.tell_venue("credit", FEE_ACCOUNT, QUOTE, 100)
    venue.buy(ALICE, 10, 2000)
    venue.sell(BOB, 10, 2000)
    assert fees(venue) == [(-20, 20)]
    assert venue.core.balance(FEE_ACCOUNT, BASE) == (20, 0)


@pytest.mark.parametrize(("values", "code"), [
    ({"instrument": BOOK, "tier": 16}, "BAD_COMMAND"), ({"instrument": 9, "tier": 0}, "UNKNOWN_INSTRUMENT"),
    ({"instrument": BOOK, "tier": 0, "maker_fee_ppm": -1_000_001}, "BAD_COMMAND"),
    ({"instrument": BOOK, "tier": 0, "taker_fee_ppm": 1_000_001}, "BAD_COMMAND")])
def test_schedules_that_make_no_sense(values, code):
    assert Venue().tell_venue("fees", **values) == [f"rejected {code}"]


def test_tiers_that_make_no_sense():
    venue = Venue()
    assert venue.tell_venue("account_tier", ALICE, 16) == ["rejected BAD_COMMAND"]
    assert venue.tell_venue("account_tier", 99, 1) == ["rejected UNKNOWN_ACCOUNT"]


def test_schedules_and_tiers_are_part_of_the_state():
    one, two = Venue(), Venue()
    assert one.core.state_hash() == two.core.state_hash()
    one.tell_venue("fees", BOOK, 1, maker_fee_ppm=-5)
    two.tell_venue("fees", BOOK, 1, maker_fee_ppm=-6)
    assert one.core.state_hash() != two.core.state_hash()
    two.tell_venue("fees", BOOK, 1, maker_fee_ppm=-5)
    one.tell_venue("account_tier", ALICE, 1)
    assert (one.core.tier(ALICE), two.core.tier(ALICE)) == (1, 0)
    assert one.core.state_hash() != two.core.state_hash()
