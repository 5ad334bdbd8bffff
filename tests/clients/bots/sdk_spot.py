"""binance-sdk-spot, the official library, as it comes from PyPI: REST, WebSocket API, private events and streams.

It parses every answer into types of its own and warns where one does not fit: no warning may come.
"""
import asyncio
import logging
import re
import time
import unittest.mock
from decimal import Decimal
from typing import Any

from account import Account, Answer
from binance_common.configuration import (
    ConfigurationRestAPI,
    ConfigurationWebSocketAPI,
    ConfigurationWebSocketStreams,
)
from binance_sdk_spot.spot import Spot
from books import BookWatch, LocalBook, depth_of, keep_in_step
from report import Day, same, wait_until
from story import whole_story

SYMBOL, BUSY = "ETHUSDT", "BTCUSDT"
LATE_SECONDS = 60
MISFITS = ("did not match the declared types", "Failed to parse", "Error in callback")


class Misfits(logging.Handler):
    """Collects what the library says about answers that it cannot parse."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """One line of its log."""
        if any(text in record.getMessage() for text in MISFITS):
            self.said.append(record.getMessage())


def spot(venue: dict[str, Any], key: dict[str, str] | None = None, kind: str = "hmac", secret: str = "") -> Spot:
    """The library with another host."""
    own = {} if key is None else {
        "api_key": key["api_key"], ("api_secret" if kind == "hmac" else "private_key"): secret or key["secret"]}
    return Spot(ConfigurationRestAPI(**own, base_path=venue["rest"], timeout=10_000),
                ConfigurationWebSocketAPI(**own, stream_url=venue["orders"]),
                ConfigurationWebSocketStreams(stream_url=venue["streams"].removesuffix("/ws")))


def snake(params: dict[str, Any]) -> dict[str, Any]:
    """Its names of parameters."""
    return {re.sub(r"([A-Z])", r"_\1", name).lower(): value for name, value in params.items()}


def plain(model: Any) -> Any:
    """A model as the venue wrote it."""
    if isinstance(model, list):
        return [plain(each) for each in model]
    return model.to_dict() if hasattr(model, "to_dict") else model


class Refused(Exception):
    """What the WebSocket side of the library returns as a dict with `error`, where its REST side raises."""


class RestAccount(Account):
    """Its names over REST."""

    symbol = SYMBOL
    can_gtd = False
    errors = {"insufficient": "BadRequestError -2010", "price filter": "BadRequestError -1013",
              "lot size": "BadRequestError -1013", "notional": "BadRequestError -1013",
              "unknown order": "BadRequestError -2013", "cancel of none": "BadRequestError -2011",
              "signature": "BadRequestError -1022", "clock": "BadRequestError -1021",
              "would match": "BadRequestError -2010", "replace": "BadRequestError -2022"}
    names = {"place": "new_order", "order": "get_order", "cancel": "delete_order", "open": "get_open_orders",
             "cancel all": "delete_open_orders", "amend": "order_amend_keep_priority",
             "replace": "order_cancel_replace", "oco": "order_list_oco", "oto": "order_list_oto",
             "otoco": "order_list_otoco", "cancel list": "delete_order_list", "account": "get_account",
             "trades": "my_trades"}

    def __init__(self, api: Any, stranger: Any) -> None:
        self.api, self._stranger = api, stranger

    async def _ask(self, api: Any, name: str, **params: Any) -> Any:
        return plain(getattr(api, self.names[name])(**snake(params)).data())

    async def _call(self, name: str, **params: Any) -> Any:
        return await self._ask(self.api, name, symbol=SYMBOL, **params)

    async def place(self, **params: Any) -> Answer:
        """new_order or order_place."""
        return await self._call("place", newOrderRespType="FULL", **params)

    async def order(self, order_id: int) -> Answer:
        """get_order or order_status; so are the others."""
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
        """In place."""
        return await self._call("amend", orderId=order_id, newQty=quantity)

    async def replace(self, order_id: int, **params: Any) -> Answer:
        """Not without the first."""
        answer = await self._call("replace", cancelReplaceMode="STOP_ON_FAILURE", cancelOrderId=order_id, **params)
        return answer["newOrderResponse"]

    async def place_list(self, kind: str, **params: Any) -> Answer:
        """order_list_oco and its kin."""
        return await self._call(kind, **params)

    async def cancel_list(self, list_id: int) -> Answer:
        """As a whole."""
        return await self._call("cancel list", orderListId=list_id)

    async def balances(self) -> dict[str, tuple[Decimal, Decimal]]:
        """Of the account."""
        rows = (await self._ask(self.api, "account"))["balances"]
        return {row["asset"]: (Decimal(row["free"]), Decimal(row["locked"])) for row in rows}

    async def trades(self) -> list[Answer]:
        """Of the symbol."""
        return await self._call("trades", limit=1000)

    def explain(self, error: Exception) -> str:
        """Class and code."""
        return f"{type(error).__name__} {getattr(error, 'status_code', error)}"

    async def stranger(self, what: str) -> None:
        """With another's secret, or on a machine whose clock is late."""
        late = time.time() - LATE_SECONDS
        if what == "secret":
            await self._ask(self._stranger, "account")
        else:
            with unittest.mock.patch("time.time", lambda: late):
                await self._ask(self.api, "account")


