"""exchangeInfo: what can be traded and by which rules. A feature we do not have is false; a filter here is enforced.

PRICE_FILTER is the first filter of every symbol: there are clients that take it by position.
"""
from collections.abc import Iterator
from functools import lru_cache
from typing import cast

import msgspec
from msgspec import Raw, structs

from engine.core.codes import PPM, InstrumentStatus
from engine.core.decimals import format_decimal
from engine.instruments import PLACES, Catalog, Instrument
from gateway.order_terms import ICEBERG_PARTS_MAX, INT64_MAX, TRAILING_BPS_MAX, TRAILING_BPS_MIN, Params
from gateway.protocol import ORDER_TYPES, STP_MODES, encode
from gateway.refusals import (
    BAD_COMBINATION,
    DUPLICATE_SYMBOLS,
    INVALID_JSON_PARAMETER,
    INVALID_PARAMETER,
    INVALID_SYMBOL,
    Refusal,
)
from gateway.symbol_shapes import (
    ExchangeInfo,
    Filter,
    IcebergParts,
    LotSize,
    MarketLotSize,
    MaxNumAlgoOrders,
    MaxNumOrders,
    Notional,
    PercentPriceBySide,
    PriceFilter,
    RateLimit,
    SymbolInfo,
    TrailingDelta,
)

STATUSES = {
    int(InstrumentStatus.TRADING): "TRADING",
    int(InstrumentStatus.CANCEL_ONLY): "CANCEL_ONLY",
    int(InstrumentStatus.HALT): "HALT",
    int(InstrumentStatus.AUCTION): "AUCTION_MATCH",
    int(InstrumentStatus.CLOSED): "END_OF_DAY",
}
PERMISSION = "SPOT"
PPM_PLACES = 6
_symbol_list = msgspec.json.Decoder(list[str]).decode


def exchange_info(
        catalog: Catalog, params: Params, server_time: int, rate_limits: list[RateLimit]) -> ExchangeInfo:
    """The reply to exchangeInfo. Raises Refusal for a selection that names what is not there."""
    make = symbol_info if params.get("showPermissionSets") != "false" else _without_permission_sets
    rows = [make(instrument) for instrument in _selected(catalog, params)]
    return ExchangeInfo("UTC", server_time, rate_limits, [], cast(list[SymbolInfo], rows))


@lru_cache(maxsize=4096)
def symbol_info(instrument: Instrument) -> Raw:
    """One row of `symbols`, as JSON."""
    return Raw(encode(_symbol_info(instrument)))


def _without_permission_sets(instrument: Instrument) -> SymbolInfo:
    return structs.replace(_symbol_info(instrument), permission_sets=[])


def _symbol_info(instrument: Instrument) -> SymbolInfo:
    return SymbolInfo(
        symbol=instrument.symbol, status=STATUSES[instrument.status],
        base_asset=instrument.base, base_asset_precision=PLACES,
        quote_asset=instrument.quote, quote_precision=PLACES, quote_asset_precision=PLACES,
        base_commission_precision=PLACES, quote_commission_precision=PLACES, order_types=list(ORDER_TYPES),
        filters=[*_filters(instrument), *_limits(instrument)], permissions=[PERMISSION],
        permission_sets=[[PERMISSION]], allowed_self_trade_prevention_modes=list(STP_MODES))


def _filters(instrument: Instrument) -> Iterator[Filter]:
    tick = instrument.price_text(1)
    greatest = min(instrument.max_lots, INT64_MAX // instrument.lot_value)   # more does not fit the core's amounts
    sizes = instrument.qty_text(instrument.min_lots), instrument.qty_text(greatest), instrument.qty_text(1)
    yield PriceFilter(tick, instrument.price_text(instrument.max_ticks), tick)
    yield LotSize(*sizes)
    yield MarketLotSize(*sizes)
    yield Notional(
        min_notional=instrument.quote_text(instrument.min_notional), apply_min_to_market=False,
        max_notional=instrument.quote_text(instrument.max_notional or INT64_MAX),
        apply_max_to_market=instrument.max_notional > 0, avg_price_mins=0)
    yield IcebergParts(ICEBERG_PARTS_MAX)
    yield TrailingDelta(TRAILING_BPS_MIN, TRAILING_BPS_MAX, TRAILING_BPS_MIN, TRAILING_BPS_MAX)


def _limits(instrument: Instrument) -> Iterator[Filter]:
    """What the operator may set beside an instrument's terms; the band lies around the price of the last trade."""
    if instrument.band_up_ppm or instrument.band_down_ppm:
        up = _fraction(PPM + instrument.band_up_ppm if instrument.band_up_ppm else PPM * PPM)
        down = _fraction(PPM - instrument.band_down_ppm if instrument.band_down_ppm else 0)
        yield PercentPriceBySide(up, down, up, down, avg_price_mins=0)
    if instrument.orders_max:
        yield MaxNumOrders(instrument.orders_max)
    if instrument.stops_max:
        yield MaxNumAlgoOrders(instrument.stops_max)


def _fraction(ppm: int) -> str:
    return format_decimal(ppm, PPM_PLACES)


def _selected(catalog: Catalog, params: Params) -> list[Instrument]:
    chosen = [name for name in ("symbol", "symbols", "permissions") if name in params]
    if len(chosen) > 1:
        raise Refusal(BAD_COMBINATION)
    instruments = [catalog.by_id[number] for number in sorted(catalog.by_id)]
    if "symbol" in params:
        instruments = [_named(catalog, params["symbol"])]
    elif "symbols" in params:
        names = _texts(params["symbols"], "symbols")
        if len(set(names)) != len(names):
            raise Refusal(DUPLICATE_SYMBOLS)
        instruments = [_named(catalog, name) for name in names]
    elif "permissions" in params:
        text = params["permissions"]
        wanted = _texts(text, "permissions") if text.startswith("[") else [text]
        instruments = instruments if PERMISSION in wanted else []
    return _with_status(instruments, params)


def _with_status(instruments: list[Instrument], params: Params) -> list[Instrument]:
    status = params.get("symbolStatus")
    if status is None:
        return instruments
    if status not in STATUSES.values():
        raise Refusal(INVALID_PARAMETER, "symbolStatus")
    return [instrument for instrument in instruments if STATUSES[instrument.status] == status]


def _named(catalog: Catalog, symbol: str) -> Instrument:
    instrument = catalog.by_symbol.get(symbol)
    if instrument is None:
        raise Refusal(INVALID_SYMBOL)
    return instrument


def _texts(text: str, name: str) -> list[str]:
    try:
        return _symbol_list(text)
    except msgspec.DecodeError:
        raise Refusal(INVALID_JSON_PARAMETER, name) from None
