"""The ledger role on a real journal and a real Postgres: what it writes, and when it refuses."""
import asyncio
import shutil
from pathlib import Path

import asyncpg
import pytest

from engine.core.batch import Batch
from engine.core.codes import OrderType, Side, TimeInForce
from engine.errors import ConfigError, JournalError
from tests.support.flow import COIN, COIN_USD, USD, Flow
from tests.support.ledger import check_task, config_for, execute, fetch, open_engine, reached, running, submit
from tests.support.waiting import SECONDS_MAX
from workers.ledger import Ledger
from workers.ledger_errors import LedgerAhead, LedgerMismatch, LedgerRefused
from workers.ledger_store import APPLICATION
from workers.reconcile import verify

ALICE, BOB, FEES, OUTSIDE = 2, 3, 1, 0


def market() -> Batch:
    batch = Batch()
    batch.asset(USD, 2, "USD")
    batch.asset(COIN, 8, "COIN")
    batch.instrument(COIN_USD, text="COINUSD", base_asset=COIN, quote_asset=USD, lot_value=1000, tick_value=3,
                     max_lots=100, max_ticks=1000, maker_fee_ppm=10_000, taker_fee_ppm=100_000)
    for account in (ALICE, BOB):
        batch.account(account, label=f"account {account}")
    batch.credit(ALICE, COIN, 50_000, reference="a")
    batch.credit(BOB, USD, 9_000, reference="b")
    return batch


def orders() -> Batch:
    """Alice rests 10 lots at 20; Bob takes 4 of them and rests 2 at 19; Alice's remainder shrinks to 3 open."""
    batch = Batch()
    batch.place(ALICE, COIN_USD, Side.SELL, OrderType.LIMIT, TimeInForce.GTC, 20, 10, text="s")
    batch.place(BOB, COIN_USD, Side.BUY, OrderType.LIMIT, TimeInForce.IOC, 25, 4)
    batch.place(BOB, COIN_USD, Side.BUY, OrderType.LIMIT, TimeInForce.GTC, 19, 2)
    batch.reduce(ALICE, COIN_USD, 7, text="s")
    return batch


async def write(folder: Path, dsn: str, *batches: Batch) -> None:
    """The journal with these commands, all of them in Postgres."""
    config = config_for(folder, dsn)
    async with open_engine(config) as engine:
        async with running(config) as task:
            await submit(engine, *batches)
            await reached(dsn, engine.seq, check_task(task))


def test_a_trade_becomes_rows(tmp_path: Path, dsn: str):
    async def story() -> None:
        await write(tmp_path, dsn, market(), orders())
        assert await fetch(dsn, "SELECT * FROM asset ORDER BY 1") == [(USD, "USD", 2), (COIN, "COIN", 8)]
        assert await fetch(dsn, "SELECT * FROM account ORDER BY 1") == [
            (OUTSIDE, 0, "external"), (FEES, 0, "fees"), (ALICE, 0, "account 2"), (BOB, 0, "account 3")]
        assert await fetch(
            dsn, """SELECT instrument, n, trade_id, fill_id, price_ticks, qty_lots, quote_amount, taker_order_id,
                    maker_order_id, taker_fee, maker_fee, taker_account, maker_account, taker_side FROM trade""",
        ) == [(COIN_USD, 0, 1, 1, 20, 4, 240, 9, 8, 400, 2, BOB, ALICE, Side.BUY)]
        assert await fetch(
            dsn, "SELECT account, asset, seq, n, kind, amount, balance_after FROM entry ORDER BY seq, n") == [
            (OUTSIDE, COIN, 6, 0, 3, -50_000, -50_000), (ALICE, COIN, 6, 1, 3, 50_000, 50_000),
            (OUTSIDE, USD, 7, 0, 3, -9_000, -9_000), (BOB, USD, 7, 1, 3, 9_000, 9_000),
            (ALICE, COIN, 9, 0, 1, -4_000, 46_000), (BOB, COIN, 9, 1, 1, 3_600, 3_600),
            (BOB, USD, 9, 2, 1, -240, 8_760), (ALICE, USD, 9, 3, 1, 238, 238),
            (FEES, COIN, 9, 4, 2, 400, 400), (FEES, USD, 9, 5, 2, 2, 2)]
        assert await fetch(
            dsn, "SELECT account, asset, balance, held, entries, last_seq FROM wallet ORDER BY 1, 2") == [
            (OUTSIDE, USD, -9_000, 0, 1, 7), (OUTSIDE, COIN, -50_000, 0, 1, 6),
            (FEES, USD, 2, 0, 1, 9), (FEES, COIN, 400, 0, 1, 9),
            (ALICE, USD, 238, 0, 1, 9), (ALICE, COIN, 46_000, 3_000, 2, 9),
            (BOB, USD, 8_760, 114, 2, 9), (BOB, COIN, 3_600, 0, 1, 9)]
    asyncio.run(story())


