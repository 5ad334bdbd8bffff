"""Simulated traders for the demo: market makers and takers that come in through the public WebSocket like anyone.

Each instrument has a fair price that walks at random around its opening price, from a fixed seed. Makers keep a few
orders on both sides around it and replace the oldest one step by step; takers send small market orders and lean against
what they have gathered. A few dozen requests a second in all. When the venue is away they come back, with a pause that
doubles, and begin by canceling what they left in the book.
"""
import asyncio
import logging
import random
import ssl
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from msgspec import Struct

from buttonwood.demo import MAKERS, OPENING_PRICES, TAKERS, demo_keys
from buttonwood.trading_client import RequestRefused, TradingClient
from engine.config import Config
from engine.ready import announce
from gateway.keys import KeyRecord
from gateway.tls import own_client_context, scheme

LEVELS = 8                  # orders of one maker on one side of one book
MAKER_PAUSE_SECONDS = 0.12  # one order placed, one canceled
TAKER_PAUSE_SECONDS = 0.4
RETRY_SECONDS_MIN, RETRY_SECONDS_MAX = 0.5, 10.0
_SEED = 20120621
_log = logging.getLogger(__name__)


class Terms(Struct, frozen=True):
    """How a simulated trader deals in an instrument; prices in hundredths, which is every tick of the demo."""

    opening: int
    usual_quantity: float
    quantity_places: int

    def quantity(self, chance: random.Random) -> str:
        """A random size, mostly small."""
        return f"{self.usual_quantity * min(chance.expovariate(1.0) + 0.1, 5.0):.{self.quantity_places}f}"


INSTRUMENTS = {
    "AAPLUSDT": Terms(int(OPENING_PRICES["AAPLUSDT"]) * 100, 40.0, 0),
    "BTCUSDT": Terms(int(OPENING_PRICES["BTCUSDT"]) * 100, 0.05, 5),
    "ETHUSDT": Terms(int(OPENING_PRICES["ETHUSDT"]) * 100, 1.0, 4),
}


class FairPrices:
    """The walk all traders believe in, one step each time it is asked for."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._logs = dict.fromkeys(INSTRUMENTS, 0.0)

    def step(self, symbol: str) -> int:
        """The fair price in hundredths: drifts by about 0.003 %, drawn back gently to the opening price."""
        self._logs[symbol] = 0.9995 * self._logs[symbol] + self._chance.gauss(0.0, 3e-5)
        return round(INSTRUMENTS[symbol].opening * (1.0 + self._logs[symbol]))


class Maker:
    """Quotes both sides of every instrument. `quoting` is set once there is a full ladder in each book."""

    def __init__(self, fair: FairPrices, chance: random.Random) -> None:
        self._fair, self._chance = fair, chance
        self.quoting = asyncio.Event()

    async def trade(self, client: TradingClient) -> None:
        """Runs until the connection breaks."""
        ladders: dict[tuple[str, str], deque[int]] = {
            (symbol, side): deque() for symbol in INSTRUMENTS for side in ("BUY", "SELL")}
        for _ in range(LEVELS):
            await asyncio.gather(*(self._place(client, *place, ladder) for place, ladder in ladders.items()))
        self.quoting.set()
        while True:
            for place, ladder in ladders.items():
                await self._place(client, *place, ladder)
                await asyncio.sleep(MAKER_PAUSE_SECONDS)

    async def _place(self, client: TradingClient, symbol: str, side: str, ladder: deque[int]) -> None:
        """One new order; beyond LEVELS the oldest one goes."""
        fair = self._fair.step(symbol)
        distance = 1 + round(fair * self._chance.uniform(4e-5, 1e-3))
        price = fair - distance if side == "BUY" else fair + distance
        reply = await _attempt(client, "order.place", symbol=symbol, side=side, type="LIMIT", timeInForce="GTC",
                               price=f"{price // 100}.{price % 100:02}", newOrderRespType="RESULT",
                               quantity=INSTRUMENTS[symbol].quantity(self._chance))
        if reply is not None and reply["status"] in ("NEW", "PARTIALLY_FILLED"):
            ladder.append(reply["orderId"])
        if len(ladder) > LEVELS:
            await _attempt(client, "order.cancel", symbol=symbol, orderId=ladder.popleft())


class Taker:
    """Sends small market orders; the more it has bought of something, the likelier it sells it next."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._bought = dict.fromkeys(INSTRUMENTS, 0)

    async def trade(self, client: TradingClient) -> None:
        """Runs until the connection breaks."""
        while True:
            symbol = self._chance.choice(list(INSTRUMENTS))
            buys = self._chance.random() < 0.5 - 0.02 * max(-20, min(20, self._bought[symbol]))
            self._bought[symbol] += 1 if buys else -1
            await _attempt(client, "order.place", symbol=symbol, side="BUY" if buys else "SELL", type="MARKET",
                           quantity=INSTRUMENTS[symbol].quantity(self._chance))
            await asyncio.sleep(self._chance.uniform(0.5, 1.5) * TAKER_PAUSE_SECONDS)


async def serve(config: Config) -> None:
    """Trade until canceled; ready when every maker has quoted all books."""
    keys, fair = demo_keys(config), FairPrices(random.Random(_SEED))
    where = (f"{scheme('ws', config.tls)}://{config.exchange.host}:{config.exchange.port}/ws-api/v3",
             own_client_context(config.tls))
    makers = {account: Maker(fair, random.Random(account)) for account in MAKERS}
    takers = {account: Taker(random.Random(account)) for account in TAKERS}
    async with asyncio.TaskGroup() as group:
        for account, trader in (makers | takers).items():
            group.create_task(_keep_trading(where, keys[account], trader.trade))
        for maker in makers.values():
            await maker.quoting.wait()
        announce("traders")


async def _keep_trading(where: tuple[str, ssl.SSLContext | None], key: KeyRecord,
                        trade: Callable[[TradingClient], Awaitable[None]]) -> None:
    """For ever: connect, cancel what an earlier connection left, trade; after a break, pause and come back."""
    pause = RETRY_SECONDS_MIN
    url, tls = where
    while True:
        try:
            async with TradingClient(url, key.api_key, key.secret, tls=tls) as client:
                for symbol in INSTRUMENTS:
                    await _attempt(client, "openOrders.cancelAll", symbol=symbol)
                pause = RETRY_SECONDS_MIN
                await trade(client)
        except (OSError, RequestRefused) as error:
            _log.warning("%s: %s; again in %.1f s", key.label, error, pause)
        await asyncio.sleep(pause)
        pause = min(2 * pause, RETRY_SECONDS_MAX)


async def _attempt(client: TradingClient, method: str, **params: object) -> dict[str, Any] | None:
    """The result, None when the market said no (an order is gone, a price too far). Raises when the venue is unwell."""
    try:
        result: dict[str, Any] = await client.request(method, **params)
        return result
    except RequestRefused as error:
        if error.status != 400:
            raise
        _log.debug("%s %s: %s", method, params, error)
        return None
