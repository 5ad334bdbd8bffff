"""The market-data role: follows the drop copy with a replica of the core and publishes prices to Redis.

Starting: commands stamped before this process started are history and are applied in silence. The first later one, or
a quiet drop copy, makes the role live; it then goes on from the book as it is. Downstream never waits for us nor we for
it: while Redis is away the replica keeps following and what would have been published is dropped. Each new connection
to Redis has a new epoch and starts with the state of every instrument.

Order of messages of an instrument: trades and bookTickers as the core made them, every one of them, once a frame is
applied; differences and best levels at the ticks, read from the replica then. One write to Redis per frame and tick.
"""
import asyncio
import itertools
import logging
import time
from collections.abc import Iterable
from struct import unpack_from
from typing import Never

from engine.config import Config
from engine.core.codes import EventKind
from engine.core.exchange import Exchange
from engine.core.unpack import unpack_events
from engine.follower import follow
from engine.instruments import Catalog, Instrument
from engine.journal import Frame
from engine.market_channels import FAST_MS, NS_PER_MS, SLOW_MS, channel, encode_envelope, portions
from engine.redis_link import RedisAddress
from workers.market_data_book import MarketBook
from workers.market_data_json import safe_symbol
from workers.redis_publisher import RedisPublisher
from workers.together import together

QUIET_SECONDS = 0.25   # a drop copy silent for this long has delivered what existed
_TIME_OFFSET = 24      # of time_ns in a command, see engine/records.py
_OF_A_BOOK = frozenset({EventKind.ACCEPTED, EventKind.TRADE, EventKind.CANCELED, EventKind.REDUCED, EventKind.TOP})
_log = logging.getLogger(__name__)


class MarketData:
    """Role of the worker process; `run` ends only by cancellation or failure."""

    def __init__(self, config: Config) -> None:
        self.core = Exchange(top_events=True)
        self.live = False
        self._config, self._database = config, RedisAddress.parse(config.redis.url).database
        self._publisher = RedisPublisher(config.redis, self._reopened)
        self._catalog = Catalog()
        self._books: dict[int, MarketBook] = {}
        self._started_ns = time.time_ns()
        self._applied_at: float | None = None    # loop time of the last frame

    async def run(self) -> None:
        """Follow, publish and tick until cancelled; the first of the three to fail ends all."""
        await together(self._publisher.run(), self._tick(), self._follow())

    # 1. frames in

    async def _follow(self) -> None:
        async for frame in follow(self._config.paths.dropcopy, 1):
            self.apply(frame)
            await asyncio.sleep(0)   # lets the loop write and tick while a long history is read

    def apply(self, frame: Frame) -> None:
        """Take the next frame of the journal."""
        (time_ns,) = unpack_from("<q", frame.commands, _TIME_OFFSET)
        self._applied_at = asyncio.get_running_loop().time()
        live = time_ns >= self._started_ns
        if live and not self.live:
            self._go_live()
        self.live = live
        events = self.core.apply(frame.commands)
        if live:
            self._tell(events)

    def _go_live(self) -> None:
        """From here on everything is told; what came before is in the books."""
        self.live = True
        self._configure()
        for book in self._books.values():
            book.restart()
            book.refresh()
        self._publish(self._books.values())
        _log.info("live from command %d", self.core.seq + 1)

    # 2. events to entries

    def _tell(self, buffer: memoryview) -> None:
        touched: dict[MarketBook, None] = {}
        for event in unpack_events(buffer):
            if event.kind in _OF_A_BOOK:
                book = self._books.get(event.instrument)
                if book is not None:
                    book.event(event)
                    touched[book] = None
            elif event.kind == EventKind.CONFIGURED:
                self._configure()
        self._publish(touched)

    def _configure(self) -> None:
        """Make a book for each new instrument; a changed one keeps its book with the new terms."""
        self._catalog.update(self.core)
        for number, instrument in self._catalog.by_id.items():
            book = self._books.get(number)
            if book is not None:
                book.instrument = instrument
            elif self._nameable(instrument):
                self._books[number] = MarketBook(self.core, instrument)

    def _nameable(self, instrument: Instrument) -> bool:
        if not safe_symbol(instrument.symbol):
            _log.error("instrument %d has no market data: its symbol %r cannot stand in a stream's name",
                       instrument.id, instrument.symbol)
        return safe_symbol(instrument.symbol)

    # 3. ticks

    async def _tick(self) -> Never:
        """Every 100 ms; ticks missed by a stalled machine are left out, not made up for."""
        loop = asyncio.get_running_loop()
        at = loop.time()
        for count in itertools.count(1):
            at = max(at + FAST_MS / 1000, loop.time())
            await asyncio.sleep(at - loop.time())
            self.tick(time.time_ns() // NS_PER_MS, slow=count % (SLOW_MS // FAST_MS) == 0)
        raise AssertionError("counting has no end")

    def tick(self, now_ms: int, slow: bool) -> None:
        """The end of a 100 ms span, and with `slow` of a 1000 ms span as well."""
        if not self.live and self._quiet():
            self._go_live()
        if not self.live:
            return
        for book in self._books.values():
            book.fast_tick(now_ms)
            if slow:
                book.slow_tick(now_ms)
        self._publish(self._books.values())

    def _quiet(self) -> bool:
        now = asyncio.get_running_loop().time()
        return self._applied_at is not None and now - self._applied_at >= QUIET_SECONDS

    # 4. entries out

    def _reopened(self) -> None:
        """A new connection, so a new epoch: sequences start again, and every reader gets the state."""
        for book in self._books.values():
            book.seq = 0
            book.entries.clear()
            if self.live:
                book.refresh()
        self._publish(self._books.values())

    def _publish(self, books: Iterable[MarketBook]) -> None:
        """Everything that these books have to say, one message per instrument, one write."""
        for book in books:
            if book.entries and self._publisher.connected:
                name = channel(self._database, book.instrument.symbol)
                for portion in portions(book.entries):
                    book.seq += 1
                    self._publisher.publish(name, encode_envelope(self._publisher.epoch, book.seq, portion))
            book.entries.clear()
        self._publisher.flush()
