"""python-binance as it comes from PyPI: its sync client over REST, its async client over WebSocket, its depth cache."""
import asyncio
import inspect
from decimal import Decimal
from typing import Any

from account import Account, Answer
from binance import AsyncClient, BinanceSocketManager, Client, DepthCacheManager
from binance.base_client import BaseClient
from binance.exceptions import BinanceAPIException, BinanceWebsocketUnableToConnect
from books import BookWatch, depth_of, keep_in_step
from report import Day, same, wait_until
from story import whole_story

SYMBOL, BUSY = "ETHUSDT", "BTCUSDT"
LATE_MS = 60_000


def point(venue: dict[str, Any]) -> None:
    """Another host, before anything is made of these classes: their constructors already ask it."""
    BaseClient.API_URL = venue["rest"] + "/api"
    BaseClient.WS_API_URL = venue["orders"]
    BinanceSocketManager.STREAM_URL = venue["streams"].removesuffix("stream/ws")


def options(key: dict[str, str], kind: str, secret: str | None = None) -> dict[str, str]:
    """A client's constructor wants Ed25519 keys under another name."""
    return {"api_key": key["api_key"],
            ("api_secret" if kind == "hmac" else "private_key"): secret or key["secret"]}


class RestAccount(Account):
    """Its names over REST."""

    symbol = SYMBOL
    errors = {"insufficient": "BinanceAPIException -2010", "price filter": "BinanceAPIException -1013",
              "lot size": "BinanceAPIException -1013", "notional": "BinanceAPIException -1013",
              "unknown order": "BinanceAPIException -2013", "cancel of none": "BinanceAPIException -2011",
              "signature": "BinanceAPIException -1022", "clock": "BinanceAPIException -1021",
              "would match": "BinanceAPIException -2010", "replace": "BinanceAPIException -2022"}
    names = {"place": "create_order", "order": "get_order", "cancel": "cancel_order", "open": "get_open_orders",
             "cancel all": "cancel_all_open_orders", "replace": "cancel_replace_order", "oco": "create_oco_order",
             "oto": "v3_post_order_list_oto", "otoco": "v3_post_order_list_otoco",
             "cancel list": "v3_delete_order_list", "account": "get_account", "trades": "get_my_trades"}

    def __init__(self, client: Any, stranger: Any) -> None:
        self.client, self._stranger = client, stranger

    async def _call(self, name: str, **params: Any) -> Any:
        return await _awaited(getattr(self.client, self.names[name])(symbol=SYMBOL, **params))

    async def place(self, **params: Any) -> Answer:
        """create_order or ws_create_order."""
        return await self._call("place", newOrderRespType="FULL", **params)

    async def order(self, order_id: int) -> Answer:
        """get_order or ws_get_order; so are the others."""
        return await self._call("order", orderId=order_id)

    async def cancel(self, order_id: int) -> Answer:
        """By id."""
        return await self._call("cancel", orderId=order_id)

    async def cancel_all(self) -> None:
        """Of the symbol."""
        await self._call("cancel all")

    async def open_orders(self) -> list[Answer]:
        """Of the symbol."""
        return await self._call("open")

    async def amend(self, order_id: int, quantity: float) -> Answer:
        """It has no name for this: the request as it makes all others."""
        return self.client._request_api("put", "order/amend/keepPriority", signed=True, data={
            "symbol": SYMBOL, "orderId": order_id, "newQty": quantity})

    async def replace(self, order_id: int, **params: Any) -> Answer:
        """Not without the first."""
        answer = await self._call("replace", cancelReplaceMode="STOP_ON_FAILURE", cancelOrderId=order_id, **params)
        return answer["newOrderResponse"]

    async def place_list(self, kind: str, **params: Any) -> Answer:
        """create_oco_order and its kin."""
        return await self._call(kind, **params)

    async def cancel_list(self, list_id: int) -> Answer:
        """As a whole."""
        return await self._call("cancel list", orderListId=list_id)

    async def balances(self) -> dict[str, tuple[Decimal, Decimal]]:
        """Of the account."""
        rows = (await _awaited(getattr(self.client, self.names["account"])()))["balances"]
        return {row["asset"]: (Decimal(row["free"]), Decimal(row["locked"])) for row in rows}

    async def trades(self) -> list[Answer]:
        """Of the symbol."""
        return await self._call("trades", limit=1000)

    def explain(self, error: Exception) -> str:
        """Class and code."""
        return f"{type(error).__name__} {error.code if isinstance(error, BinanceAPIException) else error}"

    async def stranger(self, what: str) -> None:
        """With another's secret, or late."""
        client = self._stranger if what == "secret" else self.client
        before, client.timestamp_offset = client.timestamp_offset, -LATE_MS if what == "clock" else 0
        try:
            await _awaited(getattr(client, self.names["account"])())
        finally:
            client.timestamp_offset = before


