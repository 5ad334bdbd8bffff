"""Stories of credits and debits against the outside world."""
import pytest

from engine.core.batch import Batch
from engine.core.codes import OrderType, Side, TimeInForce
from tests.core.story import ALICE, BASE, BOB, QUOTE, Venue

INT64_MAX = 2**63 - 1


def credit(venue: Venue, account: int, asset: int, amount: int) -> list[str]:
    batch = Batch()
    batch.credit(account, asset, amount, b"deposit-1")
    return venue.apply(batch)


def debit(venue: Venue, account: int, asset: int, amount: int) -> list[str]:
    batch = Batch()
    batch.debit(account, asset, amount, "payout-1")
    return venue.apply(batch)


def test_money_comes_from_and_goes_to_account_zero() -> None:
    venue = Venue(funds=0)
    assert credit(venue, ALICE, QUOTE, 500) == ["money 500 of 2 for 2"]
    assert venue.events[0].text == b"deposit-1"
    assert debit(venue, ALICE, QUOTE, 200) == ["money -200 of 2 for 2"]
    assert venue.core.balance(ALICE, QUOTE) == (300, 0)
    assert venue.core.balance(0, QUOTE) == (-300, 0)


def test_a_debit_takes_only_what_is_available() -> None:
    venue = Venue(funds=1000)
    venue.buy(ALICE, 100, 6)
    assert debit(venue, ALICE, QUOTE, 401) == ["rejected INSUFFICIENT_BALANCE"]
    assert debit(venue, ALICE, QUOTE, 400) == ["money -400 of 2 for 2"]
    assert debit(venue, 1, QUOTE, 1) == ["rejected INSUFFICIENT_BALANCE"]


@pytest.mark.parametrize(("account", "asset", "amount", "code"), [
    (ALICE, QUOTE, 0, "BAD_COMMAND"), (ALICE, QUOTE, -1, "BAD_COMMAND"), (0, QUOTE, 5, "BAD_COMMAND"),
    (77, QUOTE, 5, "UNKNOWN_ACCOUNT"), (ALICE, 3, 5, "UNKNOWN_ASSET"), (ALICE, 0, 5, "UNKNOWN_ASSET"),
    (ALICE, 2**32 - 1, 5, "UNKNOWN_ASSET")])
def test_refusals(account: int, asset: int, amount: int, code: str) -> None:
    venue = Venue(funds=10)
    assert credit(venue, account, asset, amount) == [f"rejected {code}"]
    assert debit(venue, account, asset, amount) == [f"rejected {code}"]
    assert (venue.events[0].amount, venue.events[0].account) == (amount, account)


def test_the_supply_of_an_asset_stays_within_int64() -> None:
    venue = Venue(funds=0)
    assert credit(venue, ALICE, BASE, INT64_MAX - 5) == [f"money {INT64_MAX - 5} of 1 for 2"]
    assert credit(venue, BOB, BASE, 6) == ["rejected OVERFLOW"]
    assert credit(venue, BOB, BASE, 5) == ["money 5 of 1 for 3"]
    assert credit(venue, ALICE, BASE, 1) == ["rejected OVERFLOW"]
    assert debit(venue, ALICE, BASE, 1) == ["money -1 of 1 for 2"]
    assert credit(venue, BOB, BASE, 1) == ["money 1 of 1 for 3"]


def transfer(venue: Venue, amount: int) -> list[str]:
    """From ALICE to BOB and on to the fee account, as one."""
    batch = Batch()
    batch.debit(ALICE, QUOTE, amount, "move-1", linked=True)
    batch.credit(BOB, QUOTE, amount - 1, "move-1", linked=True)
    batch.credit(1, QUOTE, 1, "move-1")
    batch.credit(BOB, QUOTE, 7, "another")
    return venue.apply(batch)


def test_linked_commands_are_all_or_nothing() -> None:
    venue = Venue(funds=100)
    assert transfer(venue, 60) == ["money -60 of 2 for 2", "money 59 of 2 for 3", "money 1 of 2 for 1",
                                   "money 7 of 2 for 3"]
    assert transfer(venue, 60) == ["rejected INSUFFICIENT_BALANCE", "rejected CONFLICT", "rejected CONFLICT",
                                   "money 7 of 2 for 3"]
    assert [venue.core.balance(account, QUOTE)[0] for account in (ALICE, BOB, 1)] == [40, 173, 1]


def test_a_broken_link_takes_the_next_money_only() -> None:
    venue, batch = Venue(funds=100), Batch()
    batch.debit(ALICE, QUOTE, 101, linked=True)
    batch.place(ALICE, 1, Side.BUY, OrderType.LIMIT, TimeInForce.GTC, 10, 1)
    batch.credit(BOB, QUOTE, 5)
    assert [line.split()[0] for line in venue.apply(batch)] == ["rejected", "accepted", "money"]
