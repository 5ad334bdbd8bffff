"""Client order ids that place one order only: what a client that lost a reply may send again, and for how long."""
import pytest

from engine.core.codes import ListType, ReplaceMode
from tests.core.story import (
    ALICE,
    BOB,
    BUY,
    FOK,
    FUNDS,
    GTD,
    IOC,
    LIMIT_MAKER,
    MARKET,
    SELL,
    STOP_LOSS,
    Clock,
    Venue,
    loaded,
    traded,
)
from tests.core.test_lists import leg, place_list


def remembering(count: int | None = None) -> Venue:
    venue = Venue()
    if count is not None:
        assert venue.tell_venue("remember", count) == ["configured"]
    assert venue.core.remembered_max == (100_000 if count is None else count)
    return venue


def send(venue: Venue, qty: int = 5, *, price: int = 100, text: bytes = b"mine", **more: int) -> list[str]:
    """Alice sells."""
    return venue.sell(ALICE, price, qty, text=text, once=True, **more)


def test_an_order_sent_again_is_refused_and_named_whether_it_is_open_or_filled() -> None:
    venue = remembering()
    send(venue)
    order = venue.last
    assert send(venue) == ["rejected REPEATED"] and venue.events[0].order_id == order
    venue.buy(BOB, 100, 5)
    assert venue.core.find(ALICE, b"mine") == (0, 0)
    assert send(venue) == ["rejected REPEATED"] and venue.events[0].order_id == order
    assert venue.money(ALICE) == ((FUNDS - 5, 0), (FUNDS + 500, 0)), "it has traded once"
    assert venue.core.remembered(ALICE, b"mine") == order


@pytest.mark.parametrize("ended", ["canceled", "expired", "killed at once", "ioc"])
def test_however_it_ended(ended: str) -> None:
    venue = Clock()
    venue.tell_venue("remember", 9)
    terms: dict[str, int] = {"expired": {"tif": GTD, "expires_ns": 50}, "killed at once": {"tif": FOK},
                             "ioc": {"tif": IOC}}.get(ended, {})
    assert send(venue, **terms)[0] == f"accepted {venue.last}"
    order = venue.last
    if ended == "canceled":
        venue.cancel(ALICE, text=b"mine")
    if ended == "expired":
        assert venue.at(50).tell_venue("tick") == [f"canceled {order}: 5 EXPIRED"]
    assert venue.core.open_count == 0
    assert send(venue, **terms) == ["rejected REPEATED"] and venue.events[0].order_id == order


@pytest.mark.parametrize("other", [{"qty": 6}, {"price": 101}, {"tif": IOC}, {"kind": LIMIT_MAKER}, {"stp": 1},
                                   {"display_lots": 2}])
def test_another_order_under_the_id_is_refused_as_such(other: dict[str, int]) -> None:
    venue = remembering()
    send(venue)
    order = venue.last
    assert send(venue, **other) == ["rejected CLIENT_ID_REUSED"] and venue.events[0].order_id == order
    assert venue.core.open_count == 1


def test_another_session_of_the_account_may_send_it_again_and_another_account_has_ids_of_its_own() -> None:
    venue = remembering()
    send(venue, session=3)
    assert send(venue, session=4) == ["rejected REPEATED"]
    assert venue.sell(BOB, 100, 5, text=b"mine", once=True) == [f"accepted {venue.last}"]


def test_a_refused_order_may_be_sent_again() -> None:
    venue = remembering()
    assert send(venue, FUNDS + 1) == ["rejected INSUFFICIENT_BALANCE"]
    venue.tell_venue("credit", ALICE, 1, 1)
    assert send(venue, FUNDS + 1) == [f"accepted {venue.last}"]


def test_orders_without_it_go_by_open_orders_as_ever() -> None:
    venue = remembering()
    for _ in range(2):
        venue.sell(ALICE, 100, 5, text=b"mine")
        assert venue.sell(ALICE, 100, 5, text=b"mine") == ["rejected DUPLICATE_CLIENT_ID"]
        assert send(venue) == ["rejected DUPLICATE_CLIENT_ID"], "the open one was not sent to be remembered"
        venue.buy(BOB, 100, 5)
    send(venue)
    venue.buy(BOB, 100, 5)
    assert venue.sell(ALICE, 100, 5, text=b"mine") == [f"accepted {venue.last}"]
    assert venue.core.remembered_count == 1


