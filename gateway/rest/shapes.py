"""Shapes that only REST has; all others are those of the WebSocket API (gateway/protocol.py)."""
from msgspec import Struct


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


class ErrorBody(Struct):
    """What every refusal looks like."""

    code: int
    msg: str


class Empty(Struct):
    """An object without members."""


class ServerTime(Struct, rename="camel"):
    """Reply to time."""

    server_time: int
