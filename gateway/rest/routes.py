"""The table of routes: what is asked where, what it weighs, who must sign, and what shape comes back.

`call` names the method of the WebSocket API that is meant; those in Gateway.local are answered here, all others by the
exchange. A parameter's name ends with "!" when it must be sent. Weights are the venue's we are compatible with.
"""
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from gateway.amend_protocol import OrderAmended
from gateway.list_protocol import OrderListReply, OrderListState
from gateway.protocol import (
    AccountCommission,
    AccountState,
    BookTicker,
    CancelReplaced,
    Depth,
    OrderAck,
    OrderCanceled,
    OrderFull,
    OrderResult,
    OrderState,
    PreventedMatch,
    PriceTicker,
    PublicTrade,
    TestCommission,
)
from gateway.rest.shapes import AccountTrade, ErrorBody, NoSymbols, SystemStatus, TradeFee
from gateway.small_shapes import Allocation, Amendment, Countdown, Empty, ListenKey, OrderDepth, ServerTime
from gateway.symbol_shapes import ExchangeInfo, RateLimit

SIGNED_PARAMETERS = "timestamp! recvWindow signature!"
_ORDER = (
    "symbol! side! type! timeInForce quantity quoteOrderQty price newClientOrderId newOrderRespType "
    "selfTradePreventionMode strategyId strategyType stopPrice trailingDelta icebergQty goodTillDate idempotent")
_REPLACE = (
    f"{_ORDER} cancelReplaceMode! cancelNewClientOrderId cancelOrigClientOrderId cancelOrderId cancelRestrictions "
    "orderRateLimitExceededMode")
_LIST = "symbol! listClientOrderId newOrderRespType selfTradePreventionMode"
_TARGET = "symbol! orderId origClientOrderId"
_PLACED = OrderFull | OrderResult | OrderAck


def _pair_leg(role: str) -> str:
    """Of a pair, which has its side and quantity in common."""
    names = ("Type!", "Price", "StopPrice", "TrailingDelta", "IcebergQty", "TimeInForce", "ClientOrderId")
    return " ".join(role + name for name in names)


def _leg(role: str) -> str:
    return f"{_pair_leg(role)} {role}Side! {role}Quantity!"


class Route(NamedTuple):
    """One method of one path."""

    verb: str
    path: str
    call: str
    weight: int
    parameters: str
    result: Any
    summary: str
    signed: bool = False
    keyed: bool = False     # the name of a key is enough
    counts_order: bool = False
    weigh: Callable[[Mapping[str, str]], int] | None = None   # where the weight depends on the parameters


def _depth_weight(params: Mapping[str, str]) -> int:
    text = params.get("limit", "100")
    limit = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 100
    return 5 if limit <= 100 else 25 if limit <= 500 else 50 if limit <= 1000 else 250


def _one_or_all(one: int, every: int) -> Callable[[Mapping[str, str]], int]:
    return lambda params: one if "symbol" in params else every


def _v3(verb: str, path: str, call: str, weight: int, parameters: str, result: Any, summary: str, **more: Any) -> Route:
    return Route(verb, f"/api/v3/{path}", call, weight, parameters, result, summary, **more)


