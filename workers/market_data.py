"""The market-data role: follows the drop copy with a replica of the core and publishes prices to Redis.

Starting: commands stamped before this process started are history and are applied in silence. The first later one, or
a quiet drop copy, makes the role live; it then goes on from the book as it is. Downstream never waits for us nor we for
it: while Redis is away the replica keeps following and what would have been published is dropped. Each new connection
to Redis has a new epoch and starts with the state of every instrument.

Order of messages of an instrument: trades and bookTickers as the core made them, every one of them, once a frame is
applied; differences and best levels at the ticks, read from the replica then. One write to Redis per frame and tick.

Candles and statistics are made from all trades since the first command, in the commands' own time; what closes a candle
on its stream is said in `_until_ms`. Candles are kept in Postgres if postgres.dsn names one (workers/candle_store.py).
When the journal's beginning was deleted they go on from what is stored there. Without that they hold the trades since
the oldest snapshot, numbers of aggregated trades leave some out, and candles that lack their beginning are not stored.
"""
import asyncio
import contextlib
import itertools
import logging
import time
from struct import unpack_from
from typing import Never

import numpy as np

from engine.config import Config
from engine.core.codes import EventKind
from engine.core.exchange import Exchange
from engine.core.unpack import unpack_events
from engine.follower import follow
from engine.instruments import Catalog, Instrument
from engine.journal import Frame
from engine.market_channels import (
    FAST_MS,
    NS_PER_MS,
    SLOW_MS,
    TICKER_WINDOWS,
    Kind,
)
from engine.positions import tell_position
from engine.records import EVENT
from engine.redis_link import RedisAddress
from engine.segments import list_files
from engine.snapshots import load_first, newest_first
from workers.candle_past import Past
from workers.candle_store import CandleStore, Changes
from workers.ledger_store import POSTGRES_ERRORS
from workers.market_data_book import MarketBook
from workers.market_data_json import safe_symbol
from workers.market_outbox import Lists, Outbox, Speaker
from workers.market_tape import MarketTape
from workers.redis_publisher import RedisPublisher
from workers.together import together

QUIET_SECONDS = 0.25   # a drop copy silent for this long has delivered what existed
CLOCK_LAG_SECONDS = 1.0   # a drop copy silent for this long has delivered what is older than this
STORE_SECONDS_MAX = 2.0   # to wait at the start for what Postgres knows: what it has need not be written again
HISTORY_FRAMES = 64    # frames of history between two looks at how many candles wait
_TIME_OFFSET = 24      # of time_ns in a command, see engine/records.py; all commands of a frame have the same
_LISTS = {Kind.MINI_TICKER: Kind.MINI_TICKERS, Kind.TICKER: Kind.TICKERS, **dict(TICKER_WINDOWS.values())}
_OF_A_BOOK = frozenset({EventKind.ACCEPTED, EventKind.TRADE, EventKind.CANCELED, EventKind.REDUCED, EventKind.TOP,
                         EventKind.TRIGGERED, EventKind.LIST, EventKind.AUCTION})
_log = logging.getLogger(__name__)


