"""One example of each shape, written as the struct that it is an example of: it cannot name a field that is not there.

They tell of one day: BTCUSDT, a limit order for 0.5 at 65,000 of which 0.2 was filled.
"""
from types import UnionType
from typing import Any, Union, get_args, get_origin

import msgspec
from msgspec import Raw, Struct

from gateway import amend_protocol, feed_shapes, list_protocol, symbol_shapes
from gateway import protocol as shapes
from gateway.exchange_info import PERMISSION
from gateway.feed_control import INVALID_REQUEST
from gateway.protocol import ORDER_TYPES, STP_MODES, ZERO, encode
from gateway.rates import Wait
from gateway.rest import market_shapes
from gateway.rest import shapes as rest_shapes
from gateway.small_shapes import (
    Allocation,
    Amendment,
    Countdown,
    DisconnectMode,
    Empty,
    ListenKey,
    OrderDepth,
    PlacedBefore,
    ServerTime,
    StreamTerminated,
    Subscription,
)

_SYMBOL, _ORDER, _LIST, _NAME = "BTCUSDT", 1002, 1001, "my-order-1"
_MS, _HOUR_MS, _DAY_MS = 1_795_000_000_000, 3_600_000, 86_400_000
_PRICE, _STOP, _QTY, _DONE = "65000.00000000", "64000.00000000", "0.50000000", "0.20000000"
_PAID, _FEE = "13000.00000000", "0.00020000"
_TERMS = ("PARTIALLY_FILLED", "GTC", "LIMIT", "BUY")
_LEG = list_protocol.ListLeg(_SYMBOL, _ORDER, _NAME)
_ACK = (_SYMBOL, _ORDER, -1, _NAME, _MS)
_RESULT = (*_ACK, _PRICE, _QTY, _DONE, ZERO, _PAID, *_TERMS, _MS, "NONE")
_STATE = shapes.OrderState(_SYMBOL, _ORDER, -1, _NAME, _PRICE, _QTY, _DONE, _PAID, *_TERMS, ZERO, ZERO, _MS, _MS + 5,
                           True, _MS, ZERO, "NONE")
_CANCELED = shapes.OrderCanceled(_SYMBOL, _NAME, _ORDER, -1, "my-cancel-1", _MS, _PRICE, _QTY, _DONE, ZERO, _PAID,
                                 "CANCELED", *_TERMS[1:], "NONE")
_FULL = shapes.OrderFull(*_RESULT, fills=[shapes.Fill(_PRICE, _DONE, _FEE, "BTC", 77)])
_AMENDED = amend_protocol.AmendedOrder(
    _SYMBOL, _ORDER, -1, _NAME, _NAME, _PRICE, "0.40000000", _DONE, ZERO, ZERO, _PAID, *_TERMS, _MS, "NONE")
_AMENDED_LIST = amend_protocol.AmendedList(_LIST, "OCO", "EXECUTING", "my-list-1", _SYMBOL, [_LEG])
_BALANCE = shapes.Balance("BTC", "9.50000000", _QTY)
_LIST_STATE = (_LIST, "OCO", "EXEC_STARTED", "EXECUTING", "my-list-1", _MS, _SYMBOL, [_LEG])
_FEES = shapes.CommissionRates("0.00100000", "0.00200000", ZERO, ZERO)
_NO_FEES = shapes.CommissionRates(ZERO, ZERO, ZERO, ZERO)
_NO_ORDER_FEES = shapes.OrderCommission(ZERO, ZERO)
_FILTERS: list[symbol_shapes.Filter] = [
    symbol_shapes.PriceFilter("0.01000000", "10000000.00000000", "0.01000000"),
    symbol_shapes.LotSize("0.00010000", "10000.00000000", "0.00010000"),
    symbol_shapes.MarketLotSize("0.00010000", "10000.00000000", "0.00010000"),
    symbol_shapes.Notional("10.00000000", False, "92233720368.54775807", False, 0),
    symbol_shapes.IcebergParts(100), symbol_shapes.TrailingDelta(10, 2000, 10, 2000),
    symbol_shapes.PercentPriceBySide("1.100000", "0.900000", "1.100000", "0.900000", 0),
    symbol_shapes.MaxNumOrders(200), symbol_shapes.MaxNumAlgoOrders(5)]
_INFO = symbol_shapes.SymbolInfo(
    symbol=_SYMBOL, status="TRADING", base_asset="BTC", base_asset_precision=8, quote_asset="USDT", quote_precision=8,
    quote_asset_precision=8, base_commission_precision=8, quote_commission_precision=8, order_types=list(ORDER_TYPES),
    filters=_FILTERS, permissions=[PERMISSION], permission_sets=[[PERMISSION]],
    allowed_self_trade_prevention_modes=list(STP_MODES))
_RATE = symbol_shapes.RateLimit("REQUEST_WEIGHT", "MINUTE", 1, 6000)
_WINDOW: dict[str, Any] = {
    "symbol": _SYMBOL, "open_price": _STOP, "high_price": _PRICE, "low_price": _STOP, "last_price": _PRICE,
    "volume": _QTY, "quote_volume": "32250.00000000", "open_time": _MS - _DAY_MS, "close_time": _MS, "first_id": 70,
    "last_id": 77, "count": 8}
