"""Stories of assets, instruments and accounts: what may be repeated, what may change, what is a conflict."""
from typing import Any

import pytest

from engine.core.batch import Batch
from engine.core.codes import MAX_TICKS, CommandKind
from engine.core.exchange import Exchange
from engine.core.unpack import unpack_events
from tests.core.story import ALICE, TINY, Venue, instrument_terms, tell


def asset(venue: Venue, identifier: int, scale: int, code: str) -> list[str]:
    batch = Batch()
    batch.asset(identifier, scale, code)
    return venue.apply(batch)


def instrument(venue: Venue, identifier: int, text: str = "OTHER", **fields: Any) -> list[str]:
    batch = Batch()
    batch.instrument(identifier, text=text, **instrument_terms(**fields))
    return venue.apply(batch)


def test_settings_are_listed() -> None:
    venue = Venue()
    assert venue.setup[:4] == ["configured"] * 4
    assert venue.core.assets() == [(1, "BASE", 8), (2, "QUOTE", 8)]
    assert venue.core.instruments()[64:73] == b"BASEQUOTE"
    assert (venue.core.account_status(ALICE), venue.core.account_status(99)) == (0, -1)


def test_a_configured_event_names_the_kind_of_its_command() -> None:
    batch = Batch()
    batch.asset(1, 8, "A")
    batch.asset(2, 8, "B")
    batch.instrument(1, text="AB", **instrument_terms())
    batch.account(5, label="five")
    batch.stamp(1, 9)
    events = unpack_events(Exchange(**TINY).apply(batch))
    assert [(event.flags, event.instrument, event.account, event.text) for event in events] == [
        (CommandKind.ASSET, 1, 0, b"A"), (CommandKind.ASSET, 2, 0, b"B"), (CommandKind.INSTRUMENT, 1, 0, b"AB"),
        (CommandKind.ACCOUNT, 0, 5, b"five")]


def test_an_asset_may_be_repeated_but_not_changed() -> None:
    venue = Venue()
    assert asset(venue, 1, 8, "BASE") == ["configured"]
    assert asset(venue, 1, 7, "BASE") == ["rejected CONFLICT"]
    assert asset(venue, 1, 8, "BASIS") == ["rejected CONFLICT"]
    assert asset(venue, 3, 8, "BASE") == ["rejected CONFLICT"]
    assert asset(venue, 3, 18, "THIRD") == ["configured"]


@pytest.mark.parametrize(("identifier", "scale", "code", "refusal"), [
    (0, 8, "X", "BAD_COMMAND"), (3, 19, "X", "BAD_COMMAND"), (3, 8, "", "BAD_COMMAND"), (65_536, 8, "X", "CAPACITY")])
def test_bad_assets(identifier: int, scale: int, code: str, refusal: str) -> None:
    assert asset(Venue(), identifier, scale, code) == [f"rejected {refusal}"]


@pytest.mark.parametrize("fields", [
    {"lot_value": 0}, {"tick_value": 0}, {"min_lots": 0}, {"min_lots": 9, "max_lots": 8}, {"max_ticks": 0},
    {"max_ticks": MAX_TICKS + 1}, {"min_notional": -1}, {"maker_fee_ppm": -1}, {"maker_fee_ppm": 1_000_001},
    {"taker_fee_ppm": -1}, {"taker_fee_ppm": 1_000_001}, {"status": 5}, {"text": ""}, {"quote_asset": 1}])
def test_bad_instruments(fields: dict[str, Any]) -> None:
    assert instrument(Venue(), 2, **fields) == ["rejected BAD_COMMAND"]


def test_instruments_need_known_assets_and_a_possible_id() -> None:
    venue = Venue()
    assert instrument(venue, 2, base_asset=9) == ["rejected UNKNOWN_ASSET"]
    assert instrument(venue, 2, quote_asset=0) == ["rejected UNKNOWN_ASSET"]
    assert instrument(venue, 0) == ["rejected BAD_COMMAND"]
    assert instrument(venue, 2**20) == ["rejected CAPACITY"]
    assert instrument(venue, 2, "BASEQUOTE") == ["rejected CONFLICT"]
    assert instrument(venue, 700) == ["configured"]


@pytest.mark.parametrize("fields", [{"lot_value": 2}, {"tick_value": 2}, {"base_asset": 2, "quote_asset": 1}])
def test_what_orders_were_priced_with_never_changes(fields: dict[str, int]) -> None:
    venue = Venue()
    before = venue.core.instruments()
    assert venue.configure(**fields) == ["rejected CONFLICT"]
    assert instrument(venue, 1, "RENAMED") == ["rejected CONFLICT"]
    assert venue.core.instruments() == before


def test_limits_and_fees_may_change_while_orders_rest() -> None:
    venue = Venue()
    venue.buy(ALICE, 100, 50)
    assert venue.configure(max_ticks=99, min_lots=60, min_notional=10**9) == ["configured"]
    assert venue.buy(ALICE, 100, 60) == ["rejected PRICE_RANGE"]
    assert venue.buy(ALICE, 99, 50) == ["rejected QTY_RANGE"]
    assert venue.bids() == [(100, 50)]


def test_accounts() -> None:
    venue = Venue()
    batch = Batch()
    for account, status in ((0, 0), (9, 2), (2**24, 0), (1, 0), (5000, 1)):
        batch.account(account, status)
    assert venue.apply(batch) == ["rejected BAD_COMMAND"] * 2 + ["rejected CAPACITY"] + ["configured"] * 2
    assert [venue.core.account_status(account) for account in (0, 1, 9, 5000)] == [0, 0, -1, 1]


def test_a_batch_of_settings_may_run_twice() -> None:
    batch = Batch()
    batch.asset(1, 8, "A")
    batch.asset(2, 8, "B")
    batch.instrument(1, text="AB", **instrument_terms())
    batch.account(2)
    core = Exchange(**TINY)
    for first_seq in (1, 5):
        batch.stamp(first_seq, 0)
        assert [tell(event) for event in unpack_events(core.apply(batch))] == ["configured"] * 4
