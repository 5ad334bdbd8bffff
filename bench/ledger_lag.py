"""How far behind is Postgres at 10,000 fills a second, and how many reach it beside an engine that is never idle?

A real engine (journal with fdatasync, core, drop copy) in this process, the ledger worker in its own, Postgres with
fsync on. The lag of a frame is from its being durable to the worker's report, over the drop copy, that it is in
Postgres. A fill is two orders, one trade, six entries. The simpler way beside it: bench.ledger's transaction per fill.

    python -m bench.ledger_lag [--quick] [--json]
"""
import argparse
import asyncio
import random
import tempfile
import time
from collections import deque
from pathlib import Path

from bench.ledger import FEW, orders_of
from bench.report import emit, machine, percentile
from engine.config import load_config
from engine.core.batch import Batch
from engine.core.codes import FEE_ACCOUNT
from engine.service import Engine
from tests.support.ledger import LedgerProcess, ledger_process, reached, submit
from tests.support.postgres import PostgresServer

FILLS_PER_SECOND = 10_000
FRAME_FILLS = 100
SECONDS = {False: 20.0, True: 4.0}      # by --quick
FRAMES_AT_ONCE = 8                      # submitted and not answered, when the engine is never idle
ACCOUNTS = range(2, 2 + FEW)


class Course:
    """Frames on their way to Postgres."""

    def __init__(self, engine: Engine) -> None:
        self.lags: list[float] = []
        self._waiting: deque[tuple[int, float]] = deque()
        self._reported = engine.dropcopy.reported["ledger"]
        engine.dropcopy.reported = {"ledger": self._arrived}
        engine.listen(lambda frame, events: self._waiting.append((frame.end_seq - 1, time.perf_counter())))

    def _arrived(self, seq: int) -> None:
        self._reported(seq)
        now = time.perf_counter()
        while self._waiting and self._waiting[0][0] <= seq:
            self.lags.append(now - self._waiting.popleft()[1])


def market() -> list[Batch]:
    """Two assets, a pair, accounts with money; in batches that fit a frame."""
    batches = [Batch()]
    batches[0].asset(1, 2, "USD")
    batches[0].asset(2, 8, "COIN")
    batches[0].instrument(1, text="COINUSD", base_asset=2, quote_asset=1, lot_value=100_000, tick_value=1,
                          max_lots=10**6, max_ticks=10**6, maker_fee_ppm=1000, taker_fee_ppm=1000)
    for account in (FEE_ACCOUNT, *ACCOUNTS):
        if len(batches[-1]) > 1000:
            batches.append(Batch())
        batches[-1].account(account)
        batches[-1].credit(account, 1, 10**15)
        batches[-1].credit(account, 2, 10**16)
    return batches


async def paced(engine: Engine, orders: list[Batch], seconds: float) -> None:
    """FILLS_PER_SECOND for so long, in frames of equal distance."""
    begin, sent = time.perf_counter(), 0
    while (passed := time.perf_counter() - begin) < seconds:
        while sent < passed * FILLS_PER_SECOND / FRAME_FILLS:
            engine.submit(orders[sent % len(orders)], lambda *_: None)
            sent += 1
        await asyncio.sleep(0.001)


async def unpaced(engine: Engine, orders: list[Batch], seconds: float) -> float:
    """As fast as the engine answers; fills a second of the engine."""
    begin, done = time.perf_counter(), 0

    async def one(number: int) -> None:
        nonlocal done
        while time.perf_counter() - begin < seconds:
            await submit(engine, orders[number % len(orders)])
            number, done = number + FRAMES_AT_ONCE, done + 1
    await asyncio.gather(*(one(number) for number in range(FRAMES_AT_ONCE)))
    return done * FRAME_FILLS / (time.perf_counter() - begin)


async def bench(dsn: str, folder: Path, seconds: float) -> dict[str, float]:
    config = load_config(data_dir=str(folder), postgres={"dsn": dsn}, ledger={"lag_seconds_max": 0})
    chance = random.Random(5)
    orders = [orders_of(chance, ACCOUNTS, FRAME_FILLS) for _ in range(200)]
    engine = await Engine.open(config)
    try:
        with ledger_process(config) as ledger:
            await submit(engine, *market())
            await asyncio.to_thread(ledger.first_line)
            return await _measured(engine, ledger, dsn, orders, seconds)
    finally:
        await engine.close()


async def _measured(
    engine: Engine, ledger: LedgerProcess, dsn: str, orders: list[Batch], seconds: float
) -> dict[str, float]:
    await reached(dsn, engine.seq, ledger.check)
    course = Course(engine)
    await paced(engine, orders, seconds)
    await reached(dsn, engine.seq, ledger.check)
    lags = [1000 * lag for lag in course.lags]
    first, begin = engine.ledger_lag.reported_seq, time.perf_counter()
    engine_rate = await unpaced(engine, orders, seconds)
    written = (engine.ledger_lag.reported_seq - first) / 2 / (time.perf_counter() - begin)
    return {"lag_p50_ms": round(percentile(lags, 50), 1), "lag_p99_ms": round(percentile(lags, 99), 1),
            "lag_max_ms": round(max(lags), 1), "engine_fills_per_second": round(engine_rate),
            "fills_per_second_beside_it": round(written)}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.ledger_lag", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one short run")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    arguments = parser.parse_args()
    with PostgresServer() as server, tempfile.TemporaryDirectory() as folder:
        results = asyncio.run(bench(server.database(), Path(folder), SECONDS[arguments.quick]))
    emit({"bench": "ledger_lag", "quick": arguments.quick, "machine": machine(), "accounts": FEW,
          "fills_per_second_paced": FILLS_PER_SECOND, **results}, arguments.json)


if __name__ == "__main__":
    main()
