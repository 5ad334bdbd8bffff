"""Keeps candles in Postgres, behind the streams and never in their way.

Promises: a candle in Postgres is what the journal makes of it up to its `seq`; position and candles move in one
transaction, and writing them again changes nothing, so restarts leave no gap and count nothing twice. After a start the
journal is replayed from its beginning and only what changed after the position is written. Of a journal whose beginning
was deleted, the worker goes on with what is stored (workers/candle_past.py); the position told in DATA/positions keeps
of the journal what is needed for that. A candle that lacks its beginning is not written.

  Postgres away     streams go on; candles wait, at most candles.waiting_max
  more than that    those that wait are forgotten; when Postgres is back the role ends, and its next start replays them
  Postgres forgot   what it had committed (restored from a copy, or a disk that lied): the same
  at a start, with the journal's beginning deleted: streams go on with what the journal has, nothing is written; when
                    Postgres is back the role ends, and its next start goes on from what is stored
  replay too fast   reading history waits for Postgres, if it is there
"""
import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Never

import asyncpg

from engine.bars import Bar
from engine.config import Candles as Limits
from workers.candle_past import Past, read_past
from workers.candles import Key
from workers.ledger_store import POSTGRES_ERRORS
from workers.statements import script, statements

ROWS_MAX = 5000                # in one statement
Row = tuple[int, ...]
Changes = list[tuple[int, int, dict[Key, Bar]]]   # instrument, its last aggregated trade, candles
_log = logging.getLogger(__name__)


class CandlesLost(Exception):
    """Postgres lacks candles that this process no longer has: start again, the journal has them all.

    Not a VenueError: a process that ends with one of those refuses to run, and the venue stops with it.
    """


class CandleStore:
    """`collect` gives: last command; time before which nothing more can happen; candles changed since its last call.

    `tell` is called with the position: commands up to there are not needed again.
    """

    def __init__(self, dsn: str, limits: Limits, collect: Callable[[], tuple[int, int, Changes]],
                 tell: Callable[[int], None] = lambda _: None) -> None:
        self.opened = asyncio.Event()      # the position is known
        self.seq = 0                       # position: commands up to here need not be written
        self._dsn, self._limits, self._collect, self._tell = dsn, limits, collect, tell
        self._told_seq = -1
        self._waiting: dict[tuple[int, Key], Bar] = {}
        self._aggs: dict[int, int] = {}    # that wait
        self._lost = False
        self._connection: asyncpg.Connection | None = None
        self._room = asyncio.Event()
        self._sql = statements("candles.sql")

    async def run(self) -> Never:
        """Write until cancelled. Raises CandlesLost."""
        away = False
        try:
            while True:
                try:
                    await self._write()
                    away = False
                except POSTGRES_ERRORS as error:
                    if not away:
                        _log.warning("candles wait for Postgres: %r", error)
                    away = True
                    self._abandon()
                await asyncio.sleep(self._limits.write_seconds)
        finally:
            self._abandon()

    def forget(self) -> None:
        """What was made so far is not fit to be written: the role ends when Postgres is there."""
        self._lost = True

    async def pasts(self, instruments: Iterable[int]) -> tuple[int, dict[int, Past]]:
        """The position and what is stored of these. Raises POSTGRES_ERRORS."""
        if not self.opened.is_set():
            raise ConnectionError("not yet connected")
        return await read_past(self._dsn, self._limits.statement_seconds_max, instruments)

    async def room(self) -> None:
        """For history, which can wait: returns at once unless too many candles wait for a Postgres that is there."""
        self._gather()
        if self._connection is not None and len(self._waiting) > self._limits.waiting_max // 2:
            self._room.clear()
            await self._room.wait()

    def _gather(self) -> tuple[int, int]:
        """Take over what changed, whether Postgres is there or not."""
        seq, until_ms, changes = self._collect()
        for instrument, last_agg, candles in changes:
            if candles:
                self._aggs[instrument] = last_agg
            for key, candle in candles.items():
                if candle.seq > self.seq:
                    self._waiting[instrument, key] = candle
        if len(self._waiting) > self._limits.waiting_max and self._connection is None:
            _log.error("Postgres was away for too long: candles are forgotten until the next start")
            self._waiting.clear()
            self._lost = True
        return seq, until_ms

    async def _write(self) -> None:
        seq, until_ms = self._gather()
        connection = await self._connected()
        if self._lost:
            raise CandlesLost("Postgres is back, but candles were forgotten meanwhile: starting again")
        writing, self._waiting = self._waiting, {}
        aggs = dict(self._aggs)
        rows = [_row(instrument, key, candle) for (instrument, key), candle in writing.items()]
        try:
            async with connection.transaction():
                for first in range(0, len(rows), ROWS_MAX):
                    columns = zip(*rows[first:first + ROWS_MAX], strict=True)
                    await connection.execute(self._sql["put"], *map(list, columns))
                if aggs:
                    await connection.execute(self._sql["put_aggs"], list(aggs), list(aggs.values()))
                await connection.execute(self._sql["advance"], seq, until_ms)
        except BaseException:
            self._waiting = writing | self._waiting
            raise
        self._aggs = {number: last for number, last in self._aggs.items() if aggs.get(number) != last}
        self._reached(max(self.seq, seq))
        self._room.set()

    async def _connected(self) -> asyncpg.Connection:
        """The connection. Raises CandlesLost when a new one shows that Postgres is behind what it had promised."""
        if self._connection is not None and not self._connection.is_closed():
            return self._connection
        patience = self._limits.statement_seconds_max
        connection = await asyncpg.connect(
            self._dsn, timeout=patience, command_timeout=patience,
            server_settings={"application_name": "buttonwood candles", "synchronous_commit": "on"})
        self._connection = connection
        async with connection.transaction():
            await connection.execute(self._sql["install_lock"])
            await connection.execute(script("candle_schema.sql"))
        position = int(await connection.fetchval(self._sql["position"]))
        if position < self.seq:
            raise CandlesLost(f"the candles in Postgres are at command {position}, they were at {self.seq}")
        self._reached(position)
        self.opened.set()
        return connection

    def _reached(self, seq: int) -> None:
        if seq != self._told_seq:
            self._tell(seq)
        self.seq = self._told_seq = seq

    def _abandon(self) -> None:
        self._room.set()
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None


def _row(instrument: int, key: Key, candle: Bar) -> Row:
    return (instrument, *key, candle.open, candle.high, candle.low, candle.close, candle.last_lots, candle.lots,
            candle.quote, candle.buy_lots, candle.buy_quote, candle.first_id, candle.last_id, candle.first_agg,
            candle.first_seq, candle.seq)
