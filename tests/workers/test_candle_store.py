"""Candles in a real Postgres: whatever is killed when, they are the sums of the trades, none missing, none twice."""
import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import uvloop

from engine.config import Config, load_config
from engine.core.batch import Batch
from engine.core.codes import EventKind, OrderType, Side, TimeInForce
from engine.core.unpack import Event
from engine.intervals import INTERVALS
from engine.service import Engine
from tests.support.ledger import fetch
from tests.support.postgres import PostgresServer
from tests.support.redis import RedisServer
from tests.support.waiting import STORY_SECONDS_MAX, until, until_answer
from tests.workers.market_kit import MAKER, TAKER, configuration
from tests.workers.trades_kit import bar_of
from workers.candle_store import CandlesLost, _row
from workers.market_data import MarketData

SYMBOLS = ("BTCUSDT", "ETHUSDT")


class Stage:
    """An engine that trades at random, and market-data workers that come and go."""

    def __init__(self, config: Config) -> None:
        self.config, self.trades = config, []
        self._chance = random.Random(1)

    async def open(self) -> None:
        self.engine = await Engine.open(self.config)
        self.engine.listen(lambda _, events: self.hear(events))
        await self.submit(configuration(SYMBOLS))

    def hear(self, events: list[Event]) -> None:
        self.trades += [event for event in events if event.kind == EventKind.TRADE]

    async def submit(self, batch: Batch) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.engine.submit(batch, lambda *_: done.set_result(None))
        await done

    async def trade(self, count: int = 20) -> None:
        """Orders around a price, over a while."""
        for _ in range(count):
            batch = Batch()
            for _ in range(10):
                side = self._chance.choice(list(Side))
                batch.place(self._chance.choice((MAKER, TAKER)), self._chance.randint(1, 2), side, OrderType.LIMIT,
                            TimeInForce.GTC, 1000 + self._chance.randint(-9, 9), self._chance.randint(1, 20))
            await self.submit(batch)
            await asyncio.sleep(0.01)

    def rows(self) -> list[tuple[Any, ...]]:
        """What the table must contain, summed up the slow way."""
        rows = []
        for instrument in (1, 2):
            trades = [Plain(trade) for trade in self.trades if trade.instrument == instrument]
            agg_of, key = {}, None
            for trade in trades:
                number = agg_of[trade.trade_id - 1] if trade.trade_id > 1 else 0
                agg_of[trade.trade_id] = number + ((trade.seq, trade.price_ticks) != key)
                key = trade.seq, trade.price_ticks
            spans: dict[tuple[int, int], list[Plain]] = {}
            for interval in INTERVALS:
                for trade in trades:
                    spans.setdefault((interval.number, interval.open_ms(trade.time_ns // 10**6)), []).append(trade)
            rows += [_row(instrument, span, bar_of(span[1], inside, agg_of)) for span, inside in spans.items()]
        return sorted(rows)

    async def stored(self) -> list[tuple[Any, ...]]:
        return sorted(tuple(map(int, row)) for row in await fetch(self.config.postgres.dsn, "SELECT * FROM candle"))

    async def position(self) -> int:
        """The last command of which the table has the trades; -1 while there is no table."""
        with contextlib.suppress(asyncpg.UndefinedTableError):
            return int((await fetch(self.config.postgres.dsn, "SELECT seq FROM candle_position"))[0][0])
        return -1

    async def reached(self, task: asyncio.Task[None]) -> None:
        """Wait until the table is at the engine's last command, then compare."""
        async def there() -> bool:
            assert not task.done(), task
            return await self.position() >= self.engine.seq
        await until_answer(there)
        assert await self.stored() == self.rows()


class Plain:
    """The fields of an event, which cannot be kept as they are."""

    def __init__(self, trade: Event) -> None:
        for name in ("trade_id", "seq", "price_ticks", "qty_lots", "quote_amount", "time_ns", "side"):
            setattr(self, name, getattr(trade, name))


async def stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


def on_stage(folder: Path, dsn: str, story: Callable[[Stage], Awaitable[None]], **candles: object) -> None:
    async def main(redis: RedisServer) -> None:
        stage = Stage(load_config(
            data_dir=str(folder), redis={"url": redis.url}, postgres={"dsn": dsn},
            candles={"write_seconds": 0.05, **candles}, journal={"segment_bytes": 2**20}))
        await stage.open()
        try:
            async with asyncio.timeout(STORY_SECONDS_MAX):
                await story(stage)
        finally:
            await stage.engine.close()
    with RedisServer() as redis:
        uvloop.run(main(redis))


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
