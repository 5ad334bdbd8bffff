"""Stories of cancel and place in one command: which half failed, what became of the money, the place and the name."""
import pytest

from engine.core.codes import CommandKind, ReplaceHalf, ReplaceMode, SelfTrade
from tests.core.story import ALICE, BOB, BUY, CAROL, IOC, LIMIT_MAKER, MARKET, SELL, Venue, traded

STOP, ALLOW = ReplaceMode
CANCEL_HALF, PLACE_HALF = (CommandKind.REPLACE + half for half in ReplaceHalf)


@pytest.fixture(params=[BUY, SELL], ids=["buy", "sell"])
def side(request: pytest.FixtureRequest) -> int:
    """Every story is told for both sides: there must be no difference."""
    return int(request.param)


@pytest.mark.parametrize("mode", ReplaceMode)
def test_the_new_order_has_a_new_id_and_stands_last(side: int, mode: int) -> None:
    venue = Venue()
    venue.place(ALICE, side, 100, 5)
    old = venue.last
    venue.place(BOB, side, 100, 5)
    bob = venue.last
    story = venue.replace(ALICE, old, side, 100, 7, mode=mode)
    assert story == [f"canceled {old}: 5 REQUESTED", f"accepted {venue.last}"]
    new = venue.last
    story = venue.place(CAROL, 1 - side, 100, 6)
    assert story[1:] == [traded(5, 100, venue.last, 1, bob, 0), traded(1, 100, venue.last, 0, new, 6)]
    assert venue.cancel(ALICE, old) == ["rejected UNKNOWN_ORDER"]
    assert venue.cancel(ALICE, new) == [f"canceled {new}: 6 REQUESTED"]


def test_the_money_of_the_old_order_pays_for_the_new_one() -> None:
    venue = Venue(funds=1000)
    venue.buy(ALICE, 100, 10)
    old = venue.last
    assert venue.buy(ALICE, 100, 1) == ["rejected INSUFFICIENT_BALANCE"]
    assert venue.replace(ALICE, old, BUY, 200, 5) == [f"canceled {old}: 10 REQUESTED", f"accepted {venue.last}"]
    assert venue.money(ALICE)[1] == (0, 1000)


def test_a_refused_new_order_leaves_the_old_one_canceled() -> None:
    venue = Venue(funds=1000)
    venue.buy(ALICE, 100, 10)
    old = venue.last
    assert venue.replace(ALICE, old, BUY, 100, 11) == [f"canceled {old}: 10 REQUESTED", "rejected INSUFFICIENT_BALANCE"]
    assert (venue.events[1].flags, venue.events[1].order_id) == (PLACE_HALF, old)
    assert venue.money(ALICE)[1] == (1000, 0)
    assert venue.bids() == []


def test_stop_on_failure_places_nothing_when_there_is_nothing_to_cancel(side: int) -> None:
    venue = Venue()
    assert venue.replace(ALICE, 1, side, 100, 5, slot=1) == ["rejected UNKNOWN_ORDER"]
    assert venue.events[0].flags == CANCEL_HALF
    assert venue.bids() == venue.asks() == []


def test_allow_failure_places_all_the_same(side: int) -> None:
    venue = Venue()
    assert venue.replace(ALICE, 1, side, 100, 5, slot=1, mode=ALLOW) == [
        "rejected UNKNOWN_ORDER", f"accepted {venue.last}"]
    assert venue.events[0].flags == CANCEL_HALF
    assert venue.core.depth(1, side, 9) == [(100, 5)]


def test_both_halves_may_be_refused() -> None:
    venue = Venue()
    assert venue.replace(ALICE, 1, BUY, 0, 5, slot=1, mode=ALLOW) == ["rejected UNKNOWN_ORDER", "rejected PRICE_RANGE"]
    assert [event.flags for event in venue.events] == [CANCEL_HALF, PLACE_HALF]


