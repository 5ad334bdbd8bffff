"""What a listing says differently from an exchange that was set up before: the requests that make it so.

New assets and instruments are added, changed bounds, fees and limits are set; what the listing does not say stays as it
is, and so does an instrument's status. Accounts and their opening balances are for the first start only. Assets, steps
and pairs never change: a listing that says so is refused.
"""
from typing import Any

import msgspec

from buttonwood.listing import FIRST, InstrumentTerms, Listing, Request, instrument_terms, limit_terms
from engine.errors import VenueError
from engine.instruments import Asset, Instrument

_FOR_EVER = ("base_asset", "quote_asset", "lot_value", "tick_value")
_LIMITS = {"admin.limits": ("max_notional", "reference_ticks", "band_up_ppm", "band_down_ppm", "orders_max"),
           "admin.protection": ("slippage_ppm", "stops_max", "day_end_s")}


class Offered(msgspec.Struct):
    """Answer of engine.catalog."""

    assets: list[Asset]
    instruments: list[Instrument]


def changes(listing: Listing, offered: Offered) -> list[Request]:
    """In the order in which they must be sent. Raises VenueError for what cannot be changed."""
    known = {asset.code: asset for asset in offered.assets}
    ids = {code: asset.id for code, asset in known.items()}
    scales = {code: asset.scale for code, asset in known.items()}
    requests: list[Request] = []
    for asset in listing.assets:
        if asset.code not in known:
            ids[asset.code], scales[asset.code] = max(ids.values(), default=0) + 1, asset.scale
            requests.append(("admin.asset", {"asset": ids[asset.code], "scale": asset.scale, "code": asset.code}))
        elif known[asset.code].scale != asset.scale:
            raise VenueError(f"asset {asset.code}: its scale is {known[asset.code].scale} for ever, the listing says "
                             f"{asset.scale}")
    by_symbol = {instrument.symbol: instrument for instrument in offered.instruments}
    next_id = max((instrument.id for instrument in offered.instruments), default=0) + 1
    for terms in listing.instruments:
        found = by_symbol.get(terms.symbol)
        requests += _instrument(terms, found, found.id if found else next_id, ids, scales)
        next_id += found is None
    return requests


def _instrument(terms: InstrumentTerms, found: Instrument | None, number: int, ids: dict[str, int],
                scales: dict[str, int]) -> list[Request]:
    now = {} if found is None else _terms_of(found)
    said = instrument_terms(terms, ids, scales)
    for name in _FOR_EVER:
        if found is not None and said[name] != now[name]:
            raise VenueError(f"instrument {terms.symbol}: {name} is {now[name]} for ever, the listing makes it "
                             f"{said[name]}: list it under another symbol")
    requests: list[Request] = []
    if any(now.get(name) != value for name, value in said.items()):
        requests.append(("admin.instrument", {"instrument": number, "status": 0, **FIRST, **now, **said}))
    for method, limits in limit_terms(terms, scales).items():
        before = {name: getattr(found, name, 0) for name in _LIMITS[method]}
        if any(before[name] != value for name, value in limits.items()):
            requests.append((method, {"instrument": number, **before, **limits}))
    return requests


def _terms_of(found: Instrument) -> dict[str, Any]:
    names = ("symbol", "lot_value", "tick_value", "min_lots", "max_lots", "max_ticks", "min_notional", "maker_fee_ppm",
             "taker_fee_ppm", "status")
    return {"base_asset": found.base_asset.id, "quote_asset": found.quote_asset.id,
            **{name: getattr(found, name) for name in names}}
