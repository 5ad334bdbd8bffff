"""The role as a whole: a real engine's drop copy in, envelopes out of a real Redis; restarts of each of the three."""
import asyncio
import json
from collections.abc import Awaitable, Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import uvloop

from engine.config import Config, load_config
from engine.core.batch import Batch
from engine.core.codes import Side
from engine.core.unpack import Event
from engine.errors import ConfigError
from engine.market_channels import Envelope, Kind, decode_envelope, symbol_of
from engine.service import Engine
from gateway.redis_subscriber import RedisSubscriber
from tests.support.redis import RedisServer
from tests.support.waiting import STORY_SECONDS_MAX, until
from tests.workers.market_kit import MAKER, TAKER, configuration
from workers.market_data import MarketData


class Ear:
    """Hears all market channels."""

    def __init__(self) -> None:
        self.links = 0
        self.envelopes: list[tuple[str, Envelope]] = []

    def linked(self) -> None:
        self.links += 1

    def message(self, channel: bytes, data: bytes) -> None:
        self.envelopes.append((symbol_of(channel), decode_envelope(data)))

    def read_end(self) -> None:
        pass

    def told(self, kind: Kind, symbol: str = "BTCUSDT", refresh: bool = False) -> list[Any]:
        return [json.loads(entry.payload) for name, envelope in self.envelopes if name == symbol
                for entry in envelope.entries if entry.kind is kind and entry.refresh == refresh]

    def epochs(self) -> list[int]:
        return list(dict.fromkeys(envelope.epoch for _, envelope in self.envelopes))


class Stage:
    """An engine, a Redis, an ear and workers that come and go, on one loop."""

    def __init__(self, config: Config, redis: RedisServer) -> None:
        self.config, self.redis, self.ear = config, redis, Ear()
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        self.engine = await Engine.open(self.config)
        self.start(RedisSubscriber(self.config.redis, self.ear).run())
        await until(lambda: self.ear.links)

    def start(self, work: Awaitable[None]) -> "asyncio.Task[None]":
        task = asyncio.ensure_future(work)
        self._tasks.append(task)
        return task

    async def stop(self, task: "asyncio.Task[None]") -> None:
        task.cancel()
        await asyncio.wait([task])

    async def close(self) -> None:
        for task in reversed(self._tasks):
            await self.stop(task)
        await self.engine.close()

    async def work(self) -> "tuple[asyncio.Task[None], MarketData]":
        """A worker that is live."""
        worker = MarketData(self.config)
        task = self.start(worker.run())
        await until(lambda: (worker.live and worker._publisher.connected) or task.done())
        return task, worker

    async def submit(self, batch: Batch) -> list[Event]:
        done: asyncio.Future[list[Event]] = asyncio.get_running_loop().create_future()
        self.engine.submit(batch, lambda _, events: done.set_result(events))
        return await done

    async def limit(self, side: Side, price: int, qty: int, account: int = MAKER, instrument: int = 1) -> list[Event]:
        batch = Batch()
        batch.place(account, instrument, side, 0, 0, price, qty)
        return await self.submit(batch)

    async def fill(self) -> None:
        await self.limit(Side.SELL, 100, 1)
        await self.limit(Side.BUY, 100, 1, TAKER)


def on_stage(folder: Path, story: Callable[[Stage], Awaitable[None]]) -> None:
    async def main(redis: RedisServer) -> None:
        stage = Stage(load_config(data_dir=str(folder), redis={"url": redis.url}), redis)
        await stage.open()
        try:
            async with asyncio.timeout(STORY_SECONDS_MAX):
                await story(stage)
        finally:
            await stage.close()
    with RedisServer() as redis:
        uvloop.run(main(redis))


