"""What `verify` reads of Postgres, in one snapshot of it: the proofs it can give about itself, and sums to compare.

Everything is asked about the rows written after a command, given what was proven there: of the whole ledger that is
command -1 and nothing.
"""
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import numpy as np
from msgspec import Struct

from workers.configuration import Row
from workers.ledger_errors import LedgerRefused
from workers.postings import Rows
from workers.reconcile_mark import Database, Mark, mark_of
from workers.reconcile_replay import MODULUS
from workers.schema import check_version
from workers.statements import statements
from workers.wallet_mirror import WALLET_ROW

DIFFERENCES_MAX = 5
BEFORE_ALL = -1
_CONNECT_SECONDS_MAX = 10


class Proof(Struct, frozen=True, kw_only=True):
    """One statement about the money. `checked` counts the rows or wallets looked at."""

    name: str
    ok: bool
    checked: int
    differences: list[str]


class Position(Struct, frozen=True, kw_only=True):
    """Where Postgres stands, and which database it is.

    orders_after: it holds orders that ended after this command; terms_after: all of their columns.
    """

    seq: int
    epoch: int
    time_ns: int
    database: Database
    orders_after: int
    terms_after: int


class Snapshot(Struct, frozen=True, kw_only=True):
    """What was read from Postgres at one moment. Sums: of the rows after the command the replay begins behind."""

    position: Position
    wallets: Any                                    # WALLET_ROWs
    configuration: dict[tuple[str, int | str], Row]
    trade_sums: dict[int, list[int]]
    entry_sums: dict[int, list[int]]
    order_sums: dict[int, list[int]]
    transfers: list[Any]                            # rows
    begins_behind_mark: bool                        # only later rows were looked at
    proofs: list[Proof]


def make_proof(name: str, checked: int, differences: Iterable[str]) -> Proof:
    """It holds when there are no differences; the first few are kept."""
    shown = list(differences)[:DIFFERENCES_MAX]
    return Proof(name=name, ok=not shown, checked=checked, differences=shown)


class Reader:
    """Reads one moment; used inside `opened`."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection, self._sql = connection, statements("reconcile.sql")

    async def position(self) -> Position:
        """Raises LedgerRefused when this is no ledger of ours."""
        try:
            await check_version(self._connection)
            row = await self._connection.fetchrow(self._sql["read_watermark"])
        except asyncpg.UndefinedTableError as error:
            raise LedgerRefused(f"no ledger in this database ({error}): start the ledger worker first") from None
        if row is None:
            raise LedgerRefused("the watermark row is missing: this is no ledger of ours, or it was removed")
        return Position(seq=row["seq"], epoch=row["epoch"], time_ns=row["time_ns"],
                        database=(row["system"], row["database"]), orders_after=row["orders_after"],
                        terms_after=row["terms_after"])

    async def archive_mark(self, position: Position, journal: Path) -> Mark | None:
        """What held behind the parts that are archived; None when none is."""
        data = await self._connection.fetchval(statements("archive.sql")["archive_mark"])
        mark = mark_of(data, position.database, journal) if data is not None else None
        if data is not None and mark is None:
            raise LedgerRefused("parts of this ledger are archived, and what was proven behind them is of another "
                                "database or journal: attach the archived parts again, or use the journal they came of")
        return mark

    async def snapshot(self, position: Position, after_seq: int, mark: Mark | None) -> Snapshot:
        """Sums of the rows behind after_seq; proofs about the rows behind the mark, or about all without one."""
        fetch, sql = self._connection.fetch, self._sql
        wallets = await fetch(statements("ledger.sql")["read_wallets"])
        return Snapshot(
            position=position, wallets=np.array([tuple(row) for row in wallets], WALLET_ROW),
            configuration={(table, row[0]): tuple(row) for table in ("asset", "instrument", "account")
                           for row in await fetch(sql[f"{table}s"])},
            trade_sums=_sums(await fetch(sql["trade_sums"], after_seq)),
            entry_sums=_sums(await fetch(sql["entry_sums"], after_seq)),
            order_sums=_sums(await fetch(sql["order_sums"], after_seq, position.orders_after)),
            transfers=await fetch(statements("ledger.sql")["read_transfers"]),
            begins_behind_mark=mark is not None, proofs=await self._proofs(mark))

    async def _proofs(self, mark: Mark | None) -> list[Proof]:
        after_seq = mark.seq if mark else BEFORE_ALL
        counts = await self._connection.fetchrow(self._sql["counts"], after_seq)
        opening = _columns(mark.wallets if mark else np.zeros(0, WALLET_ROW))
        numbers = mark.trade_ids if mark else {}
        asked: list[tuple[str, str, Sequence[Any]]] = [
            ("assets_sum_to_zero", "entry", ()),
            ("running_balances_unbroken", "entry", opening[:3]),
            ("wallets_end_at_their_balance", "wallet", opening),
            ("trades_dense", "trade", (mark.fill_id if mark else 0, list(numbers), list(numbers.values()))),
            ("trades_match_entries", "entry", ())]
        return [make_proof(name, counts[table], [
            row[0] for row in await self._connection.fetch(self._sql[name], after_seq, *arguments)])
            for name, table, arguments in asked]


def _columns(wallets: Rows) -> list[list[int]]:
    """account, asset, balance, entries, last_seq."""
    return [wallets[name].tolist() for name in ("account", "asset", "balance", "entries", "last_seq")]


def _sums(rows: Iterable[Any]) -> dict[int, list[int]]:
    return {row[0]: [int(value) % MODULUS for value in tuple(row)[1:]] for row in rows}


async def connect(dsn: str) -> asyncpg.Connection:
    """A session for reading. Raises asyncpg's errors and OSError."""
    return await asyncpg.connect(dsn, timeout=_CONNECT_SECONDS_MAX)
