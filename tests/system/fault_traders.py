"""Customers who trade over the public WebSocket while processes are killed, and write down every answer they get.

What was answered must be in the journal exactly once; what was not answered may be there once or not at all. Every
order has a client id of its own and is canceled or amended at most once by request, so that "once" can be counted.
"""
import asyncio
import itertools
import random
import time
from collections.abc import Callable
from typing import Any

from msgspec import Struct
from websockets.exceptions import WebSocketException

from buttonwood.trading_client import RequestRefused, TradingClient

SYMBOLS = ("BTCUSDT", "ETHUSDT")        # instruments 1 and 2 of the listing below
TICKS_AT_MIDDLE = 10_000                # of 0.01
WORKERS = 3                             # requests under way at once on a connection
OPEN_MAX = 30
PAUSE_SECONDS = 0.01                    # of a worker between two requests
BALANCES = {"USDT": 100_000_000, "BTC": 1_000_000, "ETH": 1_000_000}    # of each customer at first
NOT_TAKEN = {-1001, -1003, -1007, -1008}


class Ack(Struct, frozen=True):
    """An answer: what was asked for and what the venue said. `text`: the order's client id, empty for cancelAll."""

    method: str
    account: int
    symbol: str
    text: str
    asked: dict[str, Any]
    result: Any


class Listed(Struct, frozen=True):
    """An order as it was asked for, in ticks and lots."""

    symbol: str
    side: str
    kind: str
    price_ticks: int
    qty_lots: int


class Trader:
    """One account on one connection, reconnecting for ever. `acks` is taken away by the auditor."""

    def __init__(self, url: str, key: str, secret: str, account: int, seed: int,
                 clock_ms: Callable[[], int] | None = None) -> None:
        """clock_ms: the customer's clock, if it is not this machine's."""
        self.acks: list[Ack] = []
        self.account, self.answered, self.refused, self.unknown = account, 0, 0, 0
        self._where, self._clock_ms = (url, key, secret), clock_ms or machine_ms
        self._dice = random.Random(seed)
        self._numbers = itertools.count(1)
        self._open: dict[str, Listed] = {}
        self._amended: set[str] = set()

    async def run(self) -> None:
        """Trade until cancelled."""
        while True:
            try:
                async with TradingClient(*self._where, answer_seconds_max=8.0) as client:
                    await self._together(client)
            except (OSError, TimeoutError, WebSocketException):
                await asyncio.sleep(0.05)

    async def _together(self, client: TradingClient) -> None:
        """All workers until the first of them finds the connection gone."""
        workers = [asyncio.create_task(self._work(client)) for _ in range(WORKERS)]
        try:
            await asyncio.wait(workers, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            for worker in workers:
                worker.cancel()
            results = await asyncio.gather(*workers, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException) and not isinstance(result, asyncio.CancelledError):
                raise result

    async def _work(self, client: TradingClient) -> None:
        while True:
            chance = self._dice.random()
            if len(self._open) > OPEN_MAX or (chance < 0.02 and self._open):
                await self._cancel_all(client)
            elif chance < 0.25 and self._open:
                await self._cancel(client)
            elif chance < 0.32 and self._open:
                await self._amend(client)
            else:
                await self._place(client)
            await asyncio.sleep(PAUSE_SECONDS)

    async def _place(self, client: TradingClient) -> None:
        dice, text = self._dice, f"{self.account}-{next(self._numbers)}"
        side, kind = dice.choice(("BUY", "SELL")), dice.choice(("GTC", "GTC", "GTC", "IOC", "FOK", "MARKET"))
        order = Listed(dice.choice(SYMBOLS), side, kind, TICKS_AT_MIDDLE + dice.randint(-8, 8), dice.randint(200, 900))
        terms: dict[str, Any] = {"type": "MARKET"} if kind == "MARKET" else {
            "type": "LIMIT", "timeInForce": kind, "price": f"{order.price_ticks / 100:.2f}"}
        asked = terms | {"side": side, "quantity": f"{order.qty_lots / 10_000:.4f}"}
        result = await self._ask(client, "order.place", order.symbol, text, newClientOrderId=text, **asked)
        if result is not None and result["status"] in ("NEW", "PARTIALLY_FILLED"):
            self._open[text] = order

    async def _cancel(self, client: TradingClient) -> None:
        text = self._dice.choice(list(self._open))
        order = self._open.pop(text)
        await self._ask(client, "order.cancel", order.symbol, text, origClientOrderId=text)

    async def _amend(self, client: TradingClient) -> None:
        left = [text for text in self._open if text not in self._amended]
        if left:
            text = self._dice.choice(left)
            self._amended.add(text)
            order = self._open[text]
            await self._ask(client, "order.amend.keepPriority", order.symbol, text, origClientOrderId=text,
                            newQty=f"{(order.qty_lots - 1) / 10_000:.4f}")

    async def _cancel_all(self, client: TradingClient) -> None:
        symbol = self._dice.choice(SYMBOLS)
        self._open = {text: order for text, order in self._open.items() if order.symbol != symbol}
        await self._ask(client, "openOrders.cancelAll", symbol, "")

    async def _ask(self, client: TradingClient, method: str, symbol: str, text: str, **asked: Any) -> Any:
        """The result, written down; None when it was refused. What stays unanswered is only counted."""
        try:
            result = await client.request(method, symbol=symbol, timestamp=self._clock_ms(), **asked)
        except RequestRefused as refusal:
            self.refused += 1
            if refusal.code not in NOT_TAKEN:
                self.answered += 1
            return None
        except BaseException:
            self.unknown += 1
            raise
        self.answered += 1
        self.acks.append(Ack(method, self.account, symbol, text, asked, result))
        return result


def machine_ms() -> int:
    """The time of day."""
    return time.time_ns() // 1_000_000


LISTING = """
assets = [{ code = "USDT" }, { code = "BTC" }, { code = "ETH" }]
""" + "".join(f"""
[[instruments]]
symbol = "{symbol}"
base = "{symbol[:3]}"
quote = "USDT"
tick = "0.01"
lot = "0.0001"
max_price = "100000"
max_quantity = "9000"
""" for symbol in SYMBOLS)


def listing(accounts: range) -> str:
    """A venue for these traders, each rich enough to trade for hours."""
    return LISTING + "".join(f"""
[[accounts]]
id = {account}
label = "trader {account}"
balances = {{ {", ".join(f'{asset} = "{amount}"' for asset, amount in BALANCES.items())} }}
""" for account in accounts)
