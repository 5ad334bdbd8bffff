"""What a venue offers, in people's terms: assets, instruments, funded accounts; and the same as the
core's integers. A listing is a TOML file (`buttonwood up --listing FILE`) or a value in the code (the demo's).

    [[assets]]
    code = "USDT"                # scale = 8 decimal places if nothing else is said
    [[assets]]
    code = "BTC"
    [[instruments]]
    symbol = "BTCUSDT"
    base = "BTC"
    quote = "USDT"
    tick = "0.01"                # price step
    lot = "0.00001"              # quantity step
    max_price = "1000000"
    max_quantity = "9000"
    [[accounts]]
    id = 2                       # 0 and 1 belong to the venue
    label = "alice"
    balances = { USDT = "100000", BTC = "2" }
"""
import tomllib
from pathlib import Path
from typing import Any

from msgspec import Struct, ValidationError, convert, field

from engine.core.codes import FIRST_USER_ACCOUNT
from engine.core.decimals import parse_decimal
from engine.errors import ConfigError

_STEP_PLACES = 9      # decimal places a price or quantity step may have
_MAY_BE_ZERO = ("min_notional", "max_notional", "reference_price")
FIRST = {"min_notional": 0, "maker_fee_ppm": 1000, "taker_fee_ppm": 1000}   # of a new instrument
Request = tuple[str, dict[str, Any]]


class AssetTerms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A currency or coin, counted in units of 10**-scale."""

    code: str
    scale: int = 8


class InstrumentTerms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is traded against what, in which steps, bounds and limits. Fees are millionths of what is received."""

    symbol: str
    base: str
    quote: str
    tick: str
    lot: str
    max_price: str
    max_quantity: str
    min_notional: str | None = None         # and what follows: what is not said is as in FIRST, later left as it is
    maker_fee_ppm: int | None = None
    taker_fee_ppm: int | None = None
    max_notional: str | None = None         # limits; "0" or 0 switches one off
    reference_price: str | None = None      # middle of the band until something has traded
    band_up_ppm: int | None = None          # how far above and below the last trade an order may be priced
    band_down_ppm: int | None = None
    orders_max: int | None = None           # of an account: open orders
    stops_max: int | None = None            # of an account: stop orders that wait
    slippage_ppm: int | None = None         # how far from the best price a market order trades
    day_end_s: int | None = None            # when DAY orders end, in seconds of the UTC day


class AccountTerms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A customer and what is credited to him at the start."""

    id: int
    label: str
    balances: dict[str, str] = field(default_factory=dict)


class Listing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything a new venue is told, in this order."""

    assets: list[AssetTerms]
    instruments: list[InstrumentTerms]
    accounts: list[AccountTerms] = field(default_factory=list)

    def requests(self) -> list[Request]:
        """The same as calls of the exchange's door, each of which becomes exactly one command."""
        asset_ids = {asset.code: number for number, asset in enumerate(self.assets, 1)}
        scales = {asset.code: asset.scale for asset in self.assets}
        requests: list[Request] = [
            ("admin.asset", {"asset": number, "scale": asset.scale, "code": asset.code})
            for number, asset in enumerate(self.assets, 1)]
        for number, terms in enumerate(self.instruments, 1):
            requests.append(("admin.instrument", {
                "instrument": number, "status": 0, **FIRST, **instrument_terms(terms, asset_ids, scales)}))
            requests += [(method, {"instrument": number, **values})
                         for method, values in limit_terms(terms, scales).items() if values]
        for account in self.accounts:
            requests.extend(_account(account))
        return requests


def read_listing(path: Path) -> Listing:
    """A listing from a file. Raises ConfigError naming the file and the key."""
    try:
        listing = convert(tomllib.loads(path.read_text(encoding="utf-8")), Listing)
        listing.requests()
        return listing
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError, ConfigError) as error:
        raise ConfigError(f"{path}: {error}") from None


def instrument_terms(terms: InstrumentTerms, ids: dict[str, int], scales: dict[str, int]) -> dict[str, Any]:
    """The fields of admin.instrument that these terms say, but for number and status. Raises ConfigError."""
    for key, code in (("base", terms.base), ("quote", terms.quote)):
        if code not in ids:
            raise ConfigError(f"instrument {terms.symbol}: {key} {code!r} is no asset of this listing")
    tick, lot = _number(terms, "tick", _STEP_PLACES), _number(terms, "lot", _STEP_PLACES)
    said = {name: getattr(terms, name) for name in ("maker_fee_ppm", "taker_fee_ppm")}
    if terms.min_notional is not None:
        said["min_notional"] = _number(terms, "min_notional", scales[terms.quote])
    return {
        "symbol": terms.symbol, "base_asset": ids[terms.base], "quote_asset": ids[terms.quote],
        "lot_value": _minor(terms, "lot", lot, _STEP_PLACES - scales[terms.base]),
        "tick_value": _minor(terms, "tick x lot", tick * lot, 2 * _STEP_PLACES - scales[terms.quote]),
        "min_lots": 1, "max_lots": _steps(terms, "max_quantity", lot), "max_ticks": _steps(terms, "max_price", tick),
        **{name: value for name, value in said.items() if value is not None},
    }


def limit_terms(terms: InstrumentTerms, scales: dict[str, int]) -> dict[str, dict[str, int]]:
    """The fields of admin.limits and admin.protection that these terms say. Raises ConfigError."""
    limits = {name: getattr(terms, name) for name in ("band_up_ppm", "band_down_ppm", "orders_max")}
    if terms.max_notional is not None:
        limits["max_notional"] = _number(terms, "max_notional", scales[terms.quote])
    if terms.reference_price is not None:
        limits["reference_ticks"] = _steps(terms, "reference_price", _number(terms, "tick", _STEP_PLACES))
    protection = {name: getattr(terms, name) for name in ("slippage_ppm", "stops_max", "day_end_s")}
    return {method: {name: value for name, value in said.items() if value is not None}
            for method, said in (("admin.limits", limits), ("admin.protection", protection))}


def _account(terms: AccountTerms) -> list[Request]:
    if terms.id < FIRST_USER_ACCOUNT:
        raise ConfigError(f"account {terms.label}: id {terms.id} is the venue's own: use {FIRST_USER_ACCOUNT} or more")
    credits = [("admin.credit", {"account": terms.id, "asset": code, "amount": amount, "reference": "opening"})
               for code, amount in terms.balances.items()]
    return [("admin.account", {"account": terms.id, "status": 0, "label": terms.label}), *credits]


def _number(terms: InstrumentTerms, key: str, places: int) -> int:
    """A decimal field as an integer of 10**-places."""
    value = parse_decimal(getattr(terms, key), places)
    if value < 0 or (value == 0 and key not in _MAY_BE_ZERO):
        raise ConfigError(f"instrument {terms.symbol}: {key} = {getattr(terms, key)!r}: "
                          f"write a positive decimal number with at most {places} places")
    return value


def _steps(terms: InstrumentTerms, key: str, step: int) -> int:
    value = _number(terms, key, _STEP_PLACES)
    if value % step:
        raise ConfigError(f"instrument {terms.symbol}: {key} is no whole number of steps")
    return value // step


def _minor(terms: InstrumentTerms, what: str, value: int, surplus_places: int) -> int:
    """Drop decimal places the asset does not have; they must be zero, or money would be rounded."""
    scale: int = 10 ** abs(surplus_places)
    if surplus_places < 0:
        return value * scale
    if value % scale:
        raise ConfigError(f"instrument {terms.symbol}: {what} is finer than one minor unit: make the steps coarser, "
                          "or the asset's scale larger")
    return value // scale
