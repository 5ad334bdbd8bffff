"""Shapes of public market data that only REST has."""
from msgspec import Struct, field

KlineRow = tuple[int, str, str, str, str, str, int, str, int, str, str, str]


class AggTradeRow(Struct, gc=False):
    """One row of aggTrades."""

    a: int
    p: str
    q: str
    f: int
    l: int  # noqa: E741 - the protocol's name
    time: int = field(name="T")
    m: bool
    best_match: bool = field(name="M", default=True)


class AveragePrice(Struct, rename="camel"):
    """avgPrice; closeTime is that of the last trade, 0 before the first."""

    mins: int
    price: str
    close_time: int


class MiniTicker(Struct, gc=False, rename="camel", kw_only=True):
    """ticker and ticker/24hr, type=MINI."""

    symbol: str
    open_price: str
    high_price: str
    low_price: str
    last_price: str
    volume: str
    quote_volume: str
    open_time: int
    close_time: int
    first_id: int
    last_id: int
    count: int


class WindowTicker(Struct, gc=False, rename="camel", kw_only=True):
    """ticker, type=FULL."""

    symbol: str
    price_change: str
    price_change_percent: str
    weighted_avg_price: str
    open_price: str
    high_price: str
    low_price: str
    last_price: str
    volume: str
    quote_volume: str
    open_time: int
    close_time: int
    first_id: int
    last_id: int
    count: int


class DayTicker(Struct, gc=False, rename="camel", kw_only=True):
    """ticker/24hr, type=FULL."""

    symbol: str
    price_change: str
    price_change_percent: str
    weighted_avg_price: str
    prev_close_price: str
    last_price: str
    last_qty: str
    bid_price: str
    bid_qty: str
    ask_price: str
    ask_qty: str
    open_price: str
    high_price: str
    low_price: str
    volume: str
    quote_volume: str
    open_time: int
    close_time: int
    first_id: int
    last_id: int
    count: int
