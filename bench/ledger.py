"""How many fills a second reach Postgres, with trades, double-entry rows, balances and the orders that ended?

The whole way is timed: replica, postings, audit, one transaction per batch, fsync on; 1,000 and 100,000 accounts, both
sides pay fees and both orders end, so a fill is 1 trade, 6 entries and 2 orders. Beside it, on the same server in the
same run: the simpler way of one transaction per fill with SELECT ... FOR UPDATE, writing trade, entries and balances
but no orders. All ways must end with equal balances.

    python -m bench.ledger [--quick] [--json]
"""
import argparse
import asyncio
import random
import time
from collections.abc import Iterator

import asyncpg
import numpy as np
import uvloop

from bench.report import Figure, emit, figure, machine, percentile
from engine.config import Ledger
from engine.core.batch import Batch
from engine.core.codes import FEE_ACCOUNT, OrderType, Side, TimeInForce
from engine.core.exchange import Exchange
from tests.support.postgres import PostgresServer
from workers.ledger_batch import Batch as LedgerBatch
from workers.ledger_batch import Collector, compare_all
from workers.ledger_store import LedgerStore
from workers.wallet_mirror import WALLET_ROW, WalletMirror

BATCHES = (1000, 2000, 10_000)
MANY = 100_000              # accounts, batches of the default size
FILLS = {False: 50_000, True: 20_000}           # by --quick
NAIVE_FILLS = {False: 3000, True: 500}
REPEATS = {False: 5, True: 1}
FEW = 1000                  # accounts otherwise
DEFAULT_BATCH = 10_000      # as ledger.batch_fills_max
FRAME_FILLS = 100
USD, COIN, PAIR = 1, 2, 1
Wallet = tuple[int, ...]


