"""Many orders at once: sessions, dead man's timers, mass cancels, the kill switch."""
import pytest

from tests.core.story import ALICE, BOB, BOOK, BUY, CAROL, Clock


def rest(venue: Clock, account: int, session: int = 0, price: int = 10) -> int:
    venue.buy(account, price, 5, session=session)
    return venue.last


def canceled(reason: str, *orders: int) -> list[str]:
    return [f"canceled {order}: 5 {reason}" for order in orders]


def test_a_session_that_disconnects_loses_its_orders_only():
    venue = Clock()
    first, other, none = rest(venue, ALICE, 7), rest(venue, ALICE, 8), rest(venue, ALICE)
    second, foreign = rest(venue, ALICE, 7), rest(venue, BOB, 7)
    assert venue.tell_venue("mass_cancel", ALICE, session=7, disconnected=True) == canceled(
        "DISCONNECTED", first, second)
    assert venue.tell_venue("mass_cancel", ALICE, session=7) == ["rejected UNKNOWN_ORDER"]
    assert venue.tell_venue("mass_cancel", ALICE) == canceled("MASS_CANCEL", other, none)
    assert venue.tell_venue("mass_cancel", instrument=BOOK) == canceled("MASS_CANCEL", foreign)


def test_a_slot_used_again_has_no_session_of_the_order_before():
    venue = Clock()
    venue.cancel(ALICE, rest(venue, ALICE, 7))
    rest(venue, ALICE)
    assert venue.tell_venue("mass_cancel", ALICE, session=7) == ["rejected UNKNOWN_ORDER"]


def test_a_replaced_order_stays_in_its_session():
    venue = Clock()
    venue.replace(ALICE, rest(venue, ALICE, 7), BUY, 12, 5)
    assert venue.tell_venue("mass_cancel", ALICE, session=7) == canceled("MASS_CANCEL", venue.last - 1)


def test_a_failed_cancel_half_passes_no_session_on():
    venue = Clock()
    rest(venue, ALICE, 7)
    venue.replace(ALICE, 999, BUY, 12, 5, slot=1, mode=1)
    assert len(venue.tell_venue("mass_cancel", ALICE, session=7)) == 1


def test_an_instruments_orders_go_in_order_of_account_and_age():
    venue = Clock()
    orders = [rest(venue, account) for account in (CAROL, ALICE, BOB, ALICE)]
    assert venue.tell_venue("mass_cancel", instrument=BOOK) == canceled(
        "MASS_CANCEL", orders[1], orders[3], orders[2], orders[0])


@pytest.mark.parametrize("values", [{}, {"session": 3}, {"instrument": BOOK, "session": 3}])
def test_a_mass_cancel_must_say_of_whom(values):
    assert Clock().tell_venue("mass_cancel", **values) == ["rejected BAD_COMMAND"]


def test_a_timer_ends_orders_unless_it_is_renewed():
    venue = Clock()
    one, two = rest(venue, ALICE, 7), rest(venue, ALICE, 8)
    assert venue.at(100).tell_venue("timer", ALICE, 50, session=7) == ["status timer 2: 150"]
    assert venue.at(140).tell_venue("timer", ALICE, 50, session=7) == ["status timer 2: 190"]
    assert venue.at(180).tell_venue("tick") == []
    assert venue.at(190).tell_venue("tick") == ["status timer 2: 0 TIMER", *canceled("TIMER", one)]
    assert venue.core.timers(ALICE) == [] and venue.core.next_deadline_ns == 0
    venue.at(200).tell_venue("timer", ALICE, 50)
    assert venue.at(250).tell_venue("tick") == ["status timer 2: 0 TIMER", *canceled("TIMER", two)]


def test_a_timer_can_be_taken_away():
    venue = Clock()
    rest(venue, ALICE)
    venue.at(100).tell_venue("timer", ALICE, 50)
    assert venue.tell_venue("timer", ALICE, 0) == ["status timer 2: 0"]
    assert venue.tell_venue("timer", ALICE, 0) == ["status timer 2: 0"]
    assert venue.core.next_deadline_ns == 0 and venue.at(200).tell_venue("tick") == []