def test_the_trades_of_an_account(tmp_path: Path, dsn: str):
    async def story() -> None:
        await write(tmp_path, dsn, market(), orders())
        query = """SELECT account, side, is_maker, order_id, fee, trade_id FROM account_trade
                   WHERE account = $1 AND base_asset = $2 AND instrument = $3 ORDER BY seq DESC, entry_n DESC LIMIT 5"""
        assert await fetch(dsn, query, ALICE, COIN, COIN_USD) == [(ALICE, Side.SELL, True, 8, 2, 1)]
        assert await fetch(dsn, query, BOB, COIN, COIN_USD) == [(BOB, Side.BUY, False, 9, 400, 1)]
    asyncio.run(story())


def test_rows_cannot_be_changed(tmp_path: Path, dsn: str):
    async def story() -> None:
        await write(tmp_path, dsn, market(), orders())
        for statement in ("UPDATE entry SET amount = 1", "DELETE FROM trade", "TRUNCATE entry"):
            with pytest.raises(asyncpg.RaiseError, match="append-only"):
                await fetch(dsn, statement)
    asyncio.run(story())


def test_random_flow_in_many_small_batches_is_proven(tmp_path: Path, dsn: str):
    async def story() -> None:
        flow, config = Flow(7), config_for(tmp_path, dsn, ledger={"batch_seconds_max": 0.001, "batch_fills_max": 50})
        async with open_engine(config) as engine:
            async with running(config) as task:
                await submit(engine, flow.setup(), *(flow.commands(97) for _ in range(60)))
                await reached(dsn, engine.seq, check_task(task))
        report = await verify(config)
        assert report.ok, report
        assert {proof.name: proof.checked > 0 for proof in report.proofs} == dict.fromkeys(
            (proof.name for proof in report.proofs), True) | {"transfers_equal_replay": False}     # there are none
    asyncio.run(story())


def test_goes_on_after_a_restart(tmp_path: Path, dsn: str):
    async def story() -> None:
        flow, config = Flow(8), config_for(tmp_path, dsn)
        async with open_engine(config) as engine:
            await submit(engine, flow.setup())
            for _ in range(3):
                async with running(config) as task:
                    await submit(engine, *(flow.commands(200) for _ in range(3)))
                    await reached(dsn, engine.seq, check_task(task))
                await submit(engine, flow.commands(300))
        async with open_engine(config) as engine:   # a new epoch
            async with running(config) as task:
                await submit(engine, flow.commands(100))
                await reached(dsn, engine.seq, check_task(task))
        assert await fetch(dsn, "SELECT epoch FROM watermark") == [(2,)]
        report = await verify(config)
        assert report.ok, report
    asyncio.run(story())


def test_lag_is_told(tmp_path: Path, dsn: str):
    async def story() -> None:
        await write(tmp_path, dsn, market())
        (time_ns, committed_ns, lag_ns_max, writer), = await fetch(
            dsn, "SELECT time_ns, committed_ns, lag_ns_max, writer FROM watermark")
        assert 0 < committed_ns - time_ns <= lag_ns_max < 10**10
        assert writer is not None
    asyncio.run(story())