def test_the_newest_are_remembered_and_fewer_when_told_so() -> None:
    venue = remembering(3)
    for name in (b"a", b"b", b"c", b"d"):
        send(venue, text=name)
        venue.cancel(ALICE, text=name)
    assert [venue.core.remembered(ALICE, name) > 0 for name in (b"a", b"b", b"c", b"d")] == [False, True, True, True]
    assert send(venue, text=b"b") == ["rejected REPEATED"] and send(venue, text=b"a") == [f"accepted {venue.last}"]
    venue.tell_venue("remember", 1)
    assert venue.core.remembered_count == 1 and venue.core.remembered(ALICE, b"a") != 0
    venue.tell_venue("remember", 4)
    assert send(venue, text=b"c") == [f"accepted {venue.last}"]
    assert venue.core.remembered_count == 2 and venue.core.remembered(ALICE, b"a") != 0


def test_what_cannot_be_promised_is_refused() -> None:
    venue = remembering(0)
    assert send(venue) == ["rejected CAPACITY"]
    assert venue.tell_venue("remember", 2**22 + 1) == ["rejected BAD_COMMAND"]
    venue.tell_venue("remember", 5)
    assert send(venue, text=b"") == ["rejected BAD_COMMAND"]
    send(venue)
    assert venue.replace(ALICE, 0, SELL, 101, 5, text=b"mine", once=True) == ["rejected BAD_COMMAND"]


def test_a_replacement_sent_again_cancels_and_places_nothing() -> None:
    venue = remembering()
    venue.sell(ALICE, 100, 5)
    old = venue.last
    asked = {"side": SELL, "price": 101, "qty": 4, "text": b"new", "once": True, "mode": ReplaceMode.ALLOW_FAILURE}
    assert venue.replace(ALICE, old, **asked) == [f"canceled {old}: 5 REQUESTED", f"accepted {venue.last}"]
    new = venue.last
    venue.buy(BOB, 101, 4)
    assert venue.replace(ALICE, old, **asked) == ["rejected REPEATED"] and venue.events[0].order_id == new
    assert venue.core.open_count == 0


def test_legs_of_a_list_sent_again_refuse_it() -> None:
    venue = remembering()
    legs = [{**leg(SELL, LIMIT_MAKER, price=110), "text": b"limit"}, {**leg(SELL, STOP_LOSS, trigger=90), "text": b"s"}]
    legs = [{**each, "once": True} for each in legs]
    place_list(venue, ListType.OCO, *legs)
    first = venue.last - 1
    venue.buy(BOB, 110, 5)
    assert venue.core.open_count == 0
    assert place_list(venue, ListType.OCO, *legs) == ["rejected REPEATED"] and venue.events[0].order_id == first


def test_a_market_order_and_a_stop_trade_once() -> None:
    venue = remembering()
    venue.sell(BOB, 100, 9)
    maker = venue.last
    for told in ([traded(2, 100, venue.last + 1, 0, maker, 7)], None):
        story = venue.buy(ALICE, 0, 2, kind=MARKET, text=b"market", once=True)
        assert story[1:] == told if told else story == ["rejected REPEATED"]
    for told in ("accepted", "rejected REPEATED"):
        assert venue.place(ALICE, BUY, 0, 1, kind=STOP_LOSS, trigger_ticks=150, text=b"stop", once=True)[0][:17] in (
            told, f"accepted {venue.last}")


def test_a_snapshot_and_a_replay_remember() -> None:
    venue = remembering(3)
    for number in range(5):
        send(venue, text=b"%d" % number)
        venue.cancel(ALICE, text=b"%d" % number)
    copy = loaded(venue.core)
    assert copy.state_hash() == venue.core.state_hash() and copy.dump() == venue.core.dump()
    assert (copy.remembered_max, copy.remembered_count) == (3, 3)
    assert [copy.remembered(ALICE, b"%d" % number) for number in range(5)] == [
        venue.core.remembered(ALICE, b"%d" % number) for number in range(5)]
    before = venue.core.state_hash()
    venue.tell_venue("remember", 2)
    assert venue.core.state_hash() != before