def test_timers_of_an_account_are_kept_apart_and_listed_in_order():
    venue = Clock()
    venue.at(100).tell_venue("timer", ALICE, 50, session=9)
    venue.tell_venue("timer", ALICE, 60, session=3, instrument=BOOK)
    venue.tell_venue("timer", ALICE, 70)
    assert venue.core.timers(ALICE) == [(0, 0, 170), (3, BOOK, 160), (9, 0, 150)]
    venue.at(155).tell_venue("tick")
    assert venue.core.timers(ALICE) == [(0, 0, 170), (3, BOOK, 160)]


def test_an_account_has_at_most_64_timers():
    venue = Clock()
    for session in range(64):
        assert venue.tell_venue("timer", ALICE, 50, session=session)[0].startswith("status")
    assert venue.tell_venue("timer", ALICE, 50, session=64) == ["rejected CAPACITY"]
    assert venue.tell_venue("timer", ALICE, 90, session=63)[0].startswith("status")
    assert venue.tell_venue("timer", BOB, 50, session=64)[0].startswith("status")


@pytest.mark.parametrize(("values", "code"), [
    ((0, 5), "BAD_COMMAND"), ((ALICE, -1), "BAD_COMMAND"), ((99, 5), "UNKNOWN_ACCOUNT")])
def test_timers_that_make_no_sense(values, code):
    assert Clock().tell_venue("timer", *values) == [f"rejected {code}"]


def test_a_killed_account_places_nothing_and_cancels_freely():
    venue = Clock()
    order = rest(venue, ALICE)
    assert venue.tell_venue("kill", ALICE) == ["status kill 2: 1"]
    assert venue.buy(ALICE, 10, 5) == ["rejected KILLED"]
    assert venue.replace(ALICE, order, BUY, 11, 5) == [*canceled("REQUESTED", order), "rejected KILLED"]
    assert venue.buy(BOB, 10, 5) == [f"accepted {venue.last}"]
    assert venue.tell_venue("kill", ALICE, on=False) == ["status kill 2: 0"]
    assert venue.buy(ALICE, 10, 5) == [f"accepted {venue.last}"]


def test_a_kill_may_cancel_as_well():
    venue = Clock()
    one, two, other = rest(venue, ALICE), rest(venue, ALICE), rest(venue, BOB)
    assert venue.tell_venue("kill", ALICE, cancel=True) == ["status kill 2: 1", *canceled("KILL", one, two)]
    assert venue.tell_venue("kill", instrument=BOOK, cancel=True) == ["status kill 0: 1", *canceled("KILL", other)]
    assert venue.buy(BOB, 10, 5) == ["rejected KILLED"]


def test_the_switch_for_everybody_holds_for_instruments_that_come_later():
    venue = Clock()
    venue.tell_venue("kill")
    assert venue.core.killed() and not venue.core.killed(ALICE)
    assert venue.buy(ALICE, 10, 5) == ["rejected KILLED"]
    venue.tell_venue("instrument", 2, text="QUOTEBASE", base_asset=2, quote_asset=1, lot_value=1, tick_value=1)
    assert venue.buy(ALICE, 10, 5, book=2) == ["rejected KILLED"]
    venue.tell_venue("kill", on=False)
    assert venue.buy(ALICE, 10, 5, book=2) == [f"accepted {venue.last}"]


def test_other_obstacles_are_named_first_and_stay_when_the_switch_is_off():
    venue = Clock()
    venue.tell_venue("kill", ALICE)
    venue.tell_venue("account", ALICE, 1)
    assert venue.buy(ALICE, 10, 5) == ["rejected ACCOUNT_FROZEN"]
    venue.tell_venue("kill", ALICE, on=False)
    assert venue.buy(ALICE, 10, 5) == ["rejected ACCOUNT_FROZEN"]
    venue.configure(status=2)
    venue.tell_venue("kill", instrument=BOOK)
    assert venue.buy(BOB, 10, 5) == ["rejected KILLED"]
    venue.tell_venue("kill", instrument=BOOK, on=False)
    assert venue.buy(BOB, 10, 5) == ["rejected MARKET_CLOSED"]


@pytest.mark.parametrize(("values", "code"), [
    ({"account": ALICE, "instrument": BOOK}, "BAD_COMMAND"), ({"account": ALICE, "on": False, "cancel": True},
    "BAD_COMMAND"), ({"account": 99}, "UNKNOWN_ACCOUNT"), ({"instrument": 9}, "UNKNOWN_INSTRUMENT")])
def test_switches_that_make_no_sense(values, code):
    assert Clock().tell_venue("kill", **values) == [f"rejected {code}"]