def test_the_guard_stops_a_ledger_that_is_ahead(tmp_path: Path, dsn: str):
    async def story() -> None:
        await write(tmp_path, dsn, market(), orders())
        config = config_for(tmp_path, dsn)
        for lost in (config.paths.journal, config.paths.snapshots):
            shutil.rmtree(lost)
        with pytest.raises(LedgerAhead, match="at command 11, the journal ends at 0"):
            await Ledger(config).run()
        async with open_engine(config) as engine:
            await submit(engine, market())
            with pytest.raises((LedgerAhead, JournalError), match="ends at"):
                await Ledger(config).run()
    asyncio.run(story())


def test_a_wallet_that_differs_from_the_core_stops_the_start(tmp_path: Path, dsn: str):
    async def story() -> None:
        await write(tmp_path, dsn, market(), orders())
        await execute(dsn, f"UPDATE wallet SET held = held + 1 WHERE account = {BOB} AND asset = {USD}")
        with pytest.raises(LedgerMismatch, match=f"account {BOB} asset {USD}: .*held 114.*held 115"):
            await Ledger(config_for(tmp_path, dsn)).run()
    asyncio.run(story())


def test_a_batch_that_postgres_refuses_stops_the_ledger(tmp_path: Path, dsn: str):
    async def story() -> None:
        config = config_for(tmp_path, dsn)
        async with open_engine(config) as engine:
            async with running(config) as task:
                await submit(engine, market())
                await reached(dsn, engine.seq, check_task(task))
                await execute(dsn, "INSERT INTO trade VALUES (1, 0, 9, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)")
                await submit(engine, orders())
                told = r"commands 8 to 11 .*\(1, 9, 0\) already exists.*trade_p0_pkey.*buttonwood verify"
                with pytest.raises(LedgerRefused, match=told):
                    async with asyncio.timeout(SECONDS_MAX):
                        await asyncio.shield(task)
        assert await fetch(dsn, "SELECT seq FROM watermark") == [(7,)]
        assert await fetch(dsn, "SELECT count(*) FROM entry") == [(4,)]
    asyncio.run(story())


def test_a_wallet_removed_behind_its_back_stops_the_ledger(tmp_path: Path, dsn: str):
    async def story() -> None:
        config = config_for(tmp_path, dsn)
        async with open_engine(config) as engine:
            async with running(config) as task:
                await submit(engine, market())
                await reached(dsn, engine.seq, check_task(task))
                await execute(dsn, f"DELETE FROM wallet WHERE account = {BOB}")
                await submit(engine, orders())
                with pytest.raises(LedgerRefused, match="rows of wallet were removed"):
                    async with asyncio.timeout(SECONDS_MAX):
                        await asyncio.shield(task)
    asyncio.run(story())


def test_a_writer_that_stands_still_in_its_transaction_does_not_hold_the_next_one(tmp_path: Path, dsn: str):
    async def story() -> None:
        await write(tmp_path, dsn, market())
        stalled = await asyncpg.connect(dsn, server_settings={"application_name": APPLICATION})
        await stalled.execute("BEGIN; SELECT * FROM watermark FOR UPDATE")
        config = config_for(tmp_path, dsn, ledger={"statement_seconds_max": 0.5})
        async with open_engine(config) as engine, running(config) as task:
            await submit(engine, orders())
            await reached(dsn, engine.seq, check_task(task))
        assert stalled.is_closed()
    asyncio.run(story())


def test_no_database_named(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"postgres\.dsn"):
        Ledger(config_for(tmp_path, ""))


def test_a_database_that_does_not_exist(tmp_path: Path, dsn: str):
    with pytest.raises(LedgerRefused, match="does not exist"):
        asyncio.run(Ledger(config_for(tmp_path, dsn.replace("/t", "/missing", 1))).run())
