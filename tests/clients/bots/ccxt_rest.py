"""ccxt as it comes from PyPI, over REST only: markets, the book by asking, the whole story with both kinds of keys."""
import asyncio
import time
from functools import partial
from typing import Any

import ccxt
from ccxt_account import CcxtAccount, batches_and_timers, point, trailing_stops_and_icebergs
from report import Day, same, wait_until
from story import whole_story

BUSY = "BTC/USDT"
ASK_SECONDS = 0.05


def make(venue: dict[str, Any], api_key: str, secret: str) -> Any:
    """An exchange object with ccxt's default options, but for its pace."""
    return point(ccxt.binance({"apiKey": api_key, "secret": secret, "enableRateLimit": False}), venue)


def accounts(venue: dict[str, Any], kind: str) -> tuple[CcxtAccount, CcxtAccount]:
    """The two of one kind of key."""
    one, two = venue["keys"][kind]
    return (CcxtAccount(partial(make, venue, one["api_key"]), one["secret"], two["secret"]),
            CcxtAccount(partial(make, venue, two["api_key"]), two["secret"], one["secret"]))


async def markets(exchange: Any) -> None:
    """As listed."""
    found = exchange.load_markets()
    same(sorted(found), ["BTC/USDT", "ETH/USDT"])
    same((found[BUSY]["precision"]["price"], found[BUSY]["precision"]["amount"]), (0.01, 0.00001))
    same(exchange.fetch_trading_fees()[BUSY]["taker"], 0.002)
    same(exchange.fetch_status()["status"], "ok")
    same(abs(exchange.fetch_time() - time.time() * 1000) < 5000, True)


async def book(day: Day, exchange: Any) -> None:
    """Asked for over and over: never crossed, never older than before."""
    await day.wish(traffic=True)
    end, nonce, asked = time.monotonic() + day.venue["seconds"], 0, 0
    while time.monotonic() < end:
        found = await asyncio.to_thread(exchange.fetch_order_book, BUSY, 100)
        if found["nonce"] < nonce:
            raise AssertionError(f"{found['nonce']} after {nonce}")
        if found["bids"] and found["asks"] and found["bids"][0][0] >= found["asks"][0][0]:
            raise AssertionError(f"crossed: {found['bids'][0]} {found['asks'][0]}")
        nonce, asked = found["nonce"], asked + 1
        await asyncio.sleep(ASK_SECONDS)
    day.note(book={**await day.wish(traffic=False), "asked": asked})


async def comes_back(day: Day, exchange: Any) -> None:
    """The exchange process dies: what rested rests, once it is back."""
    order = exchange.create_order("ETH/USDT", "limit", "buy", 1, 2900)
    await day.wish(kill="exchange")

    async def found() -> Any:
        try:
            return exchange.fetch_order(order["id"], "ETH/USDT")
        except (ccxt.NetworkError, ccxt.OperationFailed):
            return None
    same((await wait_until(found, "an answer after the restart"))["status"], "open")
    same(exchange.cancel_order(order["id"], "ETH/USDT")["status"], "canceled")


async def main() -> None:
    """The day."""
    day = Day("ccxt")
    me, partner = accounts(day.venue, "hmac")
    await day.step("markets", lambda: markets(me.exchange))
    await day.step("book", lambda: book(day, me.exchange))
    for kind in ("hmac", "ed25519"):
        mine, other = accounts(day.venue, kind)
        mine.exchange.load_markets()
        await whole_story(day, f"REST {kind}", mine, other)
    for account in (me, partner):
        account.exchange.load_markets()
    await day.step("trailing stops and icebergs", lambda: trailing_stops_and_icebergs(me, partner))
    await day.step("batches and timers", lambda: batches_and_timers(me))
    await day.step("reconnect", lambda: comes_back(day, me.exchange))
    day.end()


asyncio.run(main())