def test_another_ones_order_is_unknown(side: int) -> None:
    venue = Venue()
    venue.place(ALICE, side, 100, 5)
    old = venue.last
    assert venue.replace(BOB, old, side, 100, 5) == ["rejected UNKNOWN_ORDER"]
    assert venue.core.depth(1, side, 9) == [(100, 5)]


def test_by_client_order_id_the_name_goes_on(side: int) -> None:
    venue = Venue()
    venue.place(ALICE, side, 100, 5, text=b"mine")
    old = venue.last
    assert venue.replace(ALICE, 0, side, 101, 5, text=b"mine") == [
        f"canceled {old}: 5 REQUESTED", f"accepted {venue.last}"]
    assert venue.core.find(ALICE, b"mine")[0] == venue.last


def test_by_id_the_new_order_has_its_own_name(side: int) -> None:
    venue = Venue()
    venue.place(ALICE, side, 100, 5, text=b"old")
    old = venue.last
    venue.place(ALICE, side, 100, 5, text=b"taken")
    assert venue.replace(ALICE, old, side, 100, 5, text=b"new")[1] == f"accepted {venue.last}"
    assert (venue.core.find(ALICE, b"old"), venue.core.find(ALICE, b"new")[0]) == ((0, 0), venue.last)
    assert venue.replace(ALICE, venue.last, side, 100, 5, text=b"taken")[1] == "rejected DUPLICATE_CLIENT_ID"


def test_a_new_order_that_crosses_trades_at_once(side: int) -> None:
    venue = Venue()
    venue.place(BOB, 1 - side, 100, 5)
    maker = venue.last
    venue.place(ALICE, side, 100 - 1 if side == BUY else 101, 8)
    old = venue.last
    story = venue.replace(ALICE, old, side, 100, 8)
    assert story == [f"canceled {old}: 8 REQUESTED", f"accepted {venue.last}",
                     traded(5, 100, venue.last, 3, maker, 0)]
    assert venue.core.depth(1, side, 9) == [(100, 3)]


def test_the_canceled_order_is_no_longer_there_to_meet(side: int) -> None:
    """Replacing across the spread: the old order of the other side neither trades nor is prevented."""
    venue = Venue()
    venue.place(ALICE, side, 100, 5)
    old = venue.last
    story = venue.replace(ALICE, old, 1 - side, 100, 5, stp=SelfTrade.EXPIRE_TAKER)
    assert story == [f"canceled {old}: 5 REQUESTED", f"accepted {venue.last}"]
    assert venue.core.depth(1, 1 - side, 9) == [(100, 5)]


def test_every_kind_of_order_may_be_the_new_one(side: int) -> None:
    venue = Venue()
    venue.place(BOB, 1 - side, 100, 2)
    for kind, tif, price, told in ((LIMIT_MAKER, 0, 100, "rejected WOULD_MATCH"), (MARKET, 0, 0, "accepted"),
                                   (0, IOC, 100, "accepted")):
        venue.place(ALICE, side, 50 if side == BUY else 150, 1)
        story = venue.replace(ALICE, venue.last, side, price, 1, kind=kind, tif=tif)
        assert story[0].startswith("canceled")
        assert story[1].startswith(told)
    assert venue.bids() == venue.asks() == []


def test_an_unknown_mode_changes_nothing(side: int) -> None:
    venue = Venue()
    venue.place(ALICE, side, 100, 5)
    assert venue.replace(ALICE, venue.last, side, 100, 5, mode=2) == ["rejected BAD_COMMAND"]
    assert venue.events[0].flags == CANCEL_HALF
    assert venue.core.depth(1, side, 9) == [(100, 5)]


def test_one_top_for_both_halves() -> None:
    venue = Venue(top_events=True)
    venue.buy(ALICE, 100, 5)
    story = venue.replace(ALICE, venue.last, BUY, 100, 7)
    assert story[2:] == ["top 7 @ 100 / 0 @ 0"]
    assert venue.replace(ALICE, venue.last, BUY, 100, 7)[2:] == []
