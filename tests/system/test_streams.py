"""Market streams end to end: a random flow through a real engine, its drop copy, worker, Redis and feed to clients.

A client that does what the protocol's documents say (buffer, snapshot, drop old, continue) ends with the engine's own
book; it has seen every trade and every state of the best prices, in order and once.
"""
import asyncio
import json
import random
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zlib import crc32

import pytest
import uvloop
import websockets
from msgspec.structs import replace

from engine.config import Config, load_config
from engine.core.batch import Batch
from engine.core.codes import EventKind, OrderType, Side, TimeInForce
from engine.core.exchange import Exchange
from engine.core.unpack import Event, unpack_events
from engine.frames import Frame
from engine.service import Engine
from gateway.feed import serve
from tests.gateway.feed_kit import url_of
from tests.support.orders_book import OrdersBook
from tests.support.redis import RedisServer
from tests.support.waiting import STORY_SECONDS_MAX, until
from tests.workers.market_kit import configuration
from workers.market_data import MarketData

SYMBOLS = ("BTCUSDT", "ETHUSDT")
TRADERS = range(2, 12)


class Truth:
    """A twin of the engine's core that reports every change of the best prices."""

    def __init__(self) -> None:
        self.core = Exchange(top_events=True)
        self.events: list[Event] = []
        self.books: dict[tuple[int, int], tuple[dict[int, int], ...]] = {}   # by instrument and update id
        self.queues: dict[tuple[int, int], tuple[list[tuple[int, int, int]], ...]] = {}

    def hear(self, frame: Frame, _: list[Event]) -> None:
        self.events += unpack_events(self.core.apply(frame.commands))
        for instrument in (1, 2):
            key = (instrument, self.core.update_id(instrument))
            if key not in self.books:
                self.queues[key] = tuple(self.core.queue(instrument, side, 5000) for side in Side)
                self.books[key] = tuple(dict(self.core.depth(instrument, side, 5000)) for side in Side)

    def book(self, instrument: int, update_id: int) -> tuple[dict[str, str], ...]:
        """As texts."""
        return tuple({price_text(price): qty_text(qty) for price, qty in levels.items()}
                     for levels in self.books[instrument, update_id])

    def trades(self, instrument: int) -> list[Event]:
        return [event for event in self.events if (event.kind, event.instrument) == (EventKind.TRADE, instrument)]

    def tops(self, instrument: int) -> list[Event]:
        return [event for event in self.events if (event.kind, event.instrument) == (EventKind.TOP, instrument)]


class Book:
    """What a client holds: levels by price text, put together from a snapshot and differences."""

    def __init__(self) -> None:
        self.sides: tuple[dict[str, str], dict[str, str]] = ({}, {})
        self.last_id: int | None = None
        self._waiting: list[dict[str, Any]] = []

    def snapshot(self, last_id: int, bids: list[tuple[str, str]], asks: list[tuple[str, str]]) -> None:
        self.last_id, self.sides = last_id, (dict(bids), dict(asks))
        kept = [diff for diff in self._waiting if diff["u"] > last_id]
        assert not kept or kept[0]["U"] <= last_id + 1
        for diff in kept:
            self._apply(diff)

    def difference(self, diff: dict[str, Any]) -> None:
        """Contiguous with the one before, and applied if the snapshot is older."""
        assert diff["U"] <= diff["u"] and (diff["b"] or diff["a"])
        if self._waiting:
            assert diff["U"] == self._waiting[-1]["u"] + 1
        self._waiting.append(diff)
        if self.last_id is not None and diff["u"] > self.last_id:
            self._apply(diff)

    def _apply(self, diff: dict[str, Any]) -> None:
        assert self.last_id is not None and diff["U"] <= self.last_id + 1
        self.last_id = diff["u"]
        for levels, changes in zip(self.sides, (diff["b"], diff["a"]), strict=True):
            for price, qty in changes:
                if qty == "0.00000000":
                    levels.pop(price, None)
                else:
                    levels[price] = qty


