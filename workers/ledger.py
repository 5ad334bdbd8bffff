"""The ledger role: follows the journal with a replica of the core and writes trades, entries and balances to Postgres.

Promises: each command reaches Postgres exactly once, in order, or the role ends with a LedgerError. The position moves
in the transaction of the rows it stands for; an unknown outcome is read from Postgres, never guessed.
Order of things: 1. position and wallets from Postgres, 2. replay of the journal to that position, in silence,
3. every wallet compared, 4. follow the drop copy from there. While one batch is on its way the next one fills; when
that is full, reading stops and the socket fills: a position in the journal is all we need to go on later.
"""
import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Never, TypeVar

import asyncpg
import msgspec

from engine.config import Config
from engine.errors import ConfigError
from engine.follower import Report, follow
from engine.snapshots import core_before
from workers.ledger_batch import Batch, Collector, compare_all
from workers.ledger_errors import LedgerAhead, LedgerFenced, LedgerMismatch, LedgerRefused
from workers.ledger_meter import LedgerMeter
from workers.ledger_store import POSTGRES_ERRORS, LedgerStore
from workers.open_orders import open_orders
from workers.replica import replay
from workers.together import together
from workers.wallet_mirror import WalletMirror

_RETRY_SECONDS_MIN = 0.05
_T = TypeVar("_T")
_log = logging.getLogger(__name__)


class Ledger:
    """Role of the worker process; `run` ends only by cancellation or failure. `ready` is set once it writes."""

    def __init__(self, config: Config) -> None:
        if not config.postgres.dsn:
            raise ConfigError("postgres.dsn is empty: name the database that the ledger shall write")
        self.ready = asyncio.Event()
        self.seq = self.batches = 0     # last command known to be in Postgres; transactions of this process
        self.meter = LedgerMeter()
        self._config, self._limits = config, config.ledger
        self._store = LedgerStore(config.postgres.dsn, config.ledger)
        self._report = Report("ledger")
        self._since = 0.0               # loop time at which the batch's first command came
        self._something, self._full, self._room = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def run(self) -> None:
        """Catch up, then read and write side by side. Raises LedgerError, JournalError."""
        try:
            collector = await self._catch_up()
            self.ready.set()
            await together(self._read(collector), self._write(collector))
        finally:
            self._store.abandon()
            self._say_goodbye()

    # 1. where Postgres is, and a replica that stands at the same command

    async def _catch_up(self) -> Collector:
        await self._insist(self._store.install)
        position, wallets = await self._insist(self._store.take_over)
        core = core_before(self._config.paths, position.seq)
        reached = await replay(self._config.paths.journal, core, position.seq)
        if reached < position.seq:
            raise LedgerAhead(position.seq, reached)
        different = compare_all(core, wallets)
        if different:
            raise LedgerMismatch(f"at command {position.seq}: " + "; ".join(different))
        transfers = await self._insist(self._store.transfers)
        self.seq = position.seq
        self._report.reached(position.seq)
        self.meter.caught_up(position.seq)
        return Collector(core, WalletMirror(wallets), open_orders(core), transfers)

    # 2. frames in

    async def _read(self, collector: Collector) -> None:
        async for frame in follow(self._config.paths.dropcopy, collector.core.seq + 1, self._report):
            if frame.count == 0:
                continue
            collector.add(frame.commands, frame.epoch)
            self.meter.received(collector.core.seq)
            if not self._something.is_set():
                self._since = asyncio.get_running_loop().time()
                self._something.set()
            if self._is_full(collector):
                self._full.set()
                self._room.clear()
                await self._room.wait()
            else:
                await asyncio.sleep(0)

    def _is_full(self, collector: Collector) -> bool:
        return collector.fills >= self._limits.batch_fills_max or collector.events >= self._limits.batch_events_max

    # 3. batches out

    async def _write(self, collector: Collector) -> Never:
        while True:
            await self._something.wait()
            await self._linger()
            batch = collector.cut()
            self._something.clear()
            self._full.clear()
            self._room.set()
            self.meter.begin(batch)
            await self._commit(batch)
            self.meter.committed(batch)
            collector.committed(batch)
            self.seq, self.batches = batch.seq, self.batches + 1
            self._report.reached(batch.seq)

    async def _linger(self) -> None:
        """Until the batch is full, or its first command has waited for batch_seconds_max."""
        try:
            async with asyncio.timeout_at(self._since + self._limits.batch_seconds_max):
                await self._full.wait()
        except TimeoutError:
            return

    async def _commit(self, batch: Batch) -> None:
        """Returns once the batch is known to be in Postgres."""
        try:
            if await self._insist(lambda: self._store.write(batch)):
                return
        except LedgerRefused as error:
            raise LedgerRefused(
                f"commands {batch.after_seq + 1} to {batch.seq} cannot be written: {error}. Nothing of them was: find "
                "out with `buttonwood verify` which rows were changed by another hand, restore them or name an empty "
                "database in postgres.dsn, which is then filled from the journal; start the ledger again") from error
        position = await self._insist(self._store.position)
        if (position.seq, position.writer) != (batch.seq, self._store.writer):
            raise LedgerFenced(
                f"Postgres is at command {position.seq} in epoch {position.epoch} of writer {position.writer}, "
                f"expected {batch.after_seq}, at most epoch {batch.epoch} and us, {self._store.writer}: another ledger "
                "worker writes this database; run only one")

    async def _insist(self, attempt: Callable[[], Awaitable[_T]]) -> _T:
        """Repeat with growing pauses while Postgres is away. An attempt must be safe to repeat."""
        pause = _RETRY_SECONDS_MIN
        while True:
            try:
                return await attempt()
            except POSTGRES_ERRORS as error:
                if not self._store.passes(error):
                    raise LedgerRefused(f"Postgres refuses: {_explained(error)}") from error
                self._store.abandon()
                self.meter.retries += 1
                _log.warning("Postgres is away, trying again in %.2f s: %r", pause, error)
            await asyncio.sleep(pause)
            pause = min(pause * 2, self._limits.retry_seconds_max)

    def _say_goodbye(self) -> None:
        lag_ms = self._store.lag_ns_max // 1_000_000
        told = {"stopped": "ledger", "seq": self.seq, "batches": self.batches, "lag_ms_max": lag_ms}
        _log.info(msgspec.json.encode(told).decode())


def _explained(error: Exception) -> str:
    """With the row and the constraint, where Postgres names them."""
    if not isinstance(error, asyncpg.PostgresError):
        return str(error)
    named = [f"{what} {name}" for what, name in (
        ("table", error.table_name), ("constraint", error.constraint_name)) if name]
    return " ".join(filter(None, [" ".join(str(error).split()), f"({', '.join(named)})" if named else ""]))
