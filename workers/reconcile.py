"""The proofs behind `buttonwood verify`: Postgres against itself, and Postgres against a replay of the journal.

One snapshot of the database is read, so the venue may trade meanwhile; then the journal is replayed to the command that
snapshot stands at. A proof that fails shows its first contradictions and never stops the others.
"""
from collections.abc import Callable, Iterable
from typing import Any

import asyncpg
import numpy as np
from msgspec import Struct

from engine.config import Config
from engine.errors import ConfigError
from workers.configuration import Row
from workers.ledger_batch import compare_all
from workers.ledger_errors import LedgerMismatch, LedgerRefused
from workers.postings import Rows
from workers.reconcile_replay import MODULUS, ColumnSums, Expected
from workers.schema import check_version
from workers.statements import statements
from workers.wallet_mirror import WALLET_ROW

DIFFERENCES_MAX = 5
_CONNECT_SECONDS_MAX = 10
_OF_POSTGRES = {
    "assets_sum_to_zero": "entry", "running_balances_unbroken": "entry", "wallets_end_at_their_balance": "wallet",
    "trades_dense": "trade", "trades_match_entries": "entry"}     # proof to the table whose rows it checks


class Proof(Struct, frozen=True, kw_only=True):
    """One statement about the money. `checked` counts the rows or wallets looked at."""

    name: str
    ok: bool
    checked: int
    differences: list[str]


class Report(Struct, frozen=True, kw_only=True):
    """All proofs at command `seq`; `ok` when each holds."""

    ok: bool
    seq: int
    proofs: list[Proof]


class Snapshot(Struct, frozen=True, kw_only=True):
    """What was read from Postgres at one moment."""

    seq: int
    epoch: int
    time_ns: int
    wallets: Any                                    # WALLET_ROWs
    configuration: dict[tuple[str, int | str], Row]
    trade_sums: dict[int, list[int]]
    entry_sums: dict[int, list[int]]
    proofs: list[Proof]


async def verify(config: Config) -> Report:
    """Read Postgres, replay the journal, compare. Raises ConfigError, JournalError, LedgerRefused, asyncpg's errors."""
    if not config.postgres.dsn:
        raise ConfigError("postgres.dsn is empty: name the database to verify")
    snapshot = await _read(config.postgres.dsn)
    proofs = [*snapshot.proofs, *await _against_replay(config, snapshot)]
    return Report(ok=all(proof.ok for proof in proofs), seq=snapshot.seq, proofs=proofs)


def _proof(name: str, checked: int, differences: Iterable[str]) -> Proof:
    shown = list(differences)[:DIFFERENCES_MAX]
    return Proof(name=name, ok=not shown, checked=checked, differences=shown)


# 1. Postgres

async def _read(dsn: str) -> Snapshot:
    connection = await asyncpg.connect(dsn, timeout=_CONNECT_SECONDS_MAX)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            await check_version(connection)
            return await _snapshot(connection)
    except asyncpg.UndefinedTableError as error:
        raise LedgerRefused(f"no ledger in this database ({error}): start the ledger worker first") from None
    finally:
        await connection.close()


async def _snapshot(connection: asyncpg.Connection) -> Snapshot:
    sql = statements("reconcile.sql")
    watermark, counts = await connection.fetchrow(sql["read_watermark"]), await connection.fetchrow(sql["counts"])
    if watermark is None:
        raise LedgerRefused("the watermark row is missing: this is no ledger of ours, or it was removed")
    wallets = await connection.fetch(statements("ledger.sql")["read_wallets"])
    return Snapshot(
        seq=watermark["seq"], epoch=watermark["epoch"], time_ns=watermark["time_ns"],
        wallets=np.array([tuple(row) for row in wallets], WALLET_ROW),
        configuration={(table, row[0]): tuple(row) for table in ("asset", "instrument", "account")
                       for row in await connection.fetch(sql[f"{table}s"])},
        trade_sums=_sums(await connection.fetch(sql["trade_sums"])),
        entry_sums=_sums(await connection.fetch(sql["entry_sums"])),
        proofs=[_proof(name, counts[table], [row[0] for row in await connection.fetch(sql[name])])
                for name, table in _OF_POSTGRES.items()])


def _sums(rows: Iterable[Any]) -> dict[int, list[int]]:
    return {row[0]: [int(value) % MODULUS for value in tuple(row)[1:]] for row in rows}


# 2. the journal

async def _against_replay(config: Config, snapshot: Snapshot) -> list[Proof]:
    expected = Expected()
    try:
        reached = await expected.replay(config.paths.journal, snapshot.seq)
        expected.core.check()
    except (LedgerMismatch, AssertionError) as error:
        return [_proof("replay_sound", expected.core.seq, [str(error)])]
    if reached < snapshot.seq:
        ends = f"the journal ends at command {reached}, Postgres is at {snapshot.seq}"
        return [_proof("replay_sound", reached, [ends])]
    return [
        _proof("replay_sound", reached, []),
        _proof("position_equals_journal", 1, _position(expected, snapshot)),
        _proof("balances_equal_core", len(snapshot.wallets), compare_all(expected.core, snapshot.wallets)),
        _proof("wallets_equal_replay", len(snapshot.wallets), _wallets(expected.wallets, snapshot.wallets)),
        _sums_proof("trades_equal_replay", _instrument_name, expected.trades, snapshot.trade_sums),
        _sums_proof("entries_equal_replay", _wallet_name, expected.entries, snapshot.entry_sums),
        _proof("configuration_equals_replay", len(snapshot.configuration), _configuration(expected, snapshot))]


def _position(expected: Expected, snapshot: Snapshot) -> list[str]:
    if (expected.epoch, expected.core.time_ns) == (snapshot.epoch, snapshot.time_ns):
        return []
    return [f"command {snapshot.seq}: journal epoch {expected.epoch} time {expected.core.time_ns}, "
            f"watermark epoch {snapshot.epoch} time {snapshot.time_ns}"]


def _wallets(expected: Rows, found: Rows) -> list[str]:
    """Every column of every row, the number of entries and the last of them included."""
    ours, theirs = set(expected.tolist()), set(found.tolist())
    return [f"replay {sorted(ours - theirs)[:2]}, Postgres {sorted(theirs - ours)[:2]}"] if ours != theirs else []


def _sums_proof(
    name: str, describe: Callable[[int], str], expected: ColumnSums, found: dict[int, list[int]]
) -> Proof:
    different = []
    names = ["rows", *expected.columns]
    none = [0] * len(names)
    for group in sorted(expected.groups.keys() | found.keys()):
        pairs = zip(names, expected.groups.get(group, none), found.get(group, none), strict=True)
        columns = [column for column, ours, theirs in pairs if ours != theirs]
        if columns:
            different.append(f"{describe(group)}: sums differ in {', '.join(columns)}")
    return _proof(name, sum(values[0] for values in found.values()), different)


def _instrument_name(instrument: int) -> str:
    return f"instrument {instrument}"


def _wallet_name(key: int) -> str:
    return f"account {key >> 32} asset {key & 0xFFFFFFFF}"


def _configuration(expected: Expected, snapshot: Snapshot) -> list[str]:
    ours, theirs = expected.configuration, snapshot.configuration
    return [f"{table} {key}: replay {ours.get((table, key))}, Postgres {theirs.get((table, key))}"
            for table, key in sorted(ours.keys() | theirs.keys()) if ours.get((table, key)) != theirs.get((table, key))]