class Watcher:
    """A client of one instrument: fast and slow book, trades, tickers and partial depth on one combined connection."""

    STREAMS = ("depth@100ms", "depth", "depth@raw", "depthCrc", "trade", "bookTicker", "depth5@100ms", "depth20@100ms",
               "l3")

    def __init__(self, url: str, engine: Engine, truth: Truth, instrument: int) -> None:
        self._url, self._engine, self.instrument = url.removesuffix("/ws") + "/stream", engine, instrument
        self.truth = truth
        self.fast, self.slow, self.raw = Book(), Book(), Book()
        self.orders = OrdersBook()
        self._books = {"depth@100ms": self.fast, "depth": self.slow, "depth@raw": self.raw}
        self.compared = self.checksums = self.queues_compared = 0
        self.heard: dict[str, list[Any]] = {kind: [] for kind in self.STREAMS}
        self.snapshot_ids: list[int] = []
        self.subscribed = False

    @property
    def has_enough(self) -> bool:
        """To be worth comparing."""
        return len(self.heard["depth@100ms"]) >= 5 and min(map(len, (self.heard["trade"],
                                                                     self.heard["bookTicker"]))) > 50

    @property
    def up_to_date(self) -> bool:
        """Books and partial depth are those of the engine at this moment."""
        _, bids, asks = truth_of(self._engine, self.instrument)
        now = self._engine.core.update_id(self.instrument)
        return self.slow.last_id == self.fast.last_id == self.raw.last_id == self.orders.last_id == now and all(
            [said["bids"], said["asks"]] == [bids[:limit], asks[:limit]]
            for limit in (5, 20) for said in self.heard[f"depth{limit}@100ms"][-1:]) and bool(
            self.heard["depth20@100ms"] and self.heard["depth5@100ms"])

    async def run(self) -> None:
        symbol = SYMBOLS[self.instrument - 1].lower()
        async with websockets.connect(self._url, compression=None) as socket:
            params = [f"{symbol}@{kind}" for kind in self.STREAMS]
            await socket.send(json.dumps({"method": "SUBSCRIBE", "params": params, "id": 1}))
            assert json.loads(await socket.recv()) == {"result": None, "id": 1}
            self.subscribed = True
            for number, book in enumerate(self._books.values()):
                asyncio.get_running_loop().call_later(0.13 * number, self._snapshot, book)
            asyncio.get_running_loop().call_later(0.2, self._orders_snapshot)
            async for text in socket:
                message = json.loads(text)
                kind = message["stream"].partition("@")[2]
                self.heard[kind].append(message["data"])
                if kind in self._books:
                    self._compare(self._books[kind], message["data"])
                elif kind == "l3":
                    self._compare_orders(message["data"])
                elif kind == "depthCrc" and self.fast.last_id == message["data"]["u"]:
                    assert message["data"]["c"] == checksum(self.fast)
                    self.checksums += 1

    def _compare(self, book: Book, difference: dict[str, Any]) -> None:
        """After each difference the book is the engine's as it was then."""
        book.difference(difference)
        if book.last_id == difference["u"]:
            assert book.sides == self.truth.book(self.instrument, book.last_id)
            self.compared += 1

    def _compare_orders(self, message: dict[str, Any]) -> None:
        self.orders.message(message)
        if self.orders.last_id == message["u"]:
            assert self.orders.sides == queues(self.instrument, self.truth.queues[self.instrument, message["u"]])
            self.queues_compared += 1

    def _orders_snapshot(self) -> None:
        """As GET /api/v3/depth/l3 answers."""
        core = self._engine.core
        bids, asks = queues(self.instrument, tuple(core.queue(self.instrument, side, 5000) for side in Side))
        self.orders.snapshot({"lastUpdateId": core.update_id(self.instrument), "bids": bids, "asks": asks})

    def _snapshot(self, book: Book) -> None:
        """As GET /api/v3/depth answers: the live book of the engine."""
        last_id, bids, asks = truth_of(self._engine, self.instrument)
        self.snapshot_ids.append(last_id)
        book.snapshot(last_id, bids, asks)


