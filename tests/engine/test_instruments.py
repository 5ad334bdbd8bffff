"""Instruments as text: exact in 8 places, whatever the scales; terms that cannot be shown are refused."""
from decimal import Decimal

import pytest

from engine.core.batch import Batch
from engine.core.exchange import Exchange
from engine.errors import InstrumentError
from engine.instruments import Asset, Catalog, check_terms


def core_with(scale: int, quote_scale: int, lot_value: int, tick_value: int, **terms: int) -> Exchange:
    core, batch = Exchange(), Batch()
    batch.asset(1, scale, b"BASE")
    batch.asset(2, quote_scale, b"QUOTE")
    batch.instrument(
        1, text=b"PAIR", base_asset=1, quote_asset=2, lot_value=lot_value, tick_value=tick_value, **terms)
    batch.stamp(1, 1)
    core.apply(batch)
    return core


@pytest.mark.parametrize(("scale", "minor", "text"), [
    (8, 1, "0.00000001"), (8, 123456789012, "1234.56789012"), (2, 12345, "123.45000000"), (0, 7, "7.00000000"),
    (2, -5, "-0.05000000"), (18, 10**18 + 1, "1.00000000"), (18, 19_999_999_999, "0.00000001"), (8, 0, "0.00000000"),
    (0, 2**63 - 1, "9223372036854775807.00000000"), (2, -2**63, "-92233720368547758.08000000"),
])
def test_amounts_have_8_places(scale: int, minor: int, text: str):
    assert Asset(id=1, code="X", scale=scale).text(minor) == text


@pytest.mark.parametrize(("scale", "quote_scale", "lot_value", "tick_value", "price_of_1_tick", "lot"), [
    (0, 2, 1, 1, "0.01", "1"),                      # a share, cents
    (8, 8, 1000, 10, "0.01", "0.00001"),            # coin in satoshi, dollars in 1e-8
    (8, 2, 10**6, 1, "1", "0.01"),                  # tick x lot is one cent
    (18, 6, 10**14, 1, "0.01", "0.0001"),           # ether in wei, dollars in 1e-6
    (0, 8, 1, 25_000_000, "0.25", "1"),             # a quarter
    (0, 0, 1, 1000, "1000", "1"),
    (0, 8, 10**6, 10**6, "0.00000001", "1000000"),
])
def test_prices_and_quantities_are_exact(
    scale: int, quote_scale: int, lot_value: int, tick_value: int, price_of_1_tick: str, lot: str,
):
    catalog = Catalog.of(core_with(scale, quote_scale, lot_value, tick_value))
    pair = catalog.by_symbol["PAIR"]
    for number in (1, 3, 20, 12345, 2**52 + 1):
        price = pair.price_text(number)
        assert Decimal(price) == number * Decimal(price_of_1_tick) and len(price.split(".")[1]) == 8
    for number in (1, 3, 20, 12345):
        qty = pair.qty_text(number)
        assert Decimal(qty) == number * Decimal(lot) and len(qty.split(".")[1]) == 8
    assert pair.tick_e8 == Decimal(price_of_1_tick) * 10**8 and pair.lot_e8 == Decimal(lot) * 10**8
    cost = Decimal(pair.quote_text(tick_value))
    assert cost == Decimal(price_of_1_tick) * Decimal(lot)


@pytest.mark.parametrize(("terms", "field"), [
    ((8, 8, 0, 1), "lot_value"), ((8, 8, 1, 0), "tick_value"), ((18, 8, 1, 1), "lot_value"),
    ((8, 8, 3, 1), "tick_value"), ((0, 10, 1, 1), "tick_value"), ((8, 8, 1, 1, 2**53 + 1), "max_ticks"),
])
def test_terms_without_an_exact_text_are_refused(terms: tuple[int, ...], field: str):
    with pytest.raises(InstrumentError, match=field) as caught:
        check_terms(*terms)
    assert caught.value.field == field


def test_an_instrument_that_cannot_be_shown_is_left_out_loudly(caplog: pytest.LogCaptureFixture):
    catalog = Catalog.of(core_with(8, 8, 3, 1))
    assert catalog.by_symbol == catalog.by_id == {} and set(catalog.asset_by_code) == {"BASE", "QUOTE"}
    assert "instrument 1 is not shown: tick_value" in caplog.text


def test_all_terms_are_taken_over_and_updates_are_seen():
    core = core_with(0, 2, 1, 1, min_lots=2, max_lots=500, max_ticks=10**6, min_notional=100, maker_fee_ppm=0,
                     taker_fee_ppm=1000)
    catalog = Catalog.of(core)
    by_symbol, pair = catalog.by_symbol, catalog.by_id[1]
    assert (pair.symbol, pair.base, pair.quote, pair.base_scale, pair.quote_scale) == ("PAIR", "BASE", "QUOTE", 0, 2)
    assert (pair.min_lots, pair.max_lots, pair.max_ticks, pair.min_notional) == (2, 500, 10**6, 100)
    assert (pair.maker_fee_ppm, pair.taker_fee_ppm, pair.status) == (0, 1000, 0)
    batch = Batch()
    batch.instrument(1, text=b"PAIR", base_asset=1, quote_asset=2, lot_value=1, tick_value=1, status=1)
    batch.stamp(4, 4)
    core.apply(batch)
    catalog.update(core)
    assert by_symbol["PAIR"].status == 1
