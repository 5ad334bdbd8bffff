"""A simulated Postgres for the ledger worker: rows and position change together, at the moment of the commit, or not.

A commit may be done and its answer lost, or the connection be lost before it; a worker that dies may leave a commit on
its way. What the database refuses by its keys and checks (workers/migrations), this one refuses too.
"""
import asyncio
import uuid
from typing import Any

import asyncpg
import numpy as np

from engine.transfers import Transfers
from tests.system.simulator.world import MS, US, World
from workers.ledger_batch import Batch
from workers.ledger_store import Position
from workers.postings import Rows
from workers.transfer_rows import known_transfers
from workers.wallet_mirror import WALLET_ROW

Row = tuple[int, ...]


class SimPostgres:
    """What is committed; it survives everything."""

    def __init__(self, world: World) -> None:
        self.world, self.dice = world, world.dice("postgres")
        self.up, self.lost_answers = True, 0.0
        self.seq = self.epoch = 0
        self.writer: uuid.UUID | None = None
        self.wallets: dict[tuple[int, int], Row] = {}
        self.trades: dict[tuple[int, int, int], dict[str, int]] = {}
        self.entries: dict[tuple[int, int, int, int], dict[str, int]] = {}
        self.orders: dict[int, dict[str, int]] = {}
        self.transfers: dict[str, tuple[Any, ...]] = {}
        self.commits = 0
        self.compares = True            # the position, before it is moved

    def commit(self, batch: Batch, writer: uuid.UUID) -> bool:
        """All of the batch or nothing. False when the position is elsewhere; raises what Postgres would."""
        ours = self.writer == writer and self.seq == batch.after_seq and self.epoch <= batch.epoch
        if self.compares and not ours:
            return False
        trades = {(row["instrument"], row["seq"], row["n"]): row for row in _rows(batch.trades)}
        entries = {(row["account"], row["asset"], row["seq"], row["n"]): row for row in _rows(batch.entries)}
        orders = {row["order_id"]: row for row in _rows(batch.closed_orders)}
        if any(new.keys() & old.keys() for new, old in (
                (trades, self.trades), (entries, self.entries), (orders, self.orders))):
            raise asyncpg.UniqueViolationError("a row with this key exists")
        self.orders.update(orders)
        self.transfers.update({row[0]: row for row in batch.transfers})
        self.trades.update(trades)
        self.entries.update(entries)
        for row in (*batch.new_wallets.tolist(), *batch.changed_wallets.tolist()):
            self.wallets[row[0], row[1]] = row
        self.seq, self.epoch, self.writer = batch.seq, batch.epoch, writer
        self.commits += 1
        return True


def _rows(rows: Rows) -> list[dict[str, int]]:
    names = rows.dtype.names or ()
    return [dict(zip(names, row, strict=True)) for row in rows.tolist()]


class SimLedgerStore:
    """workers.ledger_store.LedgerStore of one worker process."""

    def __init__(self, postgres: SimPostgres) -> None:
        self._postgres = postgres
        self.writer = uuid.uuid4()
        self.lag_ns_max = 0

    async def _ask(self) -> None:
        await asyncio.sleep(self._postgres.dice.uniform(0.0001, 0.002))
        if not self._postgres.up:
            raise ConnectionRefusedError("Postgres is away")

    def passes(self, error: Exception) -> bool:
        """As the real one."""
        return isinstance(error, OSError)

    def abandon(self) -> None:
        """There is no connection to drop."""

    async def install(self) -> None:
        """The tables are there."""
        await self._ask()

    async def take_over(self) -> tuple[Position, Rows]:
        """Position and wallets at one moment, from which on no other writer's batch is taken."""
        await self._ask()
        self._postgres.writer = self.writer
        position = Position(self._postgres.seq, self._postgres.epoch, self._postgres.writer)
        return position, np.array(list(self._postgres.wallets.values()), WALLET_ROW)

    async def transfers(self) -> Transfers:
        """All of them."""
        await self._ask()
        return known_transfers(self._postgres.transfers.values())

    async def position(self) -> Position:
        """Read, not remembered."""
        await self._ask()
        return Position(self._postgres.seq, self._postgres.epoch, self._postgres.writer)

    async def write(self, batch: Batch) -> bool:
        """The commit happens in Postgres, whatever becomes of the worker; its answer may be lost either way."""
        await self._ask()
        postgres = self._postgres
        lost = postgres.dice.random() < postgres.lost_answers
        if lost and postgres.dice.random() < 0.5:
            raise ConnectionResetError("lost before the commit")
        answer: dict[str, Any] = {}
        postgres.world.after(postgres.dice.randrange(100 * US, 3 * MS), lambda: self._commit(batch, answer))
        await asyncio.sleep(0.0035)
        if lost or "error" in answer or not postgres.up:
            raise answer.get("error") or ConnectionResetError("the answer to the commit is lost")
        return bool(answer["done"])

    def _commit(self, batch: Batch, answer: dict[str, Any]) -> None:
        if not self._postgres.up:
            answer["error"] = ConnectionResetError("Postgres went away")
            return
        try:
            answer["done"] = self._postgres.commit(batch, self.writer)
        except asyncpg.PostgresError as error:
            answer["error"] = error
