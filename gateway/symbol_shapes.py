"""The shapes of exchangeInfo, and of a rate limit, on the wire; only data, fields in the documented order."""
from typing import Any

from msgspec import UNSET, Struct, UnsetType


class RateLimit(Struct, rename="camel"):
    """A limit in force; `count`, where it is shown, is what was used of it."""

    rate_limit_type: str
    interval: str
    interval_num: int
    limit: int
    count: int | UnsetType = UNSET


class PriceFilter(Struct, rename="camel", tag_field="filterType", tag="PRICE_FILTER"):
    """The range of prices and their step."""

    min_price: str
    max_price: str
    tick_size: str


class LotSize(Struct, rename="camel", tag_field="filterType", tag="LOT_SIZE"):
    """The range of quantities and their step."""

    min_qty: str
    max_qty: str
    step_size: str


class MarketLotSize(Struct, rename="camel", tag_field="filterType", tag="MARKET_LOT_SIZE"):
    """The same for market orders."""

    min_qty: str
    max_qty: str
    step_size: str


class Notional(Struct, rename="camel", tag_field="filterType", tag="NOTIONAL"):
    """The range of price times quantity."""

    min_notional: str
    apply_min_to_market: bool
    max_notional: str
    apply_max_to_market: bool
    avg_price_mins: int


class IcebergParts(Struct, rename="camel", tag_field="filterType", tag="ICEBERG_PARTS"):
    """How many parts an iceberg may be shown in."""

    limit: int


class TrailingDelta(Struct, rename="camel", tag_field="filterType", tag="TRAILING_DELTA"):
    """How far a trailing stop may follow, in 1/10,000; above: STOP_LOSS BUY and TAKE_PROFIT SELL, below: the others."""

    min_trailing_above_delta: int
    max_trailing_above_delta: int
    min_trailing_below_delta: int
    max_trailing_below_delta: int


class PercentPriceBySide(Struct, rename="camel", tag_field="filterType", tag="PERCENT_PRICE_BY_SIDE"):
    """How far from the last price an order's price may lie, as multiples of it."""

    bid_multiplier_up: str
    bid_multiplier_down: str
    ask_multiplier_up: str
    ask_multiplier_down: str
    avg_price_mins: int


class MaxNumOrders(Struct, rename="camel", tag_field="filterType", tag="MAX_NUM_ORDERS"):
    """Open orders of an account."""

    max_num_orders: int


class MaxNumAlgoOrders(Struct, rename="camel", tag_field="filterType", tag="MAX_NUM_ALGO_ORDERS"):
    """Open orders of an account that wait for their trigger."""

    max_num_algo_orders: int


Filter = (
    PriceFilter | LotSize | MarketLotSize | Notional | IcebergParts | TrailingDelta | PercentPriceBySide
    | MaxNumOrders | MaxNumAlgoOrders)


class SymbolInfo(Struct, rename="camel", kw_only=True):
    """One row of `symbols`."""

    symbol: str
    status: str
    base_asset: str
    base_asset_precision: int
    quote_asset: str
    quote_precision: int
    quote_asset_precision: int
    base_commission_precision: int
    quote_commission_precision: int
    order_types: list[str]
    iceberg_allowed: bool = True
    oco_allowed: bool = True
    oto_allowed: bool = True
    opo_allowed: bool = False
    quote_order_qty_market_allowed: bool = True
    allow_trailing_stop: bool = True
    cancel_replace_allowed: bool = True
    amend_allowed: bool = True
    peg_instructions_allowed: bool = False
    is_spot_trading_allowed: bool = True
    is_margin_trading_allowed: bool = False
    filters: list[Filter]
    permissions: list[str]
    permission_sets: list[list[str]]
    default_self_trade_prevention_mode: str = "NONE"
    allowed_self_trade_prevention_modes: list[str]


class ExchangeInfo(Struct, rename="camel"):
    """Reply to exchangeInfo."""

    timezone: str
    server_time: int
    rate_limits: list[RateLimit]
    exchange_filters: list[Any]
    symbols: list[SymbolInfo]
