"""Shapes that only REST has; all others are those of the WebSocket API (gateway/protocol.py)."""
from typing import Any

from msgspec import Struct

from gateway.symbol_shapes import RateLimit


class AccountTrade(Struct, gc=False, rename="camel"):
    """One row of myTrades."""

    symbol: str
    id: int
    order_id: int
    order_list_id: int
    price: str
    qty: str
    quote_qty: str
    commission: str
    commission_asset: str
    time: int
    is_buyer: bool
    is_maker: bool
    is_best_match: bool


class TradeFee(Struct, gc=False, rename="camel"):
    """One row of asset/tradeFee."""

    symbol: str
    maker_commission: str
    taker_commission: str


class SystemStatus(Struct):
    """system/status: 0 is normal."""

    status: int
    msg: str


class NoSymbols(Struct, rename="camel"):
    """exchangeInfo of a market where nothing is traded."""

    timezone: str
    server_time: int
    rate_limits: list[RateLimit] = []
    exchange_filters: list[Any] = []
    assets: list[Any] = []
    symbols: list[Any] = []


class ErrorBody(Struct):
    """What every refusal looks like."""

    code: int
    msg: str