class WebSocketAccount(RestAccount):
    """Its names over the WebSocket API, and private events."""

    names = {"place": "ws_create_order", "order": "ws_get_order", "cancel": "ws_cancel_order",
             "open": "ws_get_open_orders", "cancel all": "ws_cancel_all_open_orders",
             "replace": "ws_cancel_and_replace_order", "oco": "ws_create_oco_order", "oto": "ws_create_oto_order",
             "otoco": "ws_create_otoco_order", "cancel list": "ws_cancel_oco_order", "account": "ws_get_account",
             "trades": "ws_get_my_trades"}
    heard: list[Answer] | None = None

    async def amend(self, order_id: int, quantity: float) -> Answer:
        """As above."""
        return await self.client._ws_api_request("order.amend.keepPriority", True, {
            "symbol": SYMBOL, "orderId": order_id, "newQty": quantity})

    async def listen(self) -> asyncio.Task[None]:
        """user_socket, from now on."""
        socket = BinanceSocketManager(self.client).user_socket()
        await socket.connect()
        self.heard = heard = []

        async def follow() -> None:
            while True:
                heard.append(await socket.recv())
        return asyncio.create_task(follow())

    async def events(self) -> list[Answer] | None:
        """All."""
        return self.heard


async def _awaited(answer: Any) -> Any:
    return await answer if inspect.isawaitable(answer) else answer


async def markets(client: Any) -> None:
    """As listed."""
    info = client.get_exchange_info()
    same(sorted(row["symbol"] for row in info["symbols"]), ["BTCUSDT", "ETHUSDT"])
    same(client.get_symbol_info(BUSY)["filters"][0]["tickSize"], "0.01000000")


async def book(day: Day, client: AsyncClient) -> None:
    """Its depth cache under traffic."""
    watch = BookWatch()

    async def follow() -> None:
        async with DepthCacheManager(client, BUSY, limit=5000, ws_interval=100) as manager:
            while True:
                cache = await manager.recv()
                watch.saw(manager._last_update_id, cache.get_bids(), cache.get_asks())

    async def fetch() -> Any:
        return depth_of(await client.get_order_book(symbol=BUSY, limit=100))
    await keep_in_step(day, watch, fetch, asyncio.create_task(follow()))


async def comes_back(day: Day, me: WebSocketAccount) -> None:
    """Exchange and feed die: its sockets come back by themselves."""
    order = await me.place(side="BUY", type="LIMIT", timeInForce="GTC", quantity=1, price=2900)
    async with BinanceSocketManager(me.client).symbol_ticker_socket(SYMBOL) as tickers:
        for process in ("exchange", "feed"):
            await day.wish(kill=process)

        async def found() -> Any:
            try:
                return await me.order(order["orderId"])
            except (BinanceWebsocketUnableToConnect, BinanceAPIException):
                return None

        async def told() -> bool:
            return (await tickers.recv()).get("e") == "24hrTicker"
        same((await wait_until(found, "an answer after the restart"))["status"], "NEW")
        await wait_until(told, "a ticker after the restart")
    same((await me.cancel(order["orderId"]))["status"], "CANCELED")


async def main() -> None:
    """The day."""
    day = Day("python-binance")
    point(day.venue)
    public = await AsyncClient.create()
    await day.step("markets", lambda: markets(Client()))
    await day.step("book", lambda: book(day, public))
    for kind in ("hmac", "ed25519"):
        one, two = day.venue["keys"][kind]
        clients = [Client(**options(*each)) for each in ((one, kind), (two, kind), (one, kind, two["secret"]))]
        await whole_story(day, f"REST {kind}", RestAccount(clients[0], clients[2]), RestAccount(clients[1], None))
        sockets = [AsyncClient(**options(*each)) for each in ((one, kind), (two, kind), (one, kind, two["secret"]))]
        me = WebSocketAccount(sockets[0], sockets[2])
        listening = await me.listen()
        await whole_story(day, f"WebSocket {kind}", me, WebSocketAccount(sockets[1], None))
        listening.cancel()
    await day.step("reconnect", lambda: comes_back(day, me))
    day.end()


asyncio.run(main())