def test_history_is_silent_and_everything_after_it_is_told(tmp_path):
    async def story(stage: Stage) -> None:
        await stage.submit(configuration(("BTCUSDT", "ETHUSDT")))
        await stage.fill()
        await stage.limit(Side.BUY, 90, 3)
        _, worker = await stage.work()
        await until(lambda: stage.ear.told(Kind.BOOK_TICKER, refresh=True))
        assert stage.ear.told(Kind.TRADE) == []
        state = stage.ear.told(Kind.PARTIAL_5, refresh=True)[0]
        assert state == {"lastUpdateId": 3, "bids": [["0.90000000", "0.00030000"]], "asks": []}
        await stage.fill()
        await stage.limit(Side.BUY, 91, 3)
        await stage.limit(Side.BUY, 91, 3, instrument=2)
        await until(lambda: stage.ear.told(Kind.DEPTH_100, "ETHUSDT")
                    and [diff["u"] for diff in stage.ear.told(Kind.DEPTH_100)][-1:] == [6])
        assert [trade["t"] for trade in stage.ear.told(Kind.TRADE)] == [2]
        assert [ticker["u"] for ticker in stage.ear.told(Kind.BOOK_TICKER)] == [4, 5, 6]
        assert [ticker["u"] for ticker in stage.ear.told(Kind.BOOK_TICKER, "ETHUSDT")] == [1]
        diffs = stage.ear.told(Kind.DEPTH_100)
        assert (diffs[0]["U"], diffs[-1]["u"]) == (4, 6)
        assert worker.core.state_hash() == stage.engine.core.state_hash()

    on_stage(tmp_path, story)


def test_an_instrument_that_is_made_while_we_are_live_is_told(tmp_path):
    async def story(stage: Stage) -> None:
        worker = MarketData(stage.config)
        stage.start(worker.run())
        await until(lambda: worker._publisher.connected)
        await stage.submit(configuration())
        await stage.fill()
        await until(lambda: stage.ear.told(Kind.TRADE))
        assert [trade["t"] for trade in stage.ear.told(Kind.TRADE)] == [1]

    on_stage(tmp_path, story)


def test_while_redis_is_away_the_replica_follows_and_a_new_epoch_begins_with_the_state(tmp_path):
    async def story(stage: Stage) -> None:
        await stage.submit(configuration())
        _, worker = await stage.work()
        for price in range(80, 90):
            await stage.limit(Side.BUY, price, 3)
        await until(lambda: len(stage.ear.told(Kind.BOOK_TICKER)) == 10)
        stage.redis.kill()
        await until(lambda: not worker._publisher.connected)
        await stage.fill()
        await stage.limit(Side.BUY, 91, 1)
        await until(lambda: worker.core.seq == stage.engine.seq)
        stage.redis.start()
        await until(lambda: stage.ear.links == 2 and len(stage.ear.epochs()) == 2)
        assert stage.ear.epochs() == sorted(stage.ear.epochs())
        await until(lambda: stage.ear.told(Kind.BOOK_TICKER, refresh=True)[-1:]
                    and stage.ear.told(Kind.BOOK_TICKER, refresh=True)[-1]["b"] == "0.91000000")
        assert stage.ear.told(Kind.TRADE) == []   # it happened while nobody could hear it
        await stage.fill()
        await until(lambda: stage.ear.told(Kind.TRADE))
        assert [trade["t"] for trade in stage.ear.told(Kind.TRADE)] == [2]
        first_of_epoch = [envelope.seq for symbol, envelope in stage.ear.envelopes
                          if (symbol, envelope.epoch) == ("BTCUSDT", stage.ear.epochs()[1])]
        assert first_of_epoch[0] < 10   # counted anew: the epoch before had more than ten messages
        assert first_of_epoch == list(range(first_of_epoch[0], first_of_epoch[0] + len(first_of_epoch)))

    on_stage(tmp_path, story)


def test_a_new_worker_has_a_higher_epoch_and_repeats_no_trade(tmp_path):
    async def story(stage: Stage) -> None:
        await stage.submit(configuration())
        task, _ = await stage.work()
        await stage.fill()
        await until(lambda: stage.ear.told(Kind.TRADE))
        await stage.stop(task)
        await stage.fill()
        await stage.work()
        await stage.fill()
        await until(lambda: len(stage.ear.told(Kind.TRADE)) == 2)
        assert [trade["t"] for trade in stage.ear.told(Kind.TRADE)] == [1, 3]
        assert len(stage.ear.epochs()) == 2 and stage.ear.epochs() == sorted(stage.ear.epochs())

    on_stage(tmp_path, story)


