"""Versions of the ledger's tables, their parts and the rights in them, on a real Postgres."""
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from engine.core.batch import Batch
from engine.core.codes import OrderType, Side, TimeInForce
from tests.support.flow import COIN_USD, FIRST_ACCOUNT, Flow
from tests.support.ledger import check_task, config_for, fetch, open_engine, reached, running, submit
from tests.support.waiting import until_answer
from workers.ledger import Ledger
from workers.ledger_errors import LedgerRefused
from workers.reconcile import verify
from workers.schema import check_version, migrations, upgrade
from workers.statements import script, statements


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


async def as_before_versions(dsn: str) -> None:
    """A database as the first release left it: its tables, with what a ledger wrote by now."""
    async with connected(dsn) as connection:
        kept = {name: await connection.fetch(f"SELECT * FROM {name}")
                for name in ("asset", "instrument", "account", "wallet", "trade", "entry", "watermark")}
        await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        await connection.execute(script("migrations/0001_tables.sql"))
        await connection.execute("SET session_replication_role = replica; DELETE FROM account; DELETE FROM watermark")
        for name, rows in kept.items():
            await connection.copy_records_to_table(name, records=rows)


def test_an_older_database_is_upgraded_in_place_and_goes_on(tmp_path: Path, dsn: str):
    config, flow = config_for(tmp_path, dsn), Flow(41)

    async def story() -> None:
        async with open_engine(config) as engine:
            async with running(config) as task:
                await submit(engine, flow.setup(), *(flow.commands(300) for _ in range(4)))
                await reached(dsn, engine.seq, check_task(task))
            before = await fetch(dsn, "SELECT count(*), sum(amount * seq) FROM entry")
            await as_before_versions(dsn)
            async with connected(dsn) as connection:
                with pytest.raises(LedgerRefused, match=r"at version 0, this program needs \d"):
                    await check_version(connection)
            upgraded_at = engine.seq
            async with running(config) as task:
                await submit(engine, *(flow.commands(300) for _ in range(4)))
                await reached(dsn, engine.seq, check_task(task))
            assert await fetch(dsn, "SELECT count(*), sum(amount * seq) FROM entry WHERE seq <= $1",
                               upgraded_at) == before
            assert (await fetch(dsn, "SELECT last_seq FROM part ORDER BY part"))[0] == (upgraded_at,)
            assert await fetch(dsn, "SELECT count(*) > 50 FROM entry_p1") == [(True,)]
            assert (await verify(config)).ok
    asyncio.run(story())


def test_what_orders_were_placed_with_is_expected_of_later_ones_only(tmp_path: Path, dsn: str):
    """Orders that ended before their terms had columns have none, and `verify` knows."""
    config, flow = config_for(tmp_path, dsn), Flow(43)

    def stops(count: int) -> Batch:
        batch = Batch()
        for number in range(count):
            batch.place(FIRST_ACCOUNT, COIN_USD, Side.SELL, OrderType.STOP_LOSS_LIMIT, TimeInForce.GTC, 1, 1,
                        text=f"stop {number}", trigger_ticks=1)
        batch.cancel_all(FIRST_ACCOUNT)
        return batch

    async def story() -> None:
        async with open_engine(config) as engine:
            async with running(config) as task:
                await submit(engine, flow.setup(), flow.commands(300), stops(5))
                await reached(dsn, engine.seq, check_task(task))
            async with connected(dsn) as connection:
                await connection.execute(
                    "ALTER TABLE closed_order DROP COLUMN list_id, DROP COLUMN stop_ticks, DROP COLUMN display_lots, "
                    "DROP COLUMN trailing_bps, DROP COLUMN stp; DELETE FROM schema_version WHERE version >= 7; "
                    "DELETE FROM beginning WHERE name = 'closed_order terms'")
            async with running(config) as task:
                await submit(engine, stops(3))
                await reached(dsn, engine.seq, check_task(task))
            found = await fetch(dsn, "SELECT count(*), sum(stop_ticks) FROM closed_order WHERE order_type = 4")
            assert found == [(8, 3)]
            assert (await verify(config, full=True)).ok
            async with connected(dsn) as connection:
                await connection.execute("SET session_replication_role = replica; "
                                         "UPDATE closed_order SET stop_ticks = 2 WHERE stop_ticks = 1")
            assert not (await verify(config, full=True)).ok
    asyncio.run(story())


def test_a_newer_database_is_refused_by_everybody(tmp_path: Path, dsn: str):
    async def story() -> None:
        async with connected(dsn) as connection:
            assert await upgrade(connection) == 0
            assert await upgrade(connection) == len(migrations())
            await connection.execute("INSERT INTO schema_version VALUES (999, 'from the future')")
            with pytest.raises(LedgerRefused, match="at version 999, this program knows"):
                await check_version(connection)
        with pytest.raises(LedgerRefused, match="newer Buttonwood has written this database"):
            await Ledger(config_for(tmp_path, dsn)).run()
    asyncio.run(story())


