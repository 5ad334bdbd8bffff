"""The shapes of market streams on the wire, by kind; only data.

The worker writes these texts by formatting, which takes a fraction of the time; its tests decode every text with the
shape that stands here and want the same bytes back. Prices and quantities are texts, times milliseconds.
"""
from typing import Any

from msgspec import Struct, field

from engine.market_channels import KLINES, PARTIAL_LEVELS, TICKER_WINDOWS, Kind
from gateway.protocol import Depth

Level = tuple[str, str]   # price, quantity


class _Event(Struct, kw_only=True):
    event: str = field(name="e")
    event_time: int = field(name="E")
    symbol: str = field(name="s")


class TradeEvent(_Event, kw_only=True):
    """One fill."""

    event: str = field(name="e", default="trade")
    trade_id: int = field(name="t")
    price: str = field(name="p")
    qty: str = field(name="q")
    trade_time: int = field(name="T")
    buyer_was_maker: bool = field(name="m")
    best_match: bool = field(name="M", default=True)


class AggTradeEvent(_Event, kw_only=True):
    """What one taker order traded at one price."""

    event: str = field(name="e", default="aggTrade")
    agg_trade_id: int = field(name="a")
    price: str = field(name="p")
    qty: str = field(name="q")
    first_trade_id: int = field(name="f")
    last_trade_id: int = field(name="l")
    trade_time: int = field(name="T")
    buyer_was_maker: bool = field(name="m")
    best_match: bool = field(name="M", default=True)


class BookTickerEvent(Struct):
    """Best prices and what stands there; zeros for an empty side."""

    update_id: int = field(name="u")
    symbol: str = field(name="s")
    bid_price: str = field(name="b")
    bid_qty: str = field(name="B")
    ask_price: str = field(name="a")
    ask_qty: str = field(name="A")


class DepthEvent(_Event, kw_only=True):
    """What levels hold after the updates from U to u; quantity 0 removes a level."""

    event: str = field(name="e", default="depthUpdate")
    first_update_id: int = field(name="U")
    last_update_id: int = field(name="u")
    bids: list[Level] = field(name="b")
    asks: list[Level] = field(name="a")


class DepthChecksumEvent(_Event, kw_only=True):
    """CRC-32 of the best levels after the update u."""

    event: str = field(name="e", default="depthCrc")
    last_update_id: int = field(name="u")
    levels: int = field(name="n")
    checksum: int = field(name="c")


class OrderAdded(Struct, array_like=True, tag="a"):
    """An order stands in the book now, behind all others at its price; side B or S, what it shows."""

    order_id: int
    side: str
    price: str
    qty: str


class OrderExecuted(Struct, array_like=True, tag="e"):
    """So much of it traded; what it shows now, and keeps its place with; 0: it has left the book."""

    order_id: int
    qty: str
    left: str
    trade_id: int


class OrderModified(Struct, array_like=True, tag="m"):
    """What it shows now; it keeps its place."""

    order_id: int
    left: str


class OrderDeleted(Struct, array_like=True, tag="d"):
    """It has left the book."""

    order_id: int


OrderChange = OrderAdded | OrderExecuted | OrderModified | OrderDeleted


class OrdersEvent(_Event, kw_only=True):
    """What happened to single orders in the updates from U to u, in order."""

    event: str = field(name="e", default="l3")
    first_update_id: int = field(name="U")
    last_update_id: int = field(name="u")
    orders: list[OrderChange] = field(name="o")


class Kline(Struct, kw_only=True):
    """A candle."""

    open_time: int = field(name="t")
    close_time: int = field(name="T")
    symbol: str = field(name="s")
    interval: str = field(name="i")
    first_trade_id: int = field(name="f")
    last_trade_id: int = field(name="L")
    open: str = field(name="o")
    close: str = field(name="c")
    high: str = field(name="h")
    low: str = field(name="l")
    volume: str = field(name="v")
    trades: int = field(name="n")
    closed: bool = field(name="x")
    quote_volume: str = field(name="q")
    taker_buy_volume: str = field(name="V")
    taker_buy_quote_volume: str = field(name="Q")
    ignored: str = field(name="B", default="0")