_CHANGE: dict[str, Any] = {
    "price_change": "1000.00000000", "price_change_percent": "1.563", "weighted_avg_price": "64500.00000000"}
_BEST: dict[str, Any] = {"bid_price": "64999.00000000", "bid_qty": _QTY, "ask_price": _PRICE, "ask_qty": _QTY}
_TOLD: dict[str, Any] = {
    "event_time": _MS, "symbol": _SYMBOL, "last_price": _PRICE, "open_price": _STOP, "high_price": _PRICE,
    "low_price": _STOP, "volume": _QTY, "quote_volume": "32250.00000000"}
_MORE: dict[str, Any] = {
    "price_change": "1000.00000000", "price_change_percent": "1.563", "average_price": "64500.00000000",
    "open_time": _MS - _DAY_MS, "close_time": _MS, "first_trade_id": 70, "last_trade_id": 77, "trades": 8}
_CANDLE = feed_shapes.Kline(
    open_time=_MS, close_time=_MS + _HOUR_MS - 1, symbol=_SYMBOL, interval="1h", first_trade_id=70, last_trade_id=77,
    open=_STOP, close=_PRICE, high=_PRICE, low=_STOP, volume=_QTY, trades=8, closed=False,
    quote_volume="32250.00000000", taker_buy_volume=_DONE, taker_buy_quote_volume=_PAID)
_ORDERS: list[feed_shapes.OrderChange] = [
           feed_shapes.OrderExecuted(990, _DONE, _QTY, 77), feed_shapes.OrderAdded(_ORDER, "B", _PRICE, _QTY),
           feed_shapes.OrderModified(991, _QTY), feed_shapes.OrderDeleted(992)]
_REPORT = shapes.ExecutionReport(
    event_time=_MS, symbol=_SYMBOL, client_order_id=_NAME, side="BUY", order_type="LIMIT", time_in_force="GTC",
    qty=_QTY, price=_PRICE, execution_type="TRADE", status="PARTIALLY_FILLED", order_id=_ORDER, last_qty=_DONE,
    executed_qty=_DONE, last_price=_PRICE, commission=_FEE, commission_asset="BTC", transaction_time=_MS, trade_id=77,
    execution_id=309, on_book=True, order_time=_MS, quote_filled=_PAID, last_quote=_PAID, quote_order_qty=ZERO,
    working_time=_MS)