def test_an_engine_restart_leaves_no_hole(tmp_path):
    async def story(stage: Stage) -> None:
        await stage.submit(configuration())
        await stage.work()
        for price in (90, 91, 92):
            await stage.limit(Side.BUY, price, 3)
        await stage.engine.close()
        stage.engine = await Engine.open(stage.config)
        for price in (93, 94):
            await stage.limit(Side.BUY, price, 3)
        await until(lambda: stage.ear.told(Kind.DEPTH_100)[-1:] and stage.ear.told(Kind.DEPTH_100)[-1]["u"] == 5)
        diffs = stage.ear.told(Kind.DEPTH_100)
        assert diffs[0]["U"] == 1
        assert all(after["U"] == before["u"] + 1 for before, after in pairwise(diffs))
        assert [ticker["u"] for ticker in stage.ear.told(Kind.BOOK_TICKER)] == [1, 2, 3, 4, 5]
        assert len(stage.ear.epochs()) == 1

    on_stage(tmp_path, story)


def test_statistics_and_candles_go_on_over_restarts_of_the_worker(tmp_path):
    async def story(stage: Stage) -> None:
        await stage.submit(configuration(("BTCUSDT", "ETHUSDT")))
        for _ in range(3):
            await stage.fill()
        task, _ = await stage.work()
        await stage.fill()
        await until(lambda: [told["n"] for told in stage.ear.told(Kind.TICKER)][-1:] == [4])
        await stage.stop(task)
        await stage.fill()
        before = len(stage.ear.told(Kind.TICKER))
        await stage.work()
        await stage.fill()
        await until(lambda: [told["n"] for told in stage.ear.told(Kind.TICKER)[before:]][-1:] == [6])
        assert [agg["a"] for agg in stage.ear.told(Kind.AGG_TRADE)] == [4, 6]
        for kind in (Kind.KLINE_1MONTH, Kind.KLINE_1MONTH_EAST):
            await until(lambda kind=kind: [told["k"]["L"] for told in stage.ear.told(kind)][-1:] == [6])
            month = stage.ear.told(kind)[-1]["k"]
            assert (month["f"], month["L"], month["n"], month["v"], month["x"]) == (1, 6, 6, "0.00060000", False)
        assert stage.ear.told(Kind.TICKER, "ETHUSDT")[-1]["n"] == 0 and stage.ear.told(Kind.KLINE_1S, "ETHUSDT") == []
        lists = stage.ear.told(Kind.MINI_TICKERS, "!")
        named = [[ticker["s"] for ticker in told] for told in lists]
        assert sum("ETHUSDT" in names for names in named) == 2 <= sum("BTCUSDT" in names for names in named)

    on_stage(tmp_path, story)


def test_the_end_of_a_candle_is_told_once_while_nothing_happens_and_while_much_does(tmp_path):
    async def story(stage: Stage) -> None:
        await stage.submit(configuration(("BTCUSDT", "ETHUSDT")))
        await stage.work()
        await stage.fill()

        def ends() -> list[dict[str, Any]]:
            return [told["k"] for told in stage.ear.told(Kind.KLINE_1S) if told["k"]["x"]]
        await until(lambda: len(ends()) >= 2)    # the clock alone
        quiet = len(ends())
        for _ in range(30):                            # trades of another instrument
            await stage.limit(Side.BUY, 50, 1, instrument=2)
            await asyncio.sleep(0.05)
        await until(lambda: len(ends()) > quiet)
        await stage.fill()
        await until(lambda: sum(end["n"] for end in ends()) == 2)
        opens = [end["t"] for end in ends()]
        assert opens == [opens[0] + 1000 * place for place in range(len(opens))]
        assert ends()[0]["n"] == 1 and ends()[-1]["n"] in (0, 1)

    on_stage(tmp_path, story)


def test_the_state_is_told_again_every_second(tmp_path):
    async def story(stage: Stage) -> None:
        await stage.submit(configuration())
        await stage.limit(Side.BUY, 90, 3)
        await stage.work()
        await until(lambda: len(stage.ear.told(Kind.PARTIAL_20, refresh=True)) >= 3)
        assert len(stage.ear.told(Kind.PARTIAL_20)) == 0

    on_stage(tmp_path, story)


def test_an_empty_url_is_refused_with_the_remedy(tmp_path):
    with pytest.raises(ConfigError, match=r"redis\.url"):
        MarketData(load_config(data_dir=str(tmp_path)))