class KlineEvent(_Event, kw_only=True):
    """A candle as it is now; `x` when it will not change any more."""

    event: str = field(name="e", default="kline")
    kline: Kline = field(name="k")


class MiniTickerEvent(_Event, kw_only=True):
    """24 hours in short."""

    event: str = field(name="e", default="24hrMiniTicker")
    last_price: str = field(name="c")
    open_price: str = field(name="o")
    high_price: str = field(name="h")
    low_price: str = field(name="l")
    volume: str = field(name="v")
    quote_volume: str = field(name="q")


class TickerEvent(_Event, kw_only=True):
    """24 hours in full."""

    event: str = field(name="e", default="24hrTicker")
    price_change: str = field(name="p")
    price_change_percent: str = field(name="P")
    average_price: str = field(name="w")
    price_before: str = field(name="x")
    last_price: str = field(name="c")
    last_qty: str = field(name="Q")
    bid_price: str = field(name="b")
    bid_qty: str = field(name="B")
    ask_price: str = field(name="a")
    ask_qty: str = field(name="A")
    open_price: str = field(name="o")
    high_price: str = field(name="h")
    low_price: str = field(name="l")
    volume: str = field(name="v")
    quote_volume: str = field(name="q")
    open_time: int = field(name="O")
    close_time: int = field(name="C")
    first_trade_id: int = field(name="F")
    last_trade_id: int = field(name="L")
    trades: int = field(name="n")


class WindowTickerEvent(_Event, kw_only=True):
    """1h, 4h or 1d; `e` says which."""

    price_change: str = field(name="p")
    price_change_percent: str = field(name="P")
    average_price: str = field(name="w")
    last_price: str = field(name="c")
    open_price: str = field(name="o")
    high_price: str = field(name="h")
    low_price: str = field(name="l")
    volume: str = field(name="v")
    quote_volume: str = field(name="q")
    open_time: int = field(name="O")
    close_time: int = field(name="C")
    first_trade_id: int = field(name="F")
    last_trade_id: int = field(name="L")
    trades: int = field(name="n")


class AveragePriceEvent(_Event, kw_only=True):
    """Average price of five minutes."""

    event: str = field(name="e", default="avgPrice")
    interval: str = field(name="i")
    average_price: str = field(name="w")
    last_trade_time: int = field(name="T")


class ServerShutdown(Struct, kw_only=True):
    """The process ends: connect again."""

    event: str = field(name="e", default="serverShutdown")
    event_time: int = field(name="E")


class ListenKeyExpired(Struct, kw_only=True):
    """The time of a listen key is over."""

    event: str = field(name="e", default="listenKeyExpired")
    event_time: int = field(name="E")
    listen_key: str = field(name="listenKey")


class ControlResult(Struct):
    """A control message was carried out."""

    result: Any
    id: int | str | None


class ControlProblem(Struct):
    """What was wrong with a control message."""

    code: int
    msg: str


class ControlError(Struct):
    """A control message was not carried out."""

    error: ControlProblem
    id: int | str | None


SHAPES: dict[Kind, Any] = {
    Kind.TRADE: TradeEvent, Kind.AGG_TRADE: AggTradeEvent, Kind.BOOK_TICKER: BookTickerEvent,
    Kind.BOOK_TICKERS: BookTickerEvent, Kind.DEPTH_100: DepthEvent, Kind.DEPTH_1000: DepthEvent,
    Kind.DEPTH_RAW: DepthEvent, Kind.DEPTH_CRC: DepthChecksumEvent,
    Kind.L3: OrdersEvent,
    Kind.MINI_TICKER: MiniTickerEvent, Kind.MINI_TICKERS: list[MiniTickerEvent], Kind.TICKER: TickerEvent,
    Kind.TICKERS: list[TickerEvent], Kind.AVG_PRICE: AveragePriceEvent,
    **dict.fromkeys(PARTIAL_LEVELS, Depth), **dict.fromkeys(KLINES, KlineEvent),
    **dict.fromkeys((one for one, _ in TICKER_WINDOWS.values()), WindowTickerEvent),
    **dict.fromkeys((every for _, every in TICKER_WINDOWS.values()), list[WindowTickerEvent]),
}
