"""Candles in a real Postgres: whatever is killed when, they are the sums of the trades, none missing, none twice."""
import asyncio
from typing import Any

import asyncpg
import pytest

from tests.support.ledger import fetch
from tests.support.postgres import PostgresServer
from tests.support.waiting import until
from tests.workers.candle_kit import Stage, on_stage, stop
from workers.candle_store import CandlesLost
from workers.market_data import MarketData


def test_restarts_of_the_worker_leave_no_gap_and_count_nothing_twice(tmp_path, dsn):
    async def story(stage: Stage) -> None:
        for _ in range(4):
            task = asyncio.create_task(MarketData(stage.config).run())
            await stage.trade()
            await stop(task)        # at any moment of a write
            await stage.trade(3)    # while nobody looks
        task = asyncio.create_task(MarketData(stage.config).run())
        await stage.reached(task)
        assert len(stage.trades) > 300
        await stage.trade(5)
        await stage.reached(task)
        await stop(task)

    on_stage(tmp_path, dsn, story)


def test_candles_can_be_made_again_from_the_journal(tmp_path, dsn):
    async def story(stage: Stage) -> None:
        await stage.trade()
        for _ in range(2):
            task = asyncio.create_task(MarketData(stage.config).run())
            await stage.reached(task)
            await stop(task)
            before = await stage.stored()
            await fetch(dsn, "DROP TABLE candle, candle_position")
        task = asyncio.create_task(MarketData(stage.config).run())
        await stage.reached(task)
        assert await stage.stored() == before
        await stop(task)

    on_stage(tmp_path, dsn, story)


def test_two_workers_write_the_same(tmp_path, dsn):
    async def story(stage: Stage) -> None:
        tasks = [asyncio.create_task(MarketData(stage.config).run()) for _ in range(2)]
        await stage.trade(40)
        await stop(tasks[0])
        await stage.reached(tasks[1])
        await stop(tasks[1])

    on_stage(tmp_path, dsn, story)


@pytest.fixture(scope="module")
def own_postgres() -> Any:
    """One that may be stopped and killed; every story leaves it running."""
    with PostgresServer(fsync=False) as server:
        yield server


def test_a_postgres_that_was_away_gets_what_it_missed(tmp_path, own_postgres):
    async def story(stage: Stage) -> None:
        worker = MarketData(stage.config)
        task = asyncio.create_task(worker.run())
        await stage.trade(5)
        await stage.reached(task)
        await asyncio.to_thread(own_postgres.stop)
        await stage.trade()
        assert worker.live and not task.done()
        await asyncio.to_thread(own_postgres.start)
        await stage.reached(task)
        await stop(task)

    on_stage(tmp_path, own_postgres.database(), story)


def test_a_postgres_that_is_killed_at_any_moment_forgets_nothing_and_ends_nobody(tmp_path, own_postgres):
    async def story(stage: Stage) -> None:
        task = asyncio.create_task(MarketData(stage.config).run())
        for _ in range(3):
            await stage.trade(12)
            await asyncio.to_thread(own_postgres.kill)
            await stage.trade(3)
            await asyncio.to_thread(own_postgres.start)
        await stage.reached(task)
        await stop(task)

    on_stage(tmp_path, own_postgres.database(), story, write_seconds=0.01)


def test_too_long_away_ends_the_role_when_postgres_is_back_and_the_next_one_fills_the_hole(tmp_path, own_postgres):
    async def story(stage: Stage) -> None:
        worker = MarketData(stage.config)
        task = asyncio.create_task(worker.run())
        await stage.trade(3)
        await asyncio.to_thread(own_postgres.stop)
        while not worker._store._lost:      # the story's time limit ends it
            await stage.trade(5)
        assert not task.done()
        await asyncio.to_thread(own_postgres.start)
        await until(task.done)
        with pytest.raises(CandlesLost):
            await task
        task = asyncio.create_task(MarketData(stage.config).run())
        await stage.reached(task)
        await stop(task)

    on_stage(tmp_path, own_postgres.database(), story, waiting_max=34)


def test_a_postgres_that_forgot_what_it_had_promised_ends_the_role(tmp_path, own_postgres):
    async def story(stage: Stage) -> None:
        task = asyncio.create_task(MarketData(stage.config).run())
        await stage.trade(3)
        await stage.reached(task)
        await forget(stage.config.postgres.dsn)
        await until(task.done)
        with pytest.raises(CandlesLost):
            await task

    on_stage(tmp_path, own_postgres.database(), story)


async def forget(dsn: str) -> None:
    """Put the position back and cut everybody off, in one step: who comes again finds what was restored."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE candle_position IN ACCESS EXCLUSIVE MODE")
            await connection.execute("UPDATE candle_position SET seq = 1")
            await connection.execute("""SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()""")
    finally:
        await connection.close()
