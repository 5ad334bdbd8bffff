"""The proofs behind `buttonwood verify`: Postgres against itself, and Postgres against a replay of the journal.

One snapshot of the database is read, so the venue may trade meanwhile; then the journal is replayed to the command that
snapshot stands at. A proof that fails shows its first contradictions and never stops the others. When all hold, the
place is remembered (reconcile_mark.py) and the next proof looks at what came after it; a full one looks at everything
that is not archived (archive.py): behind that, at what followed the last proof before it.
"""
import logging
import time
from collections.abc import Callable

from msgspec import Struct

from engine.config import Config
from engine.core.exchange import StateDiffers
from engine.errors import ConfigError
from engine.segments import list_files
from workers.ledger_batch import compare_all
from workers.ledger_errors import LedgerMismatch
from workers.postings import Rows
from workers.reconcile_mark import Mark, read_mark, write_mark
from workers.reconcile_postgres import Proof, Reader, Snapshot, connect, make_proof
from workers.reconcile_replay import ColumnSums, Expected
from workers.reconcile_statement import Statement
from workers.reconcile_statement import differences as against_statement
from workers.transfer_rows import differences

_ALL = -1       # rows after this command are all rows
_log = logging.getLogger(__name__)


class EngineState(Struct, frozen=True, kw_only=True):
    """What a running engine says of itself: the hash of its state after command `seq`."""

    seq: int
    state_hash: int


class Report(Struct, frozen=True, kw_only=True):
    """All proofs at command `seq`; `ok` when each holds.

    after_seq: the last command proven before, behind which rows were looked at; 0: at all of them.
    """

    ok: bool
    seq: int
    after_seq: int
    seconds: float
    proofs: list[Proof]


async def verify(
    config: Config, *, full: bool = False, engine: EngineState | None = None, statement: Statement | None = None,
) -> Report:
    """Read Postgres, replay the journal, compare. Raises ConfigError, JournalError, LedgerRefused, asyncpg's errors."""
    if not config.postgres.dsn:
        raise ConfigError("postgres.dsn is empty: name the database to verify")
    begin = time.monotonic()
    expected, snapshot = await _read(config, full)
    after_seq = expected.after_seq if snapshot.begins_behind_mark else 0
    compared, mark = await _against_replay(config, expected, snapshot, engine, statement)
    proofs = [*snapshot.proofs, *compared]
    ok = all(proof.ok for proof in proofs)
    if ok and mark is not None:
        _remember(config, mark)
    seconds = time.monotonic() - begin
    return Report(ok=ok, seq=snapshot.position.seq, after_seq=after_seq, seconds=seconds, proofs=proofs)


# 1. Postgres

async def _read(config: Config, full: bool) -> tuple[Expected, Snapshot]:
    """A replica at the place where it begins, and what Postgres has behind that place."""
    connection = await connect(config.postgres.dsn)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            reader = Reader(connection)
            position = await reader.position()
            mark = read_mark(config.paths.proven, position.database, config.paths.journal)
            archived = await reader.archive_mark(position, config.paths.journal)
            if mark is not None and (mark.seq > position.seq or (full and _begins_at_one(config))):
                mark = None
            if archived is not None and (mark is None or full):
                mark = archived
            expected = _replica(mark)
            expected.orders_after, expected.terms_after = position.orders_after, position.terms_after
            mark = expected.mark
            known = mark if archived is not None or not full else None
            return expected, await reader.snapshot(position, mark.seq if mark else _ALL, known)
    finally:
        await connection.close()


def _begins_at_one(config: Config) -> bool:
    files = list_files(config.paths.journal)
    return bool(files) and files[0][0] == 1


def _replica(mark: Mark | None) -> Expected:
    try:
        return Expected(mark)
    except ValueError as error:
        _log.warning("the mark of the last proof is of no use, all is proven again: %s", error)
        return Expected()


def _remember(config: Config, mark: Mark) -> None:
    try:
        write_mark(config.paths.proven, mark)
    except OSError as error:
        _log.warning("the proof holds, but its mark cannot be kept, the next one begins where this did: %s", error)