class WebSocketAccount(RestAccount):
    """Its names over the WebSocket API, and private events."""

    errors = {name: f"Refused {text.split()[1]}" for name, text in RestAccount.errors.items()}
    names = {"place": "order_place", "order": "order_status", "cancel": "order_cancel", "open": "open_orders_status",
             "cancel all": "open_orders_cancel_all", "amend": "order_amend_keep_priority",
             "replace": "order_cancel_replace", "oco": "order_list_place_oco", "oto": "order_list_place_oto",
             "otoco": "order_list_place_otoco", "cancel list": "order_list_cancel", "account": "account_status",
             "trades": "my_trades"}
    heard: list[Answer] | None = None

    async def _ask(self, api: Any, name: str, **params: Any) -> Any:
        return _result(await getattr(api, self.names[name])(**snake(params)))

    async def listen(self) -> None:
        """From now on."""
        self.heard = []
        subscribed = await self.api.user_data_stream_subscribe_signature()
        subscribed.stream.on("message", lambda event: self.heard.append(_event(event)))

    async def events(self) -> list[Answer] | None:
        """All."""
        return self.heard

    def explain(self, error: Exception) -> str:
        """The venue's code."""
        told = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
        return f"{type(error).__name__} {told.get('code', error)}"


def _result(answer: Any) -> Any:
    data = answer.data()
    if isinstance(data, dict) and "error" in data:
        raise Refused(data["error"])
    return plain(data.result)


def _event(event: Any) -> Answer:
    """Its model of an event leaves out what kind it is: that is the model's name."""
    name = type(event.actual_instance).__name__
    return {**plain(event.actual_instance), "e": name[0].lower() + name[1:]}


async def markets(api: Any) -> None:
    """As listed."""
    info = plain(api.exchange_info().data())
    same(sorted(row["symbol"] for row in info["symbols"]), ["BTCUSDT", "ETHUSDT"])


async def book(day: Day, client: Spot) -> None:
    """Its depth stream under traffic, put together by the rules."""
    watch, events = BookWatch(), asyncio.Queue()
    connection = await client.websocket_streams.create_connection()
    stream = await connection.diff_book_depth(symbol=BUSY.lower(), update_speed="100ms")
    stream.on("message", events.put_nowait)

    async def fetch(limit: int = 100) -> Any:
        return depth_of(plain((await asyncio.to_thread(client.rest_api.depth, symbol=BUSY, limit=limit)).data()))

    async def follow() -> None:
        local = LocalBook(await fetch(5000))
        while True:
            event = await events.get()
            local.apply(event.U, event.u, event.b, event.a)
            watch.saw(local.update_id, local.bids(), local.asks())
    await keep_in_step(day, watch, fetch, asyncio.create_task(follow()))
    await connection.close_connection()


async def comes_back(day: Day, client: Spot, me: WebSocketAccount) -> None:
    """The exchange process dies: the library says so, and a new connection finds everything."""
    order = await me.place(side="BUY", type="LIMIT", timeInForce="GTC", quantity=1, price=2900)
    await day.wish(kill="exchange")

    async def found() -> Any:
        connection = await client.websocket_api.create_connection()
        if connection is None or not connection.connections:
            return None
        me.api = connection
        return await me.order(order["orderId"])
    same((await wait_until(found, "an answer after the restart"))["status"], "NEW")
    same((await me.cancel(order["orderId"]))["status"], "CANCELED")


async def main() -> None:
    """The day."""
    day, misfits = Day("binance-sdk-spot"), Misfits()
    logging.getLogger().addHandler(misfits)
    public = spot(day.venue)
    await day.step("markets", lambda: markets(public.rest_api))
    await day.step("book", lambda: book(day, public))
    for kind in ("hmac", "ed25519"):
        one, two = day.venue["keys"][kind]
        three = [spot(day.venue, one, kind), spot(day.venue, two, kind), spot(day.venue, one, kind, two["secret"])]
        rest = [each.rest_api for each in three]
        await whole_story(day, f"REST {kind}", RestAccount(rest[0], rest[2]), RestAccount(rest[1], None))
        sockets = [await each.websocket_api.create_connection() for each in three]
        me = WebSocketAccount(sockets[0], sockets[2])
        await me.listen()
        await whole_story(day, f"WebSocket {kind}", me, WebSocketAccount(sockets[1], None))

    async def all_fit() -> None:
        same(sorted(set(misfits.said)), [])
    await day.step("answers fit the library's types", all_fit)
    await day.step("reconnect", lambda: comes_back(day, three[0], me))
    day.end()


asyncio.run(main())