def frames(fills: int, accounts: range) -> list[bytes]:
    """The journal as stamped commands: first the market, then frames in which every second order takes the first."""
    setup, chance, made = Batch(), random.Random(1), []
    setup.asset(USD, 2, "USD")
    setup.asset(COIN, 8, "COIN")
    setup.instrument(PAIR, text="COINUSD", base_asset=COIN, quote_asset=USD, lot_value=100_000, tick_value=1,
                     max_lots=10**6, max_ticks=10**6, maker_fee_ppm=1000, taker_fee_ppm=1000)
    for account in (FEE_ACCOUNT, *accounts):
        setup.account(account)
        setup.credit(account, USD, 10**13)
        setup.credit(account, COIN, 10**13)     # so that the supply of many accounts fits int64
    batches = [setup, *(orders_of(chance, accounts, FRAME_FILLS) for _ in range(fills // FRAME_FILLS))]
    next_seq = 1
    for number, batch in enumerate(batches):
        batch.stamp(next_seq, time.time_ns() + number)
        next_seq += len(batch)
        made.append(bytes(batch))
    return made


def orders_of(chance: random.Random, accounts: range, fills: int) -> Batch:
    """So many pairs of orders that trade."""
    batch = Batch()
    for _ in range(fills):
        maker, taker = chance.sample(accounts, 2)
        side, price, lots = chance.choice(list(Side)), chance.randint(9000, 11_000), chance.randint(10, 500)
        batch.place(maker, PAIR, side, OrderType.LIMIT, TimeInForce.GTC, price, lots)
        batch.place(taker, PAIR, 1 - side, OrderType.LIMIT, TimeInForce.IOC, price, lots)
    return batch


class Run:
    """One way through one fresh database; the market is set up before the clock starts."""

    def __init__(self, dsn: str, journal: list[bytes]) -> None:
        self.store, self.journal = LedgerStore(dsn, Ledger(statement_seconds_max=300)), journal
        self.collector = Collector(Exchange(), WalletMirror(np.zeros(0, WALLET_ROW)))
        self.batch_seconds: list[float] = []
        self.fills = 0

    async def prepare(self) -> None:
        await self.store.install()
        await self.store.take_over()
        self.collector.add(memoryview(self.journal[0]), 1)
        await self._write(self.collector.cut())

    def filled(self, fills: int) -> Iterator[bool]:
        """After each frame of the rest of the journal: is there a batch of so many fills, or all that is left?"""
        for commands in self.journal[1:]:
            self.collector.add(memoryview(commands), 1)
            yield self.collector.fills >= fills or commands is self.journal[-1]

    async def batched(self, fills: int) -> float:
        """Seconds for the whole journal in batches of so many fills; as in the worker the next one fills meanwhile."""
        begin, writing = time.perf_counter(), asyncio.create_task(asyncio.sleep(0))
        for full in self.filled(fills):
            if full:
                await writing
                writing = asyncio.create_task(self._timed(self.collector.cut()))
            await asyncio.sleep(0)
        await writing
        return time.perf_counter() - begin

    async def _timed(self, batch: LedgerBatch) -> None:
        sent = time.perf_counter()
        await self._write(batch)
        self.fills += len(batch.trades)
        self.batch_seconds.append(time.perf_counter() - sent)

    async def one_by_one(self) -> float:
        """Seconds for the whole journal, each fill in a transaction of its own; postings are computed before."""
        batches = []
        for full in self.filled(1):
            if full:
                batch = self.collector.cut()
                self.collector.committed(batch)
                batches += _split(batch)
        connection = await self.store.connect()
        begin = time.perf_counter()
        for trade, entries in batches:
            await _naive(connection, trade, entries)
        return time.perf_counter() - begin

    async def wallets(self) -> set[Wallet]:
        """Balances as Postgres has them at the end; checked against the core."""
        _, rows = await self.store.take_over()
        differences = compare_all(self.collector.core, rows)
        await self.store.close()
        assert not differences, differences
        return {(int(row["account"]), int(row["asset"]), int(row["balance"])) for row in rows}

    async def _write(self, batch: LedgerBatch) -> None:
        assert await self.store.write(batch)
        self.collector.committed(batch)


def _split(batch: LedgerBatch) -> list[tuple[Wallet, list[Wallet]]]:
    """A batch as its single fills."""
    by_seq: dict[int, list[Wallet]] = {}
    for entry in batch.entries.tolist():
        by_seq.setdefault(entry[2], []).append(entry)
    return [(trade, by_seq[trade[2]]) for trade in batch.trades.tolist()]


async def _naive(connection: asyncpg.Connection, trade: Wallet, entries: list[Wallet]) -> None:
    """Lock the wallets in order, read them, write them back, insert the rows: what one would do first."""
    async with connection.transaction():
        accounts, assets = [entry[0] for entry in entries], [entry[1] for entry in entries]
        rows = await connection.fetch(
            """SELECT account, asset, balance FROM wallet WHERE (account, asset) IN
               (SELECT * FROM unnest($1::int[], $2::int[])) ORDER BY account, asset FOR UPDATE""", accounts, assets)
        balances = {(row["account"], row["asset"]): row["balance"] for row in rows}
        changes = [(balances[account, asset] + amount, seq, account, asset)
                   for account, asset, seq, amount, _, _, _ in entries]
        await connection.executemany(
            """UPDATE wallet SET balance = $1, entries = entries + 1, last_seq = $2
               WHERE account = $3 AND asset = $4""", changes)
        places = ", ".join(f"${place}" for place in range(1, 17))
        await connection.execute(f"INSERT INTO trade VALUES ({places})", *trade)
        await connection.executemany(
            "INSERT INTO entry VALUES ($1, $2, $3, $4, $5, $6, $7)",
            [(*entry[:4], change[0], *entry[5:]) for entry, change in zip(entries, changes, strict=True)])


async def batched_run(dsn: str, journal: list[bytes], fills: int) -> tuple[float, list[float], set[Wallet]]:
    run = Run(dsn, journal)
    await run.prepare()
    seconds = await run.batched(fills)
    assert run.fills == (len(journal) - 1) * FRAME_FILLS, "an order did not trade"
    return run.fills / seconds, run.batch_seconds, await run.wallets()


async def naive_run(dsn: str, journal: list[bytes]) -> tuple[float, set[Wallet]]:
    run = Run(dsn, journal)
    await run.prepare()
    seconds = await run.one_by_one()
    return (len(journal) - 1) * FRAME_FILLS / seconds, await run.wallets()


def bench(server: PostgresServer, quick: bool) -> dict[str, object]:
    """Ways in turn, so that a busy neighbour disturbs all of them alike."""
    few, many = range(2, 2 + FEW), range(2, 2 + MANY)
    journal, short, wide = frames(FILLS[quick], few), frames(NAIVE_FILLS[quick], few), frames(FILLS[quick], many)
    rates: dict[str, list[float]] = {}
    latencies: dict[int, list[float]] = {size: [] for size in BATCHES}
    for _ in range(REPEATS[quick]):
        ends = []
        for size in BATCHES:
            rate, seconds, wallets = uvloop.run(batched_run(server.database(), journal, size))
            rates.setdefault(f"batch_{size}", []).append(rate)
            latencies[size] += seconds
            ends.append(wallets)
        rate, one_by_one = uvloop.run(naive_run(server.database(), short))
        rates.setdefault("one_by_one", []).append(rate)
        _, _, same = uvloop.run(batched_run(server.database(), short, BATCHES[0]))
        rate, _, _ = uvloop.run(batched_run(server.database(), wide, DEFAULT_BATCH))
        rates.setdefault(f"many_accounts_batch_{DEFAULT_BATCH}", []).append(rate)
        assert all(end == ends[0] for end in ends) and one_by_one == same, "the ways disagree about balances"
    return _results(quick, {way: figure(values) for way, values in rates.items()}, latencies)


def _results(quick: bool, rates: dict[str, Figure], latencies: dict[int, list[float]]) -> dict[str, object]:
    results: dict[str, object] = {"bench": "ledger", "quick": quick, "machine": machine(), "accounts": FEW,
                                  "many_accounts": MANY, "rows_per_fill": 9, "repeats": REPEATS[quick]}
    for way, rate in rates.items():
        results[f"{way}_fills_per_second"] = rate
    for size, seconds in latencies.items():
        results[f"batch_{size}_commit_p50_ms"] = round(percentile(seconds, 50) * 1000, 2)
        results[f"batch_{size}_commit_p99_ms"] = round(percentile(seconds, 99) * 1000, 2)
    for size in BATCHES:
        ratio = rates[f"batch_{size}"].median / rates["one_by_one"].median
        results[f"batch_{size}_times_one_by_one"] = round(ratio, 1)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.ledger", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one short run")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    arguments = parser.parse_args()
    with PostgresServer() as server:
        results = bench(server, arguments.quick)
    emit(results, arguments.json)


if __name__ == "__main__":
    main()
