"""The ledger's hold on Postgres: one connection, one transaction per batch, and which errors mean "try again".

Nothing here decides what to write; nothing here loops. `write` either commits the whole batch, or finds the position
elsewhere, or raises; after an exception the outcome is unknown until `position` has been read on a new connection, so
`abandon` this one: that rolls back, too. (A rollback of ours on a broken connection would only hide the error.)
"""
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg
import numpy as np

from engine.config import Ledger
from engine.transfers import Transfers
from workers.copy_binary import CopyRows
from workers.ledger_batch import Batch
from workers.ledger_errors import LedgerRefused
from workers.postings import Rows
from workers.schema import upgrade
from workers.statements import statements
from workers.transfer_rows import known_transfers
from workers.wallet_mirror import WALLET_ROW

APPLICATION = "buttonwood ledger"      # how our sessions are named in pg_stat_activity
WRITER_ROLE = "buttonwood_writer"
TRADE_COPY = CopyRows(
    instrument="int", n="int", seq="bigint", trade_id="bigint", fill_id="bigint", time_ns="bigint",
    price_ticks="bigint", qty_lots="bigint", quote_amount="bigint", taker_order_id="bigint", maker_order_id="bigint",
    taker_fee="bigint", maker_fee="bigint", taker_account="int", maker_account="int", taker_side="smallint")
ENTRY_COPY = CopyRows(
    account="int", asset="int", seq="bigint", amount="bigint", balance_after="bigint", n="int", kind="smallint")
ORDER_COPY = CopyRows(
    account="int", instrument="int", order_id="bigint", seq="bigint", time_ns="bigint", update_ns="bigint",
    price_ticks="bigint", qty_lots="bigint", amount="bigint", executed_lots="bigint", quote_filled="bigint",
    side="smallint", order_type="smallint", time_in_force="smallint", code="smallint",
    list_id="bigint", stop_ticks="bigint", display_lots="bigint", trailing_bps="int", stp="smallint",
    client_id="text")

# The server is away, full, restarting or handing over: wait and ask again. asyncpg raises InternalClientError when a
# server says goodbye between two statements and the connection is used before its end is noticed.
_PASSING = (
    OSError, asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError, asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError, asyncpg.ReadOnlySQLTransactionError, asyncpg.InternalClientError)
POSTGRES_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)


@dataclass(frozen=True)
class Position:
    """How far Postgres is, and which process wrote last."""

    seq: int
    epoch: int
    writer: uuid.UUID | None