class MarketData:
    """Role of the worker process; `run` ends only by cancellation or failure."""

    def __init__(self, config: Config) -> None:
        self.core = Exchange(top_events=True)
        self.live = False
        self._config = config
        self._publisher = RedisPublisher(config.redis, self._reopened)
        self._outbox = Outbox(self._publisher, RedisAddress.parse(config.redis.url).database)
        self._catalog = Catalog()
        self._books: dict[int, MarketBook] = {}
        self._tapes: dict[int, MarketTape] = {}
        self._lists = Lists()
        dsn = config.postgres.dsn
        self._store = CandleStore(dsn, config.candles, self._collect, self._hold_journal) if dsn else None
        self._last_ms = 0                        # time of the last command
        self._seconds = 0                        # slow ticks
        self._held = False                       # history waits for Postgres: that nothing comes means nothing
        self._started_ns = time.time_ns()
        self._applied_at: float | None = None    # loop time of the last frame

    async def run(self) -> None:
        """Follow, publish, tick and store until cancelled; the first of them to fail ends all."""
        store = [self._store.run()] if self._store is not None else []
        await together(self._publisher.run(), self._tick(), self._follow(), *store)

    # 1. frames in

    async def _follow(self) -> None:
        if self._store is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STORE_SECONDS_MAX):
                    await self._store.opened.wait()
        number = 0
        await self._begin()
        async for frame in follow(self._config.paths.dropcopy, self.core.seq + 1):
            self.apply(frame)
            number += 1
            if self._store is not None and not self.live and number % HISTORY_FRAMES == 0:
                self._held = True
                await self._store.room()
                self._held = False
            await asyncio.sleep(0)   # lets the loop write and tick while a long history is read

    async def _begin(self) -> None:
        """With the first command, for all the trades; from the oldest snapshot when the journal's beginning is gone."""
        files = list_files(self._config.paths.journal)
        if files and files[0][0] > 1:
            oldest_first = reversed(newest_first(self._config.paths.snapshots))
            loaded = load_first(oldest_first, lambda: Exchange(top_events=True))
            if loaded is not None:
                position, pasts = await self._pasts(loaded.core)
                self.core = loaded.core
                self._configure()
                for number in pasts.keys() & self._tapes.keys():
                    self._tapes[number].resume(pasts[number], position)
                    await asyncio.sleep(0)

    async def _pasts(self, core: Exchange) -> tuple[int, dict[int, Past]]:
        """What is stored of the trades before this core, which can go on from there, and up to which command."""
        if self._store is not None:
            try:
                position, pasts = await self._store.pasts(Catalog.of(core).by_id)
            except POSTGRES_ERRORS as error:
                _log.error("the journal's beginning is gone and Postgres is away (%r): until it is back, candles and "
                           "statistics have only the trades after command %d, and none is stored", error, core.seq)
                self._store.forget()
                return core.seq, {}
            if position >= core.seq:
                return position, pasts
            _log.error("the journal begins after command %d, the stored candles end at command %d: candles and "
                       "statistics that reach back lack the trades before; such candles stay as they are stored. "
                       "To make all of them again, start with a whole journal", core.seq, position)
            return core.seq, {}
        _log.warning("the journal's beginning is gone and there is no Postgres: candles and statistics have only the "
                     "trades after command %d, and aggregated trades are numbered with gaps", core.seq)
        return core.seq, {}

    def apply(self, frame: Frame) -> None:
        """Take the next frame of the journal."""
        self._applied_at = asyncio.get_running_loop().time()
        if not frame.count:
            return
        (time_ns,) = unpack_from("<q", frame.commands, _TIME_OFFSET)
        live = time_ns >= self._started_ns
        if live and not self.live:
            self._go_live(time_ns // NS_PER_MS)
        elif self.live and not live:
            self._go_silent()
        events = self.core.apply(frame.commands)
        if live:
            self._tell(events, time_ns // NS_PER_MS)
        else:
            self._remember(events)
        self._last_ms = time_ns // NS_PER_MS

    def _go_live(self, at_ms: int) -> None:
        """From here on everything is told; what came before is in the books and on the tapes."""
        self.live = True
        self._configure()
        for book in self._books.values():
            book.restart()
            book.refresh()
        for tape in self._tapes.values():
            tape.start(at_ms)
        self._outbox.send(self._books.values())
        _log.info("live from command %d", self.core.seq + 1)

    def _go_silent(self) -> None:
        """A late part of history."""
        self.live = False
        for tape in self._tapes.values():
            tape.live = False

    # 2. events to entries

    def _tell(self, buffer: memoryview, at_ms: int) -> None:
        touched: dict[int, MarketBook] = {}
        for event in unpack_events(buffer):
            if event.kind in _OF_A_BOOK:
                book = self._books.get(event.instrument)
                if book is not None:
                    book.event(event)
                    touched[event.instrument] = book
                    if event.kind == EventKind.TRADE:
                        self._tapes[event.instrument].trade(event)
            elif event.kind == EventKind.CONFIGURED:
                self._configure()
        for number in touched:
            self._tapes[number].settle()
            self._books[number].settle(at_ms)
        self._outbox.send(touched.values())

    def _remember(self, buffer: memoryview) -> None:
        """The trades and new instruments of history, without looking at all the rest."""
        events = np.frombuffer(buffer, EVENT)
        kinds = events["kind"]
        if (kinds == EventKind.CONFIGURED).any():
            self._configure()
        trades = events[kinds == EventKind.TRADE]
        instruments = trades["instrument"]
        for number in set(instruments.tolist()) & self._tapes.keys():
            self._tapes[number].remember(trades[instruments == number])

    def _configure(self) -> None:
        """Make a book for each new instrument; a changed one keeps its book with the new terms."""
        self._catalog.update(self.core)
        for number, instrument in self._catalog.by_id.items():
            book = self._books.get(number)
            if book is not None:
                book.instrument = self._tapes[number].instrument = instrument
            elif self._nameable(instrument):
                book = self._books[number] = MarketBook(
                    self.core, instrument, self._config.feed.raw_streams, self._config.feed.order_streams)
                tape = self._tapes[number] = MarketTape(self.core, instrument, book.entries)
                tape.live = self.live

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
        if not self.live and not self._held and self._quiet(QUIET_SECONDS):
            self._go_live(now_ms)
        if not self.live:
            return
        until_ms = self._until_ms(now_ms)
        for number, book in self._books.items():
            book.fast_tick(now_ms)
            self._tapes[number].fast_tick(until_ms, now_ms)
        if slow:
            self._slow_tick(now_ms)
        self._outbox.send([*self._books.values(), self._lists])

    def _slow_tick(self, now_ms: int) -> None:
        self._seconds += 1
        lists: dict[Kind, list[bytes]] = {kind: [] for kind in _LISTS.values()}
        for number, book in self._books.items():
            book.slow_tick(now_ms)
            for kind, text in self._tapes[number].slow_tick(now_ms, even=self._seconds % 2 == 0).items():
                if kind in _LISTS:
                    lists[_LISTS[kind]].append(text)
        self._lists.tell(lists)

    def _until_ms(self, now_ms: int) -> int:
        """Nothing more will happen before this: commands come in the order of their times, and after a second of
        silence what is older than that second would have come.
        """
        if self.live and self._quiet(CLOCK_LAG_SECONDS):
            return max(self._last_ms, now_ms - int(CLOCK_LAG_SECONDS * 1000))
        return self._last_ms

    def _collect(self) -> tuple[int, int, Changes]:
        """For the store."""
        for tape in self._tapes.values():
            tape.fold()
        changes = [(number, tape.last_agg, tape.candles.take()) for number, tape in self._tapes.items()]
        return self.core.seq, self._until_ms(time.time_ns() // NS_PER_MS), changes

    def _hold_journal(self, seq: int) -> None:
        """The journal must reach back to where the stored candles end, where it is deleted at all."""
        if self._config.journal.keep_bytes:
            try:
                tell_position(self._config.paths.positions, "candles", seq)
            except OSError as error:
                _log.warning("the position of the candles stays at an older command: %r", error)

    def _quiet(self, seconds: float) -> bool:
        """Whether something has come, but nothing for so long."""
        now = asyncio.get_running_loop().time()
        return self._applied_at is not None and now - self._applied_at >= seconds

    # 4. entries out

    def _reopened(self) -> None:
        """A new connection, so a new epoch: sequences start again, and every reader gets the state."""
        speakers: list[Speaker] = [*self._books.values(), self._lists]
        for speaker in speakers:
            speaker.seq = 0
            speaker.entries.clear()
        if self.live:
            for number, book in self._books.items():
                book.refresh()
                self._tapes[number].refresh()
        self._outbox.send(self._books.values())
