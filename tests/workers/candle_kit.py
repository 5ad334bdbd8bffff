"""A stage for tests of stored candles: an engine that trades at random, and the sums made the slow way."""
import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import uvloop

from engine.config import Config, load_config
from engine.core.batch import Batch
from engine.core.codes import EventKind, OrderType, Side, TimeInForce
from engine.core.unpack import Event
from engine.intervals import INTERVALS
from engine.service import Engine
from tests.support.ledger import fetch
from tests.support.redis import RedisServer
from tests.support.waiting import STORY_SECONDS_MAX, until_answer
from tests.workers.market_kit import MAKER, TAKER, configuration
from tests.workers.trades_kit import bar_of
from workers.candle_store import _row

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

    async def trade(self, count: int = 20, instruments: tuple[int, ...] = (1, 2)) -> None:
        """Orders around a price, over a while."""
        for _ in range(count):
            batch = Batch()
            for _ in range(10):
                side = self._chance.choice(list(Side))
                batch.place(self._chance.choice((MAKER, TAKER)), self._chance.choice(instruments), side,
                            OrderType.LIMIT, TimeInForce.GTC, 1000 + self._chance.randint(-9, 9),
                            self._chance.randint(1, 20))
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


def on_stage(folder: Path, dsn: str, story: Callable[[Stage], Awaitable[None]],
             sections: dict[str, dict[str, object]] | None = None, **candles: object) -> None:
    async def main(redis: RedisServer) -> None:
        stage = Stage(load_config(
            data_dir=str(folder), redis={"url": redis.url}, postgres={"dsn": dsn},
            candles={"write_seconds": 0.05, **candles}, **{"journal": {"segment_bytes": 2**20}, **(sections or {})}))
        await stage.open()
        try:
            async with asyncio.timeout(STORY_SECONDS_MAX):
                await story(stage)
        finally:
            await stage.engine.close()
    with RedisServer() as redis:
        uvloop.run(main(redis))
