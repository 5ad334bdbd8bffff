"""Trades taken back: every minor unit returns, once, or nothing moves."""
import pytest

from engine.core.batch import Batch
from engine.core.codes import FEE_ACCOUNT
from tests.core.story import ALICE, BASE, BOB, BOOK, CAROL, QUOTE, Venue


def trade_of(venue: Venue) -> bytes:
    """A trade between Alice, who makes, and Bob, who takes."""
    venue.sell(ALICE, 10, 1000)
    batch = Batch()
    batch.place(BOB, BOOK, 0, 0, 0, 10, 1000)
    batch.stamp(venue.core.seq + 1, venue.now())
    return bytes(venue.core.apply(batch)[128:256])


def bust(venue: Venue, trade: bytes) -> list[str]:
    return venue.tell_venue("bust", trade)


def changed(trade: bytes, offset: int, value: int) -> bytes:
    return trade[:offset] + bytes([value]) + trade[offset + 1:]


@pytest.mark.parametrize("fees", [{}, {"maker_fee_ppm": 1000, "taker_fee_ppm": 5000}])
def test_all_money_goes_back_with_the_fees(fees):
    venue = Venue(**fees)
    trade = trade_of(venue)
    assert bust(venue, trade)[0].startswith("busted 1000 @ 10")
    assert {venue.money(account) for account in (ALICE, BOB)} == {((1_000_000, 0), (1_000_000, 0))}
    assert venue.money(FEE_ACCOUNT) == ((0, 0), (0, 0))


def test_a_rebate_goes_back_to_the_fee_account():
    venue = Venue()
    venue.tell_venue("fees", BOOK, 0, maker_fee_ppm=-1000, taker_fee_ppm=3000)
    venue.tell_venue("credit", FEE_ACCOUNT, QUOTE, 50)
    trade = trade_of(venue)
    assert venue.money(FEE_ACCOUNT) == ((3, 0), (40, 0))
    bust(venue, trade)
    assert venue.money(FEE_ACCOUNT) == ((0, 0), (50, 0))
    assert venue.money(ALICE) == ((1_000_000, 0), (1_000_000, 0))


def test_a_trade_is_taken_back_once():
    venue = Venue()
    trade = trade_of(venue)
    bust(venue, trade)
    assert bust(venue, trade) == ["rejected CONFLICT"]


@pytest.mark.parametrize("poor", [ALICE, BOB])
def test_nothing_moves_when_a_party_cannot_pay(poor):
    venue = Venue()
    trade = trade_of(venue)
    for asset in (BASE, QUOTE):
        venue.tell_venue("debit", poor, asset, venue.core.balance(poor, asset)[0])
    before = venue.core.wallets()
    assert bust(venue, trade) == ["rejected INSUFFICIENT_BALANCE"]
    assert venue.core.wallets() == before
    for asset in (BASE, QUOTE):
        venue.tell_venue("credit", poor, asset, 10_000)
    assert bust(venue, trade)[0].startswith("busted")


def test_a_trade_with_oneself_can_be_taken_back_without_money():
    venue = Venue(taker_fee_ppm=0)
    venue.sell(CAROL, 10, 5)
    batch = Batch()
    batch.place(CAROL, BOOK, 0, 0, 0, 10, 5)
    batch.stamp(venue.core.seq + 1, venue.now())
    trade = bytes(venue.core.apply(batch)[128:256])
    for asset in (BASE, QUOTE):
        venue.tell_venue("debit", CAROL, asset, 1_000_000)
    assert bust(venue, trade)[0].startswith("busted")


@pytest.mark.parametrize(("offset", "value", "code"), [
    (8, 9, "UNKNOWN_INSTRUMENT"), (4, 99, "UNKNOWN_ACCOUNT"), (120, 99, "UNKNOWN_ACCOUNT"), (4, 0, "UNKNOWN_TRADE"),
    (40, 11, "UNKNOWN_TRADE"), (48, 1, "UNKNOWN_TRADE"), (80, 0, "UNKNOWN_TRADE"), (80, 2, "UNKNOWN_TRADE"),
    (88, 0, "UNKNOWN_TRADE"), (88, 2, "UNKNOWN_TRADE"), (96, 1, "UNKNOWN_TRADE"), (110, 1, "UNKNOWN_TRADE"),
    (118, 1, "UNKNOWN_TRADE"), (1, 2, "UNKNOWN_TRADE"), (55, 127, "UNKNOWN_TRADE")])
def test_what_was_no_trade_is_refused(offset, value, code):
    venue = Venue()
    assert bust(venue, changed(trade_of(venue), offset, value)) == [f"rejected {code}"]


def test_busts_are_part_of_the_state_and_its_snapshot():
    venue, other = Venue(), Venue()
    trade = trade_of(venue)
    trade_of(other)
    bust(venue, trade)
    other.tell_venue("bust", changed(trade, 110, 1))
    assert venue.core.state_hash() != other.core.state_hash()
    other.core = type(venue.core)()
    other.core.load(venue.core.dump())
    assert bust(other, trade) == ["rejected CONFLICT"]


def test_a_bust_must_be_an_event():
    with pytest.raises(ValueError, match="128 bytes"):
        Batch().bust(b"short")