def test_half_an_upgrade_is_none(dsn: str):
    async def story() -> None:
        async with connected(dsn) as connection:
            await connection.execute(script("migrations/0001_tables.sql"))
            await connection.execute("CREATE TABLE part (in_the_way int)")
            with pytest.raises(asyncpg.DuplicateTableError):
                await upgrade(connection)
            assert await connection.fetchval("SELECT to_regclass('closed_order')") is None
            await connection.execute("DROP TABLE part")
            await upgrade(connection)
            await check_version(connection)
    asyncio.run(story())


def test_parts_are_made_ahead_while_it_writes(tmp_path: Path, dsn: str):
    config, flow = config_for(tmp_path, dsn, ledger={"part_commands": 1000}), Flow(42)

    async def story() -> None:
        async with open_engine(config) as engine, running(config) as task:
            await submit(engine, flow.setup(), *(flow.commands(500) for _ in range(8)))
            await reached(dsn, engine.seq, check_task(task))
            parts = await fetch(dsn, "SELECT part, first_seq, last_seq FROM part ORDER BY part")
            assert [(part, 1000 * part, 1000 * part + 999) for part in range(len(parts))] == parts
            assert parts[-1][2] >= engine.seq + 500
            for name in ("trade", "entry", "closed_order"):
                found = await fetch(dsn, f"SELECT count(*), min(seq) >= 3000, max(seq) < 4000 FROM {name}_p3")
                assert found[0][0] > 20 and found[0][1:] == (True, True)
            assert (await verify(config)).ok
    asyncio.run(story())


@pytest.mark.parametrize("statement", [
    "UPDATE trade SET price_ticks = 1", "DELETE FROM entry", "TRUNCATE closed_order", "UPDATE trade_p0 SET n = 1",
    "DELETE FROM entry_p0", "TRUNCATE closed_order_p0", "DROP TABLE entry_p0",
    "UPDATE part SET last_seq = 1", "DELETE FROM wallet", "DELETE FROM watermark"])
def test_the_writer_may_only_add(statement: str, filled: str):
    async def story() -> None:
        async with connected(filled) as connection:
            await connection.execute("SET ROLE buttonwood_writer")
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
            await connection.execute("RESET ROLE")
            if "_p0" in statement and not statement.startswith("DROP"):
                with pytest.raises(asyncpg.RaiseError, match="append-only"):
                    await connection.execute(statement)
    asyncio.run(story())


@pytest.mark.parametrize("statement", [
    "INSERT INTO entry_p0 SELECT * FROM entry_p0", "UPDATE wallet SET balance = 0", "SELECT make_parts(10, 10)",
    "UPDATE watermark SET seq = 0", "CREATE TABLE mine (n int)"])
def test_the_reader_may_only_read(statement: str, filled: str):
    async def story() -> None:
        async with connected(filled) as connection:
            await connection.execute("SET ROLE buttonwood_reader")
            for name in ("trade", "entry", "closed_order", "account_trade", "wallet", "watermark", "part"):
                await connection.fetch(f"SELECT * FROM {name} LIMIT 1")
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    asyncio.run(story())


def test_candles_made_while_rights_are_given_can_be_read(dsn: str):
    """Both start at once in a new venue: nobody could read candles when their tables were made in between."""
    async def story() -> None:
        async with connected(dsn) as ledger, connected(dsn) as candles, connected(dsn) as looker:
            async with candles.transaction():
                await candles.execute(statements("candles.sql")["install_lock"])
                await candles.execute(script("candle_schema.sql").split("DO $$")[0])
                upgrading = asyncio.create_task(upgrade(ledger))

                async def waits_or_is_done() -> bool:
                    return upgrading.done() or await looker.fetchval(
                        "SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
                await until_answer(waits_or_is_done)
            await upgrading
            assert await looker.fetchval("SELECT has_table_privilege('buttonwood_reader', 'candle', 'SELECT')")
            await looker.execute("REVOKE SELECT ON candle, candle_position FROM buttonwood_reader")
            await looker.execute(script("candle_schema.sql"))
            assert await looker.fetchval("SELECT has_table_privilege('buttonwood_reader', 'candle', 'SELECT')")
    asyncio.run(story())


@pytest.fixture
def filled(dsn: str) -> str:
    async def fill() -> None:
        async with connected(dsn) as connection:
            await upgrade(connection)
            await connection.execute("SELECT make_parts(10, 10)")
    asyncio.run(fill())
    return dsn
