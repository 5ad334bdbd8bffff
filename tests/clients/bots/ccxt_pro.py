"""ccxt.pro as it comes from PyPI: streams, orders over WebSocket with both kinds of keys, reconnecting."""
import asyncio
from functools import partial
from typing import Any

import ccxt.pro
from account import Answer
from books import BookWatch, keep_in_step
from ccxt_account import MARKET, CcxtAccount, batches_and_timers, point, trailing_stops_and_icebergs
from report import Day, same, wait_until
from story import whole_story

BUSY = "BTC/USDT"
# What a lost connection is in ccxt; Python's own ConnectionError when it closes between ccxt's look and its send.
_GONE = (ccxt.NetworkError, ccxt.OperationFailed, ConnectionError)


def make(venue: dict[str, Any], api_key: str, secret: str) -> Any:
    """An exchange object with ccxt's default options, but for its pace."""
    return point(ccxt.pro.binance({"apiKey": api_key, "secret": secret, "enableRateLimit": False}), venue)


class ProAccount(CcxtAccount):
    """Also listens to its private events, as ccxt.pro keeps them: all trades, the last state of each order."""

    errors = CcxtAccount.errors | {"price filter": "BadRequest -1013", "lot size": "BadRequest -1013"}

    async def listen(self) -> None:
        """From now on."""
        watching = [self._keep(call) for call in ("watch_orders", "watch_my_trades", "watch_balance")]
        self._tasks = [asyncio.create_task(each) for each in watching]

        async def listening() -> bool:
            return len([client for client in self.exchange.clients.values() if client.subscriptions]) > 0
        await wait_until(listening, "a subscription")

    async def _keep(self, call: str) -> None:
        while True:
            await getattr(self.exchange, call)()

    async def events(self) -> list[Answer]:
        """See above."""
        trades = [trade["info"] for trade in self.exchange.myTrades or []]
        orders = [{**order["info"], "x": "the last of this order"} for order in self.exchange.orders or []]
        balance = self.exchange.balance.get("spot", {}).get("info")
        return trades + orders + ([balance] if balance else [])

    async def close(self) -> None:
        """No more."""
        for task in getattr(self, "_tasks", []):
            task.cancel()
        await asyncio.gather(*getattr(self, "_tasks", []), return_exceptions=True)
        await self.exchange.close()


def accounts(venue: dict[str, Any], kind: str) -> tuple[ProAccount, ProAccount]:
    """The two of one kind of key."""
    one, two = venue["keys"][kind]
    return (ProAccount(partial(make, venue, one["api_key"]), one["secret"], two["secret"], "_ws"),
            ProAccount(partial(make, venue, two["api_key"]), two["secret"], one["secret"], "_ws"))


async def markets(exchange: Any) -> None:
    """As listed."""
    same(sorted(await exchange.load_markets()), ["BTC/USDT", "ETH/USDT"])


async def book(day: Day, exchange: Any) -> None:
    """watch_order_book under traffic: a hole would be a ChecksumError; and the same book as the venue's."""
    watch = BookWatch()

    async def follow() -> None:
        while True:
            found = await exchange.watch_order_book(BUSY)
            watch.saw(found["nonce"], found["bids"], found["asks"])

    async def fetch() -> Any:
        found = await exchange.fetch_order_book(BUSY, 100)
        return found["nonce"], found["bids"], found["asks"]
    await keep_in_step(day, watch, fetch, asyncio.create_task(follow()))


async def comes_back(day: Day, me: ProAccount) -> None:
    """Exchange and feed die: streams go on, orders are there, both over new connections."""
    order = await me.place(side="BUY", type="LIMIT", timeInForce="GTC", quantity=1, price=2900)
    await me.exchange.watch_bids_asks([MARKET])
    for process in ("exchange", "feed"):
        await day.wish(kill=process)

    async def found() -> Any:
        try:
            return await me.order(order["orderId"])
        except _GONE:
            return None

    async def told() -> Any:
        try:
            return await me.exchange.watch_order_book(MARKET)
        except _GONE:
            return None
    same((await wait_until(found, "an answer after the restart"))["status"], "NEW")
    better = await me.place(side="BUY", type="LIMIT", timeInForce="GTC", quantity=1, price=2901)
    same((await wait_until(told, "the book after the restart"))["bids"][0][0], 2901.0)
    for each in (order, better):
        same((await me.cancel(each["orderId"]))["status"], "CANCELED")


async def main() -> None:
    """The day."""
    day = Day("ccxt.pro")
    public = make(day.venue, "", "")
    await day.step("markets", lambda: markets(public))
    await day.step("book", lambda: book(day, public))
    for kind in ("hmac", "ed25519"):
        mine, other = accounts(day.venue, kind)
        for account in (mine, other):
            await account.exchange.load_markets()
        await mine.listen()
        await whole_story(day, f"WebSocket {kind}", mine, other)
        for account in (mine, other):
            await account.close()
    mine, other = accounts(day.venue, "hmac")
    for account in (mine, other):
        await account.exchange.load_markets()
    await day.step("trailing stops and icebergs", lambda: trailing_stops_and_icebergs(mine, other))
    await other.close()
    await day.step("batches and timers", lambda: batches_and_timers(mine))
    await day.step("reconnect", lambda: comes_back(day, mine))
    day.end()


asyncio.run(main())
