"""An account behind ccxt, sync or pro: unified calls where ccxt has them, else its access to the venue's own routes."""
import inspect
import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from account import Account, Answer
from report import same, wait_until

MARKET = "ETH/USDT"
_TYPES = {"LIMIT": "limit", "LIMIT_MAKER": "limit", "MARKET": "market", "STOP_LOSS": "market",
          "STOP_LOSS_LIMIT": "limit", "TAKE_PROFIT": "market", "TAKE_PROFIT_LIMIT": "limit"}


def point(exchange: Any, venue: dict[str, Any]) -> Any:
    """Another host; nothing else is changed."""
    urls = {name: venue["rest"] + "/" + url.split("/", 3)[3]
            for name, url in exchange.urls["api"].items() if name != "ws"}
    streams = {"ws": {"spot": venue["streams"], "ws-api": {"spot": venue["orders"]}}}
    exchange.urls["api"] = urls | (streams if "ws" in exchange.urls["api"] else {})
    return exchange


class CcxtAccount(Account):
    """`make(secret)` gives an exchange object of this account; `suffix` is "_ws" for orders by WebSocket."""

    symbol = "ETHUSDT"
    errors = {"insufficient": "InsufficientFunds", "price filter": "InvalidOrder -1013",
              "lot size": "InvalidOrder -1013", "notional": "BadRequest -1013", "unknown order": "OrderNotFound -2013",
              "cancel of none": "OrderNotFound -2011", "signature": "AuthenticationError -1022",
              "clock": "InvalidNonce -1021", "would match": "OrderImmediatelyFillable",
              "replace": "ExchangeError -2022"}

    def __init__(self, make: Callable[[str], Any], secret: str, wrong_secret: str, suffix: str = "") -> None:
        self.exchange, self._make, self._suffix = make(secret), make, suffix
        self._secret, self._wrong_secret = secret, wrong_secret

    async def place(self, **params: Any) -> Answer:
        """create_order: conditions by ccxt's own names."""
        return await self._order("create_order" + self._suffix, MARKET, params)

    async def replace(self, order_id: int, **params: Any) -> Answer:
        """edit_order."""
        return await self._order("edit_order" + self._suffix, order_id, MARKET, params)

    async def _order(self, method: str, *where: Any) -> Answer:
        *where, params = where
        kind, side, amount, price = (params.pop(name, None) for name in ("type", "side", "quantity", "price"))
        more = {"postOnly": True} if kind == "LIMIT_MAKER" else {}
        if stop := params.pop("stopPrice", None):
            more["stopLossPrice" if kind.startswith("STOP") else "takeProfitPrice"] = stop
        if spend := params.pop("quoteOrderQty", None):
            more["cost"] = spend
        if mode := params.pop("selfTradePreventionMode", None):
            more["selfTradePrevention"] = mode
        order = await self._call(method, *map(_text, where), _TYPES[kind], side.lower(), amount, price,
                                 {**params, **more, **self._unrounded(amount, price)})
        return order["info"]

    def _unrounded(self, amount: float | None, price: float | None) -> dict[str, str]:
        """ccxt rounds to the venue's steps; what lies between them is sent as it is, to see the filters refuse it."""
        sent = {}
        if amount and float(self.exchange.amount_to_precision(MARKET, amount)) != amount:
            sent["quantity"] = str(amount)
        if price and float(self.exchange.price_to_precision(MARKET, price)) != price:
            sent["price"] = str(price)
        return sent

    async def trailing_sell(self, quantity: float, percent: float) -> Answer:
        """create_order with a trailing percentage."""
        order = await self._call("create_order" + self._suffix, MARKET, "market", "sell", quantity, None,
                                 {"trailingPercent": percent, "stopLossOrTakeProfit": "stopLoss"})
        return order["info"]

    async def best_ask(self) -> tuple[float, float]:
        """fetch_order_book: price and what is shown there."""
        price, shown, *_ = (await self._call("fetch_order_book", MARKET, 5))["asks"][0]
        return price, shown

    async def order(self, order_id: int) -> Answer:
        """fetch_order."""
        return (await self._call("fetch_order" + self._suffix, str(order_id), MARKET))["info"]

    async def cancel(self, order_id: int) -> Answer:
        """cancel_order."""
        return (await self._call("cancel_order" + self._suffix, str(order_id), MARKET))["info"]

    async def cancel_all(self) -> None:
        """cancel_all_orders."""
        await self._call("cancel_all_orders" + self._suffix, MARKET)

    async def open_orders(self) -> list[Answer]:
        """fetch_open_orders."""
        return [order["info"] for order in await self._call("fetch_open_orders" + self._suffix, MARKET)]

    async def amend(self, order_id: int, quantity: float) -> Answer:
        """ccxt has no name for it."""
        return await self.route("order/amend/keepPriority", "PUT",
                                symbol=self.symbol, orderId=order_id, newQty=quantity)

    async def place_list(self, kind: str, **params: Any) -> Answer:
        """ccxt's implicit methods."""
        return await self._call(f"private_post_orderlist_{kind}", {"symbol": self.symbol, **params})

    async def cancel_list(self, list_id: int) -> Answer:
        """The same."""
        return await self._call("private_delete_orderlist", {"symbol": self.symbol, "orderListId": list_id})

    async def balances(self) -> dict[str, tuple[Decimal, Decimal]]:
        """fetch_balance."""
        rows = (await self._call("fetch_balance"))["info"]["balances"]
        return {row["asset"]: (Decimal(row["free"]), Decimal(row["locked"])) for row in rows}

    async def trades(self) -> list[Answer]:
        """fetch_my_trades."""
        rows = [trade["info"] for trade in await self._call("fetch_my_trades" + self._suffix, MARKET)]
        return [{**row, "id": int(row["id"])} for row in rows]

    def explain(self, error: Exception) -> str:
        """See Account. Where ccxt knows the text it does not show the code; NOTIONAL is one it does not know."""
        code = re.search(r'"code":\s*(-?\d+)', str(error))
        return f"{type(error).__name__} {code[1]}" if code else type(error).__name__

    async def stranger(self, what: str) -> None:
        """See Account."""
        exchange = self._make(self._wrong_secret if what == "secret" else self._secret)
        if what == "clock":
            exchange.options["timeDifference"] = 60_000
        try:
            answer = exchange.fetch_balance()
            if inspect.isawaitable(answer):
                await answer
        finally:
            closing = exchange.close() if hasattr(exchange, "clients") else None
            if inspect.isawaitable(closing):
                await closing

    async def route(self, path: str, verb: str, **params: Any) -> Any:
        """What ccxt has no name for."""
        answer = self.exchange.request(path, ["private"], verb, params)
        return await answer if inspect.isawaitable(answer) else answer

    async def _call(self, method: str, *arguments: Any) -> Any:
        answer = getattr(self.exchange, method)(*arguments)
        return await answer if inspect.isawaitable(answer) else answer