def queues(instrument: int, sides: tuple[list[tuple[int, int, int]], ...]) -> list[list[tuple[str, str, int]]]:
    """As texts."""
    return [[(price_text(price), qty_text(lots), order_id) for price, lots, order_id in side] for side in sides]


def checksum(book: Book) -> int:
    """As PROTOCOL.md says it is made."""
    texts = []
    for levels, first in zip(book.sides, (max, min), strict=True):
        prices = sorted(levels, key=float, reverse=first is max)[:10]
        texts += [f"{price}:{levels[price]}" for price in prices]
    return crc32(":".join(texts).encode())


def truth_of(engine: Engine, instrument: int, limit: int = 5000) -> tuple[int, list[Any], list[Any]]:
    terms = engine.catalog.by_id[instrument]
    bids, asks = ([[terms.price_text(price), terms.qty_text(qty)] for price, qty in
                   engine.core.depth(instrument, side, limit)] for side in Side)
    return engine.core.update_id(instrument), bids, asks


def random_batch(chance: random.Random, number: int) -> Batch:
    """Up to 20 commands around a price that wanders; every kind of order and cancel."""
    batch = Batch()
    for place in range(chance.randint(1, 20)):
        account, instrument, side = chance.choice(TRADERS), chance.randint(1, 2), chance.choice(list(Side))
        middle = 10_000 + number // 4
        price = middle + chance.randint(-15, 5) * (1 if side is Side.BUY else -1)
        text = b"%d-%d" % (number, place)
        kind = chance.random()
        if kind < 0.62:
            qty, display = chance.randint(1, 50), chance.choice((0, 0, 0, 5))
            batch.place(account, instrument, side, OrderType.LIMIT, TimeInForce.GTC, price, qty, 0, text,
                        display_lots=display if display < qty else 0)
        elif kind < 0.72:
            tif = chance.choice((TimeInForce.IOC, TimeInForce.FOK))
            batch.place(account, instrument, side, OrderType.LIMIT, tif, price, chance.randint(1, 90), 0, text)
        elif kind < 0.77:
            batch.place(account, instrument, side, OrderType.LIMIT_MAKER, TimeInForce.GTC, price, 7, 0, text)
        elif kind < 0.82:
            batch.place(account, instrument, side, OrderType.MARKET, TimeInForce.GTC, 0, chance.randint(1, 60), 0, text)
        elif kind < 0.90:
            batch.reduce(account, instrument, 1, text=b"%d-%d" % (chance.randint(0, number), chance.randint(0, 9)))
        elif kind < 0.99:
            batch.cancel(account, instrument, text=b"%d-%d" % (chance.randint(0, number), chance.randint(0, 9)))
        else:
            batch.cancel_all(account, instrument)
    return batch


async def submit(engine: Engine, batch: Batch) -> None:
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    engine.submit(batch, lambda *_: done.set_result(None))
    await done


def setup_batch() -> Batch:
    batch = configuration(SYMBOLS)
    for account in TRADERS:
        batch.account(account)
        batch.credit(account, 1, 10**15)
        batch.credit(account, 2, 10**15)
    return batch


async def play(config: Config, capsys: pytest.CaptureFixture[str], seed: int, batches: int) -> None:
    engine, truth = await Engine.open(config), Truth()
    engine.listen(truth.hear)
    tasks = [asyncio.create_task(serve(config))]
    try:
        url = await url_of(capsys, tasks[0])
        if config.feed.processes > 1:   # they share the port: the kernel chooses whose a connection is
            shared = replace(config, feed=replace(config.feed, port=urlsplit(url).port))
            tasks.append(asyncio.create_task(serve(shared)))
            assert await url_of(capsys, tasks[1]) == url
        await submit(engine, setup_batch())
        worker = MarketData(config)
        tasks.append(asyncio.create_task(worker.run()))
        await until(lambda: worker.live)
        async with asyncio.timeout(STORY_SECONDS_MAX):
            await flow(engine, url, truth, tasks, random.Random(seed), batches)
    finally:
        for task in reversed(tasks):
            task.cancel()
            await asyncio.wait([task])
        await engine.close()