# 2. the journal

async def _against_replay(
    config: Config, expected: Expected, snapshot: Snapshot, engine: EngineState | None,
    statement: Statement | None
) -> tuple[list[Proof], Mark | None]:
    """What the replay proves, and the mark to keep if all holds."""
    seq, journal = snapshot.position.seq, config.paths.journal
    try:
        same = await _state_at(expected, config, engine, seq)
        reached = await expected.replay(journal, seq)
        expected.core.check()
    except (LedgerMismatch, AssertionError, StateDiffers) as error:
        return [make_proof("replay_sound", expected.core.seq, [str(error)])], None
    if reached < seq:
        ends = f"the journal ends at command {reached}, Postgres is at {seq}"
        return [make_proof("replay_sound", reached, [ends])], None
    proofs = [
        make_proof("replay_sound", reached, []),
        make_proof("position_equals_journal", 1, _position(expected, snapshot)),
        make_proof("balances_equal_core", len(snapshot.wallets), compare_all(expected.core, snapshot.wallets)),
        make_proof("wallets_equal_replay", len(snapshot.wallets), _wallets(expected.wallets, snapshot.wallets)),
        _sums_proof("trades_equal_replay", _instrument_name, expected.trades, snapshot.trade_sums),
        _sums_proof("entries_equal_replay", _wallet_name, expected.entries, snapshot.entry_sums),
        _sums_proof("closed_orders_equal_replay", _instrument_name, expected.closed_orders, snapshot.order_sums),
        make_proof("transfers_equal_replay", len(snapshot.transfers), differences(
            expected.transfers, snapshot.transfers, _balances(expected.wallets))),
        make_proof("configuration_equals_replay", len(snapshot.configuration), _configuration(expected, snapshot))]
    if statement is not None:
        proofs.append(make_proof("external_equals_statement", len(statement), against_statement(
            expected.core, expected.transfers, statement)))
    mark = expected.new_mark(snapshot.position.database, journal)
    if engine is not None:
        same = same if same is not None else await _state_at(expected, config, engine, engine.seq)
        proofs += [make_proof("engine_equals_replay", engine.seq, same)] if same is not None else []
    return proofs, mark


async def _state_at(
    expected: Expected, config: Config, engine: EngineState | None, to_seq: int
) -> list[str] | None:
    """How the engine's state differs from the replay's; None when its command is after to_seq, or before ours."""
    if engine is None or not expected.core.seq <= engine.seq <= to_seq:
        return None
    reached = await expected.replay(config.paths.journal, engine.seq)
    if reached < engine.seq:
        return [f"the engine is at command {engine.seq}, the journal ends at {reached}"]
    ours = expected.core.state_hash()
    if ours != engine.state_hash:
        return [f"command {engine.seq}: the engine's state is {engine.state_hash:x}, the replay's {ours:x}"]
    return []


def _balances(wallets: Rows) -> dict[tuple[int, int], int]:
    return {(row["account"], row["asset"]): int(row["balance"]) for row in wallets}


def _position(expected: Expected, snapshot: Snapshot) -> list[str]:
    found = snapshot.position
    if (expected.epoch, expected.core.time_ns) == (found.epoch, found.time_ns):
        return []
    return [f"command {found.seq}: journal epoch {expected.epoch} time {expected.core.time_ns}, "
            f"watermark epoch {found.epoch} time {found.time_ns}"]


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
    return make_proof(name, sum(values[0] for values in found.values()), different)


def _instrument_name(instrument: int) -> str:
    return f"instrument {instrument}"


def _wallet_name(key: int) -> str:
    return f"account {key >> 32} asset {key & 0xFFFFFFFF}"


def _configuration(expected: Expected, snapshot: Snapshot) -> list[str]:
    ours, theirs = expected.configuration, snapshot.configuration
    return [f"{table} {key}: replay {ours.get((table, key))}, Postgres {theirs.get((table, key))}"
            for table, key in sorted(ours.keys() | theirs.keys()) if ours.get((table, key)) != theirs.get((table, key))]
