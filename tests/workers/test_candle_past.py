"""A journal whose beginning was deleted: candles and statistics go on from what is stored, and nothing gets poorer."""
import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import msgspec
import pytest

from engine.config import Postgres
from engine.positions import positions
from engine.segments import list_files
from tests.support.ledger import fetch
from tests.support.postgres import PostgresServer
from tests.support.waiting import until
from tests.workers.candle_kit import Stage, on_stage, stop
from workers.candle_store import CandlesLost
from workers.market_data import MarketData
from workers.snapshots import Snapshots
from workers.statements import script, statements

SHORT: dict[str, dict[str, object]] = {
    "journal": {"segment_bytes": 4096, "frame_commands_max": 16, "keep_bytes": 1024, "for_ledger": False},
    "snapshots": {"commands": 50, "told_commands": 5, "keep": 2, "stop_orders_max": 0}}
FIRST_AGG = 14    # place in a row


async def shorten(stage: Stage) -> None:
    """Trade one instrument, with a worker beside it, until the journal's beginning is deleted."""
    task = asyncio.create_task(MarketData(stage.config).run())
    first = stage.engine.seq
    while list_files(stage.config.paths.journal)[0][0] <= first:
        await stage.trade(5, instruments=(1,))
    await stage.reached(task)
    await stop(task)


@contextlib.asynccontextmanager
async def witness(stage: Stage) -> AsyncIterator[MarketData]:
    """A worker that sees everything, stores nothing, and is there when the journal has been shortened."""
    config = msgspec.structs.replace(stage.config, postgres=Postgres())
    seen = MarketData(config)
    tasks = [asyncio.create_task(role.run()) for role in (seen, Snapshots(stage.config))]
    try:
        await stage.trade()
        task = asyncio.create_task(MarketData(stage.config).run())
        await stage.reached(task)
        await stop(task)
        await shorten(stage)
        yield seen
    finally:
        for task in tasks:
            await stop(task)


async def same(stage: Stage, worker: MarketData, seen: MarketData) -> None:
    await until(lambda: worker.core.seq == seen.core.seq == stage.engine.seq)
    now_ms = seen.core.time_ns // 10**6 + 1
    for number, tape in worker._tapes.items():
        twin = seen._tapes[number]
        tape.fold()
        twin.fold()
        assert tape.candles.now == twin.candles.now
        assert tape._rolling.at(now_ms) == twin._rolling.at(now_ms)
        assert tape.last_agg == twin.last_agg > 0


def test_a_worker_goes_on_from_what_is_stored(tmp_path, dsn):
    async def story(stage: Stage) -> None:
        async with witness(stage) as seen:
            await stage.trade(3, instruments=(1,))    # while nobody looks
            worker = MarketData(stage.config)
            task = asyncio.create_task(worker.run())
            await stage.reached(task)
            await same(stage, worker, seen)
            await stage.trade(5)
            await stage.reached(task)
            await same(stage, worker, seen)
            assert positions(stage.config.paths.positions)["candles"] >= stage.engine.seq
            await stop(task)

    on_stage(tmp_path, dsn, story, SHORT)


def test_trades_that_nobody_stored_are_not_made_up_for(tmp_path, dsn, caplog):
    async def story(stage: Stage) -> None:
        async with witness(stage):
            rows = await stage.stored()
            await fetch(dsn, "DELETE FROM candle WHERE interval < 13")
            await fetch(dsn, "UPDATE candle_position SET seq = 1")
            task = asyncio.create_task(MarketData(stage.config).run())
            await until(lambda: "stored candles end at command 1:" in caplog.text)
            second = time.time_ns() // 10**9
            await until(lambda: time.time_ns() // 10**9 > second)    # trades of another one make a whole candle
            await stage.trade(5)
            await until_stored(stage, task)
            after = await stage.stored()
            assert {row for row in rows if row[1] >= 13} <= set(after)
            assert {plain(row) for row in after if row not in rows} <= {plain(row) for row in stage.rows()}
            new = [row for row in after if row[1] == 1 and row[2] > second * 1000]   # traded after the start
            assert 1 in {row[0] for row in new}    # of 2 nobody knows what that second held before
            for each in new:
                assert each[FIRST_AGG] > max(row[FIRST_AGG] for row in rows if row[0] == each[0])
            await stop(task)
            caplog.clear()
            task = asyncio.create_task(MarketData(stage.config).run())
            await stage.trade(2)
            await until_stored(stage, task)
            assert "instrument 1: of the stored candles to go on with, these lack trades" in caplog.text
            assert {row for row in rows if row[1] >= 13} <= set(await stage.stored())
            await stop(task)

    on_stage(tmp_path, dsn, story, SHORT)


def plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return row[:FIRST_AGG] + row[FIRST_AGG + 1:]


async def until_stored(stage: Stage, task: asyncio.Task[None]) -> None:
    while await stage.position() < stage.engine.seq:    # the story's time limit ends it
        assert not task.done(), task
        await asyncio.sleep(0.02)


def test_a_row_is_replaced_as_a_whole_by_one_that_lacks_none_of_its_trades(dsn):
    async def story() -> list[int]:
        connection = await asyncpg.connect(dsn)
        await connection.execute(script("candle_schema.sql"))
        found = []
        for number, (first_id, last_id) in enumerate(written):
            row = 1, 13, 0, *(number * 20 + place for place in range(9)), first_id, last_id, number, number, last_id
            await connection.execute(statements("candles.sql")["put"], *([value] for value in row))
            stored = tuple(await connection.fetchrow("SELECT * FROM candle"))
            rows.append(tuple(map(int, row)))
            found.append(rows.index(tuple(map(int, stored))))
        await connection.close()
        return found

    rows: list[tuple[int, ...]] = []
    written = ((3, 4), (4, 9), (3, 7), (1, 7), (2, 9), (1, 6), (1, 8))   # first and last trade
    assert asyncio.run(story()) == [0, 0, 2, 3, 3, 3, 6]


@pytest.fixture(scope="module")
def own_postgres() -> Any:
    """One that may be stopped; the story leaves it running."""
    with PostgresServer(fsync=False) as server:
        yield server


def test_while_postgres_is_away_streams_go_on_and_nothing_poorer_is_stored(tmp_path, own_postgres):
    async def story(stage: Stage) -> None:
        async with witness(stage) as seen:
            await asyncio.to_thread(own_postgres.stop)
            worker = MarketData(stage.config)
            task = asyncio.create_task(worker.run())
            await until(lambda: worker.live)
            await stage.trade(5)
            await asyncio.to_thread(own_postgres.start)
            await until(task.done)
            with pytest.raises(CandlesLost):
                await task
            worker = MarketData(stage.config)
            task = asyncio.create_task(worker.run())
            await stage.reached(task)
            await same(stage, worker, seen)
            await stop(task)

    on_stage(tmp_path, own_postgres.database(), story, SHORT)