_EXAMPLES: list[Struct] = [
    Empty(), PlacedBefore(_ORDER), ServerTime(_MS), Countdown(_SYMBOL, 60_000, _MS + 60_000), DisconnectMode("SESSION"),
    Subscription(0), ListenKey(64 * "0"),
    Wait(_MS, _MS + 10_000), _RATE, *_FILTERS, _INFO, symbol_shapes.ExchangeInfo("UTC", _MS, [_RATE], [], [_INFO]),
    *_FULL.fills, shapes.OrderAck(*_ACK), shapes.OrderResult(*_RESULT), _FULL, _CANCELED, _STATE,
    _AMENDED, _AMENDED_LIST, amend_protocol.OrderAmended(_MS, 4020, _AMENDED, _AMENDED_LIST),
    shapes.PreventedMatch(_SYMBOL, 78, 1003, _SYMBOL, _ORDER, -1, "EXPIRE_TAKER", _PRICE, _DONE, transact_time=_MS),
    shapes.CancelReplaced("SUCCESS", "SUCCESS", Raw(encode(_CANCELED)), Raw(encode(_FULL))),
    shapes.AccountState(
        10, 20, 0, 0, _FEES, True, False, False, False, False, False, _MS, "SPOT", [_BALANCE], [PERMISSION], 2),
    _BALANCE, _FEES, shapes.PublicTrade(77, _PRICE, _DONE, _PAID, _MS, True, True),
    shapes.BookTicker(_SYMBOL, *_BEST.values()), shapes.PriceTicker(_SYMBOL, _PRICE),
    shapes.Depth(4711, [("64999.00000000", _QTY)], [(_PRICE, _QTY)]), shapes.Discount(),
    StreamTerminated(event_time=_MS),
    Amendment(_SYMBOL, _ORDER, 4020, _NAME, _NAME, _QTY, "0.40000000", _MS),
    Allocation(_SYMBOL, 5, "SOR", _ORDER, -1, _PRICE, _DONE, _PAID, _FEE, "BTC", _MS, True, False, False),
    OrderDepth(4711, [("64999.00000000", _QTY, 990)], [(_PRICE, _QTY, _ORDER)]),
    shapes.OrderCommission("0.00100000", "0.00200000"),
    shapes.TestCommission(shapes.OrderCommission("0.00100000", "0.00200000"), _NO_ORDER_FEES, _NO_ORDER_FEES,
                          shapes.Discount()),
    shapes.AccountCommission(_SYMBOL, _FEES, _NO_FEES, _NO_FEES, shapes.Discount()),
    shapes.SessionState("vmPUZE6mv9SD", _MS, _MS - 5, True, _MS, False), _REPORT,
    shapes.PositionBalance("BTC", "9.50000000", _QTY), shapes.BalanceUpdate(
        event_time=_MS, asset="USDT", change="1000.00000000", clear_time=_MS),
    shapes.AccountPosition(event_time=_MS, update_time=_MS, balances=[
        shapes.PositionBalance("BTC", "9.50000000", _QTY)]),
    shapes.UserEvent(0, Raw(encode(_REPORT))),
    list_protocol.OrderListReply(*_LIST_STATE, order_reports=[_STATE]), list_protocol.OrderListState(*_LIST_STATE),
    _LEG, list_protocol.ListStatus(
        event_time=_MS, symbol=_SYMBOL, order_list_id=_LIST, contingency_type="OCO", list_status_type="EXEC_STARTED",
        list_order_status="EXECUTING", list_client_order_id="my-list-1", transaction_time=_MS,
        orders=[{"s": _SYMBOL, "i": _ORDER, "c": _NAME}]),
    rest_shapes.AccountTrade(_SYMBOL, 77, _ORDER, -1, _PRICE, _DONE, _PAID, _FEE, "BTC", _MS, True, False, True),
    rest_shapes.TradeFee(_SYMBOL, "0.00100000", "0.00200000"), rest_shapes.SystemStatus(0, "normal"),
    rest_shapes.NoSymbols("UTC", _MS), rest_shapes.ErrorBody(-2011, "Unknown order sent."),
    feed_shapes.TradeEvent(
        event_time=_MS, symbol=_SYMBOL, trade_id=77, price=_PRICE, qty=_DONE, trade_time=_MS, buyer_was_maker=False),
    feed_shapes.AggTradeEvent(
        event_time=_MS, symbol=_SYMBOL, agg_trade_id=12, price=_PRICE, qty=_DONE, first_trade_id=77, last_trade_id=77,
        trade_time=_MS, buyer_was_maker=False),
    feed_shapes.BookTickerEvent(4711, _SYMBOL, *_BEST.values()), feed_shapes.DepthEvent(
        event_time=_MS, symbol=_SYMBOL, first_update_id=4700, last_update_id=4711, bids=[("64999.00000000", _QTY)],
        asks=[(_PRICE, ZERO)]),
    feed_shapes.DepthChecksumEvent(event_time=_MS, symbol=_SYMBOL, last_update_id=4711, levels=10, checksum=2963712394),
    *_ORDERS, feed_shapes.OrdersEvent(
        event_time=_MS, symbol=_SYMBOL, first_update_id=4709, last_update_id=4711, orders=_ORDERS),
    _CANDLE, feed_shapes.KlineEvent(event_time=_MS, symbol=_SYMBOL, kline=_CANDLE),
    feed_shapes.MiniTickerEvent(**_TOLD), feed_shapes.WindowTickerEvent(event="1hTicker", **_TOLD, **_MORE),
    feed_shapes.TickerEvent(**_TOLD, **_MORE, **_BEST, price_before=_STOP, last_qty=_DONE),
    feed_shapes.AveragePriceEvent(
        event_time=_MS, symbol=_SYMBOL, interval="5m", average_price="64500.00000000", last_trade_time=_MS),
    feed_shapes.ListenKeyExpired(event_time=_MS, listen_key=64 * "0"),
    feed_shapes.ServerShutdown(event_time=_MS), feed_shapes.ControlResult(None, 1),
    feed_shapes.ControlProblem(INVALID_REQUEST, "Invalid request: params must be a list of stream names"),
    feed_shapes.ControlError(feed_shapes.ControlProblem(
        INVALID_REQUEST, "Invalid request: params must be a list of stream names"), 1),
    market_shapes.AggTradeRow(12, _PRICE, _DONE, 77, 77, _MS, True), market_shapes.AveragePrice(5, _PRICE, _MS),
    market_shapes.MiniTicker(**_WINDOW), market_shapes.WindowTicker(**_WINDOW, **_CHANGE),
    market_shapes.DayTicker(**_WINDOW, **_CHANGE, **_BEST, prev_close_price=_STOP, last_qty=_DONE),
]
EXAMPLES: dict[type[Struct], Struct] = {type(example): example for example in _EXAMPLES}
_KLINE: market_shapes.KlineRow = (
    _MS, _STOP, _PRICE, _STOP, _PRICE, _QTY, _MS + _HOUR_MS - 1, "32250.00000000", 8, _DONE, _PAID, "0")


def example_of(kind: Any) -> Any:
    """An example of a type, as plain objects: of a union its first member, of a list one row."""
    if get_origin(kind) in (Union, UnionType):
        return example_of(get_args(kind)[0])
    if get_origin(kind) is list:
        return [] if kind == list[Any] else [example_of(get_args(kind)[0])]
    if kind == market_shapes.KlineRow:
        return list(_KLINE)
    return msgspec.json.decode(encode(EXAMPLES[kind]))