ROUTES = (
    _v3("GET", "ping", "ping", 1, "", Empty, "Test connectivity"),
    _v3("GET", "time", "time", 1, "", ServerTime, "Server time"),
    _v3("GET", "exchangeInfo", "exchangeInfo", 20, "symbol symbols permissions symbolStatus showPermissionSets",
        ExchangeInfo, "Symbols and their rules"),
    _v3("GET", "depth", "depth", 5, "symbol! limit", Depth, "Order book", weigh=_depth_weight),
    _v3("GET", "depth/l3", "depth.l3", 5, "symbol! limit", OrderDepth, "Order book, order by order: ours",
        weigh=_depth_weight),
    _v3("GET", "trades", "trades.recent", 25, "symbol! limit", list[PublicTrade], "Recent trades"),
    _v3("GET", "ticker/price", "ticker.price", 2, "symbol symbols", list[PriceTicker] | PriceTicker, "Last price",
        weigh=_one_or_all(2, 4)),
    _v3("GET", "ticker/bookTicker", "ticker.book", 2, "symbol symbols", list[BookTicker] | BookTicker,
        "Best bid and ask", weigh=_one_or_all(2, 4)),
    _v3("POST", "order", "order.place", 1, _ORDER, _PLACED, "Place an order", signed=True, counts_order=True),
    _v3("POST", "order/test", "order.test", 1, f"{_ORDER} computeCommissionRates", Empty | TestCommission,
        "Check an order without placing it", signed=True,
        weigh=lambda params: 20 if params.get("computeCommissionRates") == "true" else 1),
    _v3("POST", "order/cancelReplace", "order.cancelReplace", 1, _REPLACE, CancelReplaced,
        "Cancel an order and place another", signed=True, counts_order=True),
    _v3("GET", "order", "order.status", 4, _TARGET, OrderState, "Look an order up", signed=True),
    _v3("DELETE", "order", "order.cancel", 1, f"{_TARGET} newClientOrderId cancelRestrictions", OrderCanceled,
        "Cancel an order", signed=True),
    _v3("PUT", "order/amend/keepPriority", "order.amend.keepPriority", 4, f"{_TARGET} newQty! newClientOrderId",
        OrderAmended, "Reduce an order's quantity where it stands", signed=True),
    _v3("GET", "order/amendments", "order.amendments", 4, "symbol! orderId! fromExecutionId limit", list[Amendment],
        "How an order was made smaller", signed=True),
    _v3("GET", "openOrders", "openOrders.status", 6, "symbol", list[OrderState], "Open orders", signed=True,
        weigh=_one_or_all(6, 80)),
    _v3("DELETE", "openOrders", "openOrders.cancelAll", 1, "symbol!", list[OrderCanceled],
        "Cancel all open orders of a symbol", signed=True),
    _v3("GET", "allOrders", "allOrders", 20, "symbol! orderId startTime endTime limit", list[OrderState],
        "Orders, open and ended", signed=True),
    _v3("GET", "account", "account.status", 20, "omitZeroBalances", AccountState, "Balances and rights", signed=True),
    _v3("POST", "openOrders/cancelAllAfter", "openOrders.cancelAllAfter", 1, "countdownTime! symbol", Countdown,
        "Cancel all open orders unless told otherwise in time: ours", signed=True),
    _v3("POST", "orderList/oco", "orderList.place.oco", 1,
        f"{_LIST} side! quantity! {_pair_leg('above')} {_pair_leg('below')}",
        OrderListReply, "Place a pair of orders of which one will do", signed=True, counts_order=True),
    _v3("POST", "orderList/oto", "orderList.place.oto", 1, f"{_LIST} {_leg('working')} {_leg('pending')}",
        OrderListReply, "Place an order that another one triggers", signed=True, counts_order=True),
    _v3("POST", "orderList/otoco", "orderList.place.otoco", 1,
        f"{_LIST} pendingSide! pendingQuantity! {_leg('working')} {_pair_leg('pendingAbove')} "
        f"{_pair_leg('pendingBelow')}",
        OrderListReply, "Place a pair that an order triggers", signed=True, counts_order=True),
    _v3("POST", "order/oco", "orderList.place", 1,
        f"{_LIST} side! quantity! price! stopPrice trailingDelta stopLimitPrice stopLimitTimeInForce "
        "limitClientOrderId stopClientOrderId",
        OrderListReply, "Place a limit maker and a stop-loss", signed=True, counts_order=True),
    _v3("DELETE", "orderList", "orderList.cancel", 1, "symbol! orderListId listClientOrderId newClientOrderId",
        OrderListReply, "Cancel a list", signed=True),
    _v3("GET", "orderList", "orderList.status", 4, "orderListId origClientOrderId", OrderListState, "Look a list up",
        signed=True),
    _v3("GET", "openOrderList", "openOrderLists.status", 6, "", list[OrderListState], "Open lists", signed=True),
    _v3("GET", "allOrderList", "allOrderLists", 20, "fromId startTime endTime limit", list[OrderListState], "Lists",
        signed=True),
    _v3("POST", "order/batch", "order.placeBatch", 5, "orders!", list[OrderFull | OrderResult | OrderAck | ErrorBody],
        "Place several orders: ours", signed=True, counts_order=True),
    _v3("DELETE", "order/batch", "order.cancelBatch", 5, "orders!", list[OrderCanceled | ErrorBody],
        "Cancel several orders: ours", signed=True),
    _v3("GET", "rateLimit/order", "account.rateLimits.orders", 40, "", list[RateLimit],
        "Orders placed, where they are limited", signed=True),
    _v3("GET", "account/commission", "account.commission", 20, "symbol!", AccountCommission, "Fees of a symbol",
        signed=True),
    _v3("GET", "myPreventedMatches", "myPreventedMatches", 20,
        "symbol! preventedMatchId orderId fromPreventedMatchId limit", list[PreventedMatch],
        "Matches that self-trade prevention prevented", signed=True,
        weigh=lambda params: 20 if "orderId" in params else 2),
    _v3("GET", "myAllocations", "myAllocations", 20,
        "symbol! startTime endTime fromAllocationId limit orderId", list[Allocation], "Routed orders: none",
        signed=True),
    _v3("GET", "myTrades", "myTrades", 20, "symbol! orderId fromId startTime endTime limit", list[AccountTrade],
        "Own trades", signed=True, weigh=lambda params: 5 if "orderId" in params else 20),
    _v3("POST", "userDataStream", "userDataStream.start", 2, "", ListenKey, "Get a listen key", keyed=True),
    _v3("PUT", "userDataStream", "userDataStream.ping", 2, "listenKey!", Empty, "Keep a listen key alive", keyed=True),
    _v3("DELETE", "userDataStream", "userDataStream.stop", 2, "listenKey!", Empty, "End a listen key", keyed=True),
    Route("GET", "/sapi/v1/asset/tradeFee", "asset.tradeFee", 1, "symbol", list[TradeFee], "Fees", signed=True),
    Route("GET", "/sapi/v1/system/status", "system.status", 1, "", SystemStatus, "Whether all is well"),
    Route("GET", "/sapi/v1/capital/config/getall", "nothing.list", 10, "", list[Any], "Networks for deposits: none"),
    Route("GET", "/sapi/v1/margin/allPairs", "nothing.list", 1, "", list[Any], "Margin pairs: none"),
    Route("GET", "/sapi/v1/margin/isolated/allPairs", "nothing.list", 1, "", list[Any], "Isolated margin pairs: none"),
    Route("GET", "/fapi/v1/exchangeInfo", "nothing.symbols", 1, "", NoSymbols, "Futures: none"),
    Route("GET", "/dapi/v1/exchangeInfo", "nothing.symbols", 1, "", NoSymbols, "Coin-margined futures: none"),
)