async def flow(engine: Engine, url: str, truth: Truth, tasks: list[Any], chance: random.Random, batches: int) -> None:
    early = [Watcher(url, engine, truth, instrument) for instrument in (1, 2)]
    late = [Watcher(url, engine, truth, instrument) for instrument in (1, 2)]
    running = [asyncio.create_task(watcher.run()) for watcher in early]
    tasks += running
    await until(lambda: all(watcher.subscribed for watcher in early) or any(task.done() for task in running))
    number = 0
    while number < batches or not all(watcher.has_enough for watcher in late):
        await submit(engine, random_batch(chance, number))
        if number == batches // 2:
            running += [asyncio.create_task(watcher.run()) for watcher in late]
            tasks += running[2:]
        if number % 8 == 0:
            await asyncio.sleep(0.005)   # so that the flow spans many ticks
        assert not any(task.done() for task in running), running
        number += 1
    watchers = [*early, *late]
    await until(lambda: any(task.done() for task in running) or all(watcher.up_to_date for watcher in watchers))
    for task in running:
        assert not task.done(), task.exception()
    for watcher in watchers:
        check_books(watcher, engine)
        check_tape(watcher, truth, complete=watcher in early)


def check_books(watcher: Watcher, engine: Engine) -> None:
    last_id, bids, asks = truth_of(engine, watcher.instrument)
    assert len(bids) > 3 and len(asks) > 3
    assert watcher.compared > 100 and watcher.checksums > 3 and watcher.queues_compared > 100
    for book in (watcher.fast, watcher.slow, watcher.raw):
        assert book.last_id == last_id
        assert sorted(book.sides[0].items()) == sorted(map(tuple, bids))
        assert sorted(book.sides[1].items()) == sorted(map(tuple, asks))
    for kind, limit in (("depth5@100ms", 5), ("depth20@100ms", 20)):
        newest = watcher.heard[kind][-1]
        assert newest["bids"] == bids[:limit] and newest["asks"] == asks[:limit]


def check_tape(watcher: Watcher, truth: Truth, complete: bool) -> None:
    """Every trade and every state of the best prices since the connection, one by one."""
    trades, tops = truth.trades(watcher.instrument), truth.tops(watcher.instrument)
    heard = [(trade["t"], trade["p"], trade["q"], trade["m"], trade["T"]) for trade in watcher.heard["trade"]]
    assert heard == [tape_row(trade) for trade in trades][-len(heard):]
    tickers = [(ticker["u"], ticker["b"], ticker["B"], ticker["a"], ticker["A"])
               for ticker in watcher.heard["bookTicker"]]
    if complete:
        assert len(heard) == len(trades)
        tickers = tickers[-len(tops):]   # the first may be the state at the time of the subscription
        assert len(tickers) == len(tops)
    assert watcher.has_enough
    assert [ticker_row(top) for top in tops][-len(tickers):] == tickers


def price_text(ticks: int) -> str:
    return f"{ticks // 100}.{ticks % 100:02}000000"


def qty_text(lots: int) -> str:
    return f"{lots // 10_000}.{lots % 10_000:04}0000"


def tape_row(trade: Event) -> tuple[Any, ...]:
    return (trade.trade_id, price_text(trade.price_ticks), qty_text(trade.qty_lots), trade.side == Side.SELL,
            trade.time_ns // 1_000_000)


def ticker_row(top: Event) -> tuple[Any, ...]:
    return (top.update_id, price_text(top.bid_ticks), qty_text(top.bid_lots), price_text(top.ask_ticks),
            qty_text(top.ask_lots))


@pytest.mark.parametrize(("seed", "processes"), [(1, 1), (2, 2)])
def test_a_client_ends_with_the_engines_book_and_has_heard_everything(tmp_path: Path, capsys, seed, processes):
    with RedisServer() as redis:
        config = load_config(data_dir=str(tmp_path), redis={"url": redis.url},
                             limits={"close_seconds_max": 0.5, "shutdown_notice_seconds": 0},
                             feed={"port": 0, "processes": processes, "order_streams": True})
        uvloop.run(play(config, capsys, seed, batches=1000))