async def batches_and_timers(me: CcxtAccount) -> None:
    """The venue's own: several orders at once, one of them refused, and a timer that cancels what is left."""
    wanted = [{"symbol": me.symbol, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "1",
               "price": price} for price in ("2900.00", "2901.00", "2902.001")]
    answers = await me.route("order/batch", "POST", orders=json.dumps(wanted, separators=(",", ":")))
    same([answer.get("status", answer.get("code")) for answer in answers], ["NEW", "NEW", -1013])
    await me.route("openOrders/cancelAllAfter", "POST", symbol=me.symbol, countdownTime=500)

    async def gone() -> bool:
        return not await me.open_orders()
    await wait_until(gone, "the timer's end")
    for answer in answers[:2]:
        same((await me.order(answer["orderId"]))["status"], "CANCELED")


async def trailing_stops_and_icebergs(me: CcxtAccount, other: CcxtAccount) -> None:
    """By ccxt's own words where it has them: trailingPercent; icebergQty it passes on."""
    await other.place(side="SELL", type="LIMIT", timeInForce="GTC", quantity=1, price=3000)
    await me.place(side="BUY", type="LIMIT", timeInForce="GTC", quantity=1, price=3000)
    trail = await me.trailing_sell(0.5, percent=1)
    found = await me.order(trail["orderId"])
    same((found["status"], found["type"], found["trailingDelta"]), ("NEW", "STOP_LOSS", 100))
    await other.place(side="BUY", type="LIMIT", timeInForce="GTC", quantity=1, price=2960)
    await me.place(side="SELL", type="LIMIT", timeInForce="GTC", quantity=0.1, price=2960)
    found = await me.order(trail["orderId"])
    same((found["status"], found["cummulativeQuoteQty"]), ("FILLED", "1480.00000000"))
    iceberg = await me.place(side="SELL", type="LIMIT", timeInForce="GTC", quantity=1, price=3100, icebergQty="0.1")
    await other.place(side="BUY", type="LIMIT", timeInForce="GTC", quantity=0.15, price=3100)
    found = await me.order(iceberg["orderId"])
    same((found["executedQty"], found["icebergQty"]), ("0.15000000", "0.10000000"))
    same(await me.best_ask(), (3100.0, 0.05))
    same((await me.cancel(iceberg["orderId"]))["status"], "CANCELED")
    await other.cancel_all()


def _text(value: Any) -> str:
    return str(value)
