"""What a replay hears besides its replies: who the makers were (private events), how the top of book moved (streams).

Both connect again when their connection ends. Private events that were missed can be looked up (replay_lookup.py);
missed market messages cannot, so `interruptions` counts those losses and the figures show them.
"""
import asyncio
import time
from collections.abc import Callable

import msgspec
from msgspec import Raw, Struct

from buttonwood.lobster import UNITS_PER_TICK, State
from buttonwood.replay_score import Top
from buttonwood.replay_wire import Requests, decode_private, lots_of, ticks_of
from buttonwood.ws_client import WebSocketClient, connect_again, first_of
from engine.errors import VenueError

SUBSCRIBE_SECONDS_MAX = 30.0
_NO_ASK, _NO_BID = (9_999_999_999, 0), (-9_999_999_999, 0)     # how LOBSTER writes an empty side


class _Combined(Struct):
    stream: str
    data: Raw


class _Ticker(Struct):
    update_id: int = msgspec.field(name="u")
    bid: str = msgspec.field(name="b")
    bid_qty: str = msgspec.field(name="B")
    ask: str = msgspec.field(name="a")
    ask_qty: str = msgspec.field(name="A")


class _Trade(Struct):
    trade_id: int = msgspec.field(name="t")


class _Diff(Struct):
    update_id: int = msgspec.field(name="u")


_combined = msgspec.json.Decoder(_Combined).decode
_ticker = msgspec.json.Decoder(_Ticker).decode
_trade = msgspec.json.Decoder(_Trade).decode
_diff = msgspec.json.Decoder(_Diff).decode


class Watch:
    """One connection that is made again whenever it ends, until `stop`. `failed` resolves when that is hopeless."""

    def __init__(self, url: str) -> None:
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.interruptions = 0
        self.url = url
        self._ready = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Return when it listens. Raises VenueError."""
        self._task = asyncio.create_task(self._keep())
        await self.listening()

    async def listening(self) -> None:
        """Wait until everything that happens from now on will be heard. Raises VenueError."""
        ready = asyncio.create_task(self._ready.wait())
        await first_of(ready, self.failed)
        ready.cancel()
        if self.failed.done():
            await self.failed

    async def stop(self) -> None:
        """Hang up."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if not self.failed.done():
            self.failed.cancel()

    async def _keep(self) -> None:
        try:
            while True:
                client = await connect_again(self.url, self._receive)
                try:
                    async with asyncio.timeout(SUBSCRIBE_SECONDS_MAX):
                        await self._subscribe(client)
                    if not client.lost.done():
                        self._ready.set()
                    await client.lost
                finally:
                    self._ready.clear()
                    client.close()
                self.interruptions += 1
        except TimeoutError:
            self._fail(VenueError(f"{self.url}: nothing heard {SUBSCRIBE_SECONDS_MAX:g} s after subscribing"))
        except VenueError as error:
            self._fail(error)

    def _fail(self, error: VenueError) -> None:
        if not self.failed.done():
            self.failed.set_exception(error)

    def _receive(self, messages: list[bytes]) -> None:
        try:
            self._read(messages)
        except (msgspec.DecodeError, VenueError) as error:
            self._fail(VenueError(f"{self.url}: {error}"))

    async def _subscribe(self, client: WebSocketClient) -> None:
        """Ask for what is wanted and wait until it comes, or until the connection is lost."""
        raise NotImplementedError

    def _read(self, messages: list[bytes]) -> None:
        raise NotImplementedError


class PrivateWatch(Watch):
    """Private events of all traders on one socket: which order was the maker of each trade."""

    def __init__(self, url: str, requests: Requests, traders: int) -> None:
        super().__init__(url)
        self.makers: dict[int, str] = {}    # trade id: the maker's client order id
        self.reports = 0
        self._requests, self._traders = requests, traders
        self._unanswered: set[int] = set()
        self._answered: asyncio.Future[None] | None = None

    async def _subscribe(self, client: WebSocketClient) -> None:
        self._unanswered = set(range(self._traders))
        self._answered = asyncio.get_running_loop().create_future()
        now_ms = time.time_ns() // 1_000_000
        client.send([self._requests.subscribe(trader, trader, now_ms) for trader in range(self._traders)])
        await first_of(self._answered, client.lost)

    def _read(self, messages: list[bytes]) -> None:
        for data in messages:
            message = decode_private(data)
            report = message.event
            if report is None:
                self._subscribed(message.id, message.error)
            elif report.kind == "executionReport":
                self.reports += 1
                if report.is_maker and report.execution == "TRADE":
                    self.makers[report.trade_id] = report.client_id

    def _subscribed(self, trader: int, error: object) -> None:
        if error is not None:
            raise VenueError(f"trader {trader} may not hear his private events: {error}")
        self._unanswered.discard(trader)
        if not self._unanswered and self._answered is not None and not self._answered.done():
            self._answered.set_result(None)


class MarketWatch(Watch):
    """Top of book, trades and depth differences of one symbol.

    The differences are listened to for two reasons: the feed hangs up on their listeners when it may have lost a
    message, and they tell how far the stream has come.
    """

    def __init__(self, url: str, symbol: str) -> None:
        name = symbol.lower()
        streams = (f"{name}@bookTicker", f"{name}@trade", f"{name}@depth@100ms")
        super().__init__(f"{url}/stream?streams={'/'.join(streams)}")
        self.tops: list[Top] = []
        self.trade_ids: set[int] = set()
        self._readers: dict[str, Callable[[bytes], None]] = dict(
            zip(streams, (self._read_ticker, self._read_trade, self._read_diff), strict=True))
        self._update_id = -1
        self._moved = asyncio.Event()

    async def reaches(self, update_id: int, seconds_max: float) -> bool:
        """Wait until everything up to this update of the book has been heard; False if that takes too long."""
        try:
            async with asyncio.timeout(seconds_max):
                while self._update_id < update_id:
                    self._moved.clear()
                    await self._moved.wait()
        except TimeoutError:
            return False
        return True

    async def _subscribe(self, client: WebSocketClient) -> None:
        """The address subscribes; the first state shows that the publisher is alive and knows the symbol."""
        while self._update_id < 0 and not client.lost.done():
            self._moved.clear()
            moved = asyncio.ensure_future(self._moved.wait())
            await first_of(moved, client.lost)
            moved.cancel()

    def _read(self, messages: list[bytes]) -> None:
        for data in messages:
            message = _combined(data)
            reader = self._readers.get(message.stream)
            if reader is not None:
                reader(bytes(message.data))
        self._moved.set()

    def _read_ticker(self, data: bytes) -> None:
        ticker = _ticker(data)
        if not self.tops or ticker.update_id > self.tops[-1][0]:
            self.tops.append((ticker.update_id, _state(ticker)))
        self._update_id = max(self._update_id, ticker.update_id)

    def _read_trade(self, data: bytes) -> None:
        self.trade_ids.add(_trade(data).trade_id)

    def _read_diff(self, data: bytes) -> None:
        self._update_id = max(self._update_id, _diff(data).update_id)


def _state(ticker: _Ticker) -> State:
    """A message as a row of LOBSTER's order book file."""
    ask, bid = ticks_of(ticker.ask) * UNITS_PER_TICK, ticks_of(ticker.bid) * UNITS_PER_TICK
    ask_side = (ask, lots_of(ticker.ask_qty)) if ask else _NO_ASK
    bid_side = (bid, lots_of(ticker.bid_qty)) if bid else _NO_BID
    return (*ask_side, *bid_side)
