"""Assets and instruments as the shell shows them: symbols, scales and exact decimal texts of the core's integers.

Amounts are written with 8 decimal places, as the venue we are compatible with writes them; an asset with more places is
cut off for display (towards zero), never in the core. An instrument whose price or lot step has no exact text in 8
places must not be submitted: ask `check_terms` first. The catalog leaves such an instrument out and says so in the log.
"""
import logging
from typing import Self

import numpy as np
from msgspec import Struct

from engine.core.codes import MAX_TICKS
from engine.core.decimals import format_decimal
from engine.core.exchange import Exchange
from engine.errors import InstrumentError
from engine.records import INSTRUMENT_COMMAND

PLACES = 8
E8 = 10**PLACES
_INT64_MAX = 2**63 - 1
_LIMITS = ("max_notional", "reference_ticks", "band_up_ppm", "band_down_ppm", "orders_max",
           "slippage_ppm", "stops_max", "day_end_s")   # of core.limits, and of core.protection
_log = logging.getLogger(__name__)


class Asset(Struct, frozen=True, kw_only=True):
    """A currency or coin: amounts are minor units of 10**-scale."""

    id: int
    code: str
    scale: int

    def text(self, minor: int) -> str:
        """An amount in minor units with 8 decimal places."""
        text = _decimal(minor, self.scale)
        if self.scale == PLACES:
            return text
        if self.scale > PLACES:
            return text[:PLACES - self.scale]
        return (text if self.scale else text + ".") + "0" * (PLACES - self.scale)


class Instrument(Struct, frozen=True, kw_only=True):
    """A pair of assets that is traded in whole lots at whole ticks."""

    id: int
    symbol: str
    base: str
    quote: str
    base_asset: Asset
    quote_asset: Asset
    base_scale: int
    quote_scale: int
    lot_value: int      # minor units of base per lot
    tick_value: int     # minor units of quote per tick x lot
    tick_e8: int        # price of one tick in 1e-8 quote per base
    lot_e8: int         # size of one lot in 1e-8 base
    min_lots: int
    max_lots: int
    max_ticks: int
    min_notional: int   # minor units of quote
    maker_fee_ppm: int
    taker_fee_ppm: int
    status: int
    max_notional: int = 0       # and what follows: INSTRUMENT_LIMITS, each off at 0
    reference_ticks: int = 0
    band_up_ppm: int = 0
    band_down_ppm: int = 0
    orders_max: int = 0
    slippage_ppm: int = 0       # and what follows: PROTECTION
    stops_max: int = 0
    day_end_s: int = 0

    def price_text(self, ticks: int) -> str:
        """A price with 8 decimal places."""
        return _decimal(ticks * self.tick_e8, PLACES)

    def qty_text(self, lots: int) -> str:
        """A quantity with 8 decimal places."""
        return self.base_asset.text(lots * self.lot_value)

    def base_text(self, minor: int) -> str:
        """An amount of base minor units with 8 decimal places."""
        return self.base_asset.text(minor)

    def quote_text(self, minor: int) -> str:
        """An amount of quote minor units with 8 decimal places."""
        return self.quote_asset.text(minor)


def _decimal(value: int, places: int) -> str:
    """Sums over many trades may exceed int64."""
    if value <= _INT64_MAX:
        return format_decimal(value, places)
    return f"{value // 10**places}.{value % 10**places:0{places}d}" if places else str(value)


def check_terms(
    base_scale: int, quote_scale: int, lot_value: int, tick_value: int, max_ticks: int = MAX_TICKS,
) -> tuple[int, int]:
    """(tick_e8, lot_e8) of these terms. Raises InstrumentError when one has no exact text in 8 decimal places."""
    if lot_value <= 0 or tick_value <= 0:
        raise InstrumentError("lot_value" if lot_value <= 0 else "tick_value", "must be above 0")
    lot_e8, lot_rest = divmod(lot_value * E8, 10**base_scale)
    if lot_rest:
        raise InstrumentError("lot_value", f"{lot_value} of scale {base_scale} is finer than {PLACES} decimal places")
    tick_e8, tick_rest = divmod(tick_value * 10**base_scale * E8, lot_value * 10**quote_scale)
    if tick_rest:
        raise InstrumentError("tick_value", f"{tick_value} gives a price step without an exact text in {PLACES} places")
    if max_ticks > MAX_TICKS:
        raise InstrumentError("max_ticks", f"must be at most {MAX_TICKS}")
    return tick_e8, lot_e8


class Catalog:
    """All assets and instruments of a core. The dicts are changed in place by `update`: keep a reference freely."""

    def __init__(self) -> None:
        self.assets: dict[int, Asset] = {}
        self.asset_by_code: dict[str, Asset] = {}
        self.by_id: dict[int, Instrument] = {}
        self.by_symbol: dict[str, Instrument] = {}

    @classmethod
    def of(cls, core: Exchange) -> Self:
        """The catalog of what is configured in this core now."""
        catalog = cls()
        catalog.update(core)
        return catalog

    def update(self, core: Exchange) -> None:
        """Read all from the core again; call it after a CONFIGURED event."""
        for number, code, scale in core.assets():
            asset = Asset(id=number, code=code, scale=scale)
            self.assets[number] = self.asset_by_code[code] = asset
        for record in np.frombuffer(core.instruments(), INSTRUMENT_COMMAND):
            number = int(record["instrument"])
            self._add(record, (*core.limits(number), *core.protection(number)))

    def _add(self, record: np.void, limits: tuple[int, ...]) -> None:
        try:
            instrument = _instrument(record, self.assets, limits)
        except InstrumentError as error:
            _log.error("instrument %d is not shown: %s", record["instrument"], error)
            return
        self.by_id[instrument.id] = self.by_symbol[instrument.symbol] = instrument


def _instrument(record: np.void, assets: dict[int, Asset], limits: tuple[int, ...]) -> Instrument:
    base, quote = assets[int(record["base_asset"])], assets[int(record["quote_asset"])]
    values = {name: int(record[name]) for name in (
        "lot_value", "tick_value", "min_lots", "max_lots", "max_ticks", "min_notional",
        "maker_fee_ppm", "taker_fee_ppm", "status")}
    tick_e8, lot_e8 = check_terms(base.scale, quote.scale, values["lot_value"], values["tick_value"])
    return Instrument(
        id=int(record["instrument"]), symbol=bytes(record["text"]).decode("ascii", "backslashreplace"), base=base.code,
        quote=quote.code, base_asset=base, quote_asset=quote, base_scale=base.scale, quote_scale=quote.scale,
        tick_e8=tick_e8, lot_e8=lot_e8, **values, **dict(zip(_LIMITS, limits, strict=True)))