class LedgerStore:
    """`writer` names this process in the watermark, so that it knows its own commits after a lost connection."""

    def __init__(self, dsn: str, limits: Ledger) -> None:
        self.writer = uuid.uuid4()
        self.lag_ns_max = 0
        self._dsn, self._limits = dsn, limits
        self._connection: asyncpg.Connection | None = None
        self._parted_to = -1            # the last command that a part of the tables takes
        self._sql = statements("ledger.sql")

    async def connect(self) -> asyncpg.Connection:
        """The connection, made if there is none, with the writer's rights only."""
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._opened()
            await self._connection.fetch(statements("schema.sql")["become"], WRITER_ROLE)
        return self._connection

    async def _opened(self) -> asyncpg.Connection:
        """A new connection as the owner of the tables; it ends ledger transactions older than our patience."""
        patience = timedelta(seconds=self._limits.statement_seconds_max)
        connection = await asyncpg.connect(
            self._dsn, timeout=self._limits.connect_seconds_max, command_timeout=patience.total_seconds(),
            server_settings={"application_name": APPLICATION, "synchronous_commit": "on"})
        try:
            await connection.execute(self._sql["end_stalled"], APPLICATION, patience)
        except BaseException:
            connection.terminate()
            raise
        return connection

    def passes(self, error: Exception) -> bool:
        """Whether an error of the last call is about the server's state, not about what was asked of it."""
        if isinstance(error, asyncpg.InterfaceError):   # a closed connection, or our own mistake
            return self._connection is not None and self._connection.is_closed()
        return isinstance(error, _PASSING)

    def abandon(self) -> None:
        """Drop the connection without a word."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def install(self) -> None:
        """Make the tables, or bring those of an older version up to date."""
        connection = await self._opened()
        try:
            await upgrade(connection)
        finally:
            connection.terminate()

    async def take_over(self) -> tuple[Position, Rows]:
        """Position and wallets at one moment, from which on no other writer's batch is taken."""
        connection = await self.connect()
        await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        row = await connection.fetchrow(self._sql["own"], self.writer)
        wallets = await connection.fetch(self._sql["read_wallets"])
        await connection.execute("COMMIT")
        return _position(row), np.array([tuple(wallet) for wallet in wallets], WALLET_ROW)

    async def transfers(self) -> Transfers:
        """All of the table; only for the writer, who knows that nobody else changes it."""
        connection = await self.connect()
        return known_transfers(await connection.fetch(self._sql["read_transfers"]))

    async def position(self) -> Position:
        """Read, not remembered."""
        connection = await self.connect()
        return _position(await connection.fetchrow(self._sql["read_watermark"]))

    async def write(self, batch: Batch) -> bool:
        """One transaction. False, and nothing written, when the position is not batch.after_seq or not ours."""
        connection = await self.connect()
        await connection.execute("BEGIN")
        if await connection.fetchval(self._sql["claim"], batch.after_seq, batch.epoch, self.writer) is None:
            await connection.execute("ROLLBACK")
            return False
        parted_to = await self._make_parts(connection, batch)
        await self._configure(connection, batch)
        await _copy(connection, "trade", TRADE_COPY, batch.trades)
        await _copy(connection, "entry", ENTRY_COPY, batch.entries)
        await _copy(connection, "closed_order", ORDER_COPY, batch.closed_orders)
        if batch.transfers:
            await connection.executemany(self._sql["put_transfer"], batch.transfers)
        await self._put_wallets(connection, "insert_wallets", batch.new_wallets)
        await self._put_wallets(connection, "update_wallets", batch.changed_wallets)
        await self._advance(connection, batch)
        await connection.execute("COMMIT")
        self._parted_to = parted_to
        return True

    async def _make_parts(self, connection: asyncpg.Connection, batch: Batch) -> int:
        """The tables take this batch and half a part more; the last command that they take then."""
        size = self._limits.part_commands
        if batch.seq + size // 2 <= self._parted_to:
            return self._parted_to
        return int(await connection.fetchval(self._sql["make_parts"], batch.seq + size // 2, size))

    async def _configure(self, connection: asyncpg.Connection, batch: Batch) -> None:
        for table, row in batch.configuration:
            await connection.execute(self._sql[f"put_{table}"], *row)

    async def _put_wallets(self, connection: asyncpg.Connection, statement: str, rows: Rows) -> None:
        if len(rows) == 0:
            return
        columns = [rows[name].tolist() for name in WALLET_ROW.names or ()]
        status = await connection.execute(self._sql[statement], *columns)
        if int(status.rsplit(" ", 1)[1]) != len(rows):
            raise LedgerRefused(f"{statement}: {status} for {len(rows)} wallets: rows of wallet were removed")

    async def _advance(self, connection: asyncpg.Connection, batch: Batch) -> None:
        now_ns = time.time_ns()
        lag_ns = max(0, now_ns - batch.oldest_ns)
        self.lag_ns_max = max(self.lag_ns_max, lag_ns)
        await connection.execute(
            self._sql["advance"], batch.seq, batch.epoch, batch.time_ns, now_ns, lag_ns, self.writer)

    async def close(self) -> None:
        """End the session; what is not committed is rolled back."""
        if self._connection is not None:
            await self._connection.close(timeout=self._limits.connect_seconds_max)
            self._connection = None


def _position(row: asyncpg.Record | None) -> Position:
    if row is None:
        raise LedgerRefused("the watermark row is missing: this is no ledger of ours; name another database")
    return Position(row["seq"], row["epoch"], row["writer"])


async def _copy(connection: asyncpg.Connection, table: str, layout: CopyRows, rows: Rows) -> None:
    if len(rows):
        data: Sequence[Any] = memoryview(layout.encode(rows))
        await connection.copy_to_table(table, source=data, columns=layout.columns, format="binary")
