"""The ledger under kill -9 of itself and of Postgres, and with rivals: nothing lost, nothing double, all proven."""
import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from engine.config import Config
from engine.service import Engine
from tests.support.flow import Flow
from tests.support.ledger import (
    LedgerProcess,
    check_task,
    config_for,
    fetch,
    ledger_process,
    open_engine,
    reached,
    running,
    submit,
)
from tests.support.postgres import PostgresServer
from tests.support.waiting import until
from workers.reconcile import verify

SMALL_BATCHES = {"batch_fills_max": 200, "batch_seconds_max": 0.005, "statement_seconds_max": 3.0}

GROWTH_BYTES_MAX = 40_000_000       # of the worker while Postgres is away: two batches, not what was made meanwhile
IDLE_TICKS = 5


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with PostgresServer(fsync=False) as postgres:
        yield postgres


@pytest.fixture
def config(server: PostgresServer, tmp_path: Path) -> Config:
    return config_for(tmp_path, server.database(), ledger=SMALL_BATCHES)


@contextlib.asynccontextmanager
async def trading(config: Config, seed: int) -> AsyncIterator[Engine]:
    """An engine on which a market goes on all the time, some thousand fills a second; it ends with the block."""
    flow = Flow(seed)
    async with open_engine(config) as engine:
        await submit(engine, flow.setup())

        async def trade() -> None:
            while True:
                await submit(engine, flow.commands(60))
                await asyncio.sleep(0.01)

        task = asyncio.create_task(trade())
        try:
            yield engine
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def position(config: Config) -> int:
    with contextlib.suppress(Exception):
        return int((await fetch(config.postgres.dsn, "SELECT seq FROM watermark"))[0][0])
    return 0


async def moves_on(config: Config, writer: LedgerProcess) -> None:
    """Wait until the ledger has written something new."""
    before = await position(config)
    await reached(config.postgres.dsn, before + 1, writer.check)


async def proven(config: Config, seq: int, check: Callable[[], object]) -> None:
    """Wait until the ledger is at this command, then verify."""
    await reached(config.postgres.dsn, seq, check)
    report = await verify(config)
    assert report.ok, [proof for proof in report.proofs if not proof.ok]
    assert {proof.name: proof.checked for proof in report.proofs}["trades_dense"] > 200


def test_kill_the_ledger_at_random_points(config: Config):
    async def story() -> None:
        chance = random.Random(3)
        async with trading(config, 21) as engine:
            with ledger_process(config) as ledger:
                for _ in range(10):
                    await moves_on(config, ledger)
                    await asyncio.sleep(chance.uniform(0, 0.1))
                    ledger.restart()
                await moves_on(config, ledger)
                await proven(config, engine.seq, ledger.check)
    asyncio.run(story())


def test_kill_postgres_at_random_points(config: Config, server: PostgresServer):
    async def story() -> None:
        chance = random.Random(4)
        async with trading(config, 22) as engine:
            with ledger_process(config) as ledger:
                for _ in range(5):
                    await moves_on(config, ledger)
                    await asyncio.sleep(chance.uniform(0, 0.1))
                    server.kill()
                    await asyncio.to_thread(server.start)
                await moves_on(config, ledger)
                await proven(config, engine.seq, ledger.check)
    asyncio.run(story())


def test_postgres_is_away_while_more_is_traded_than_fits(server: PostgresServer, tmp_path: Path):
    """Postgres away, at the start too, batches and the drop copy's buffer full: the ledger goes on where it was."""
    config = config_for(tmp_path, server.database(), ledger=SMALL_BATCHES, limits={"follower_buffer_bytes_max": 65536})

    async def story() -> None:
        flow = Flow(23)
        server.kill()
        async with open_engine(config) as engine, running(config) as task:
            await submit(engine, flow.setup())
            await asyncio.sleep(0.2)
            await asyncio.to_thread(server.start)
            await reached(config.postgres.dsn, engine.seq, check_task(task))
            server.kill()
            await submit(engine, *(flow.commands(1000) for _ in range(20)))
            assert not task.done()
            await asyncio.to_thread(server.start)
            await proven(config, engine.seq, check_task(task))
    asyncio.run(story())


def test_memory_is_bounded_while_postgres_is_away_and_all_is_derived_again(server: PostgresServer, tmp_path: Path):
    """200,000 fills, some 70 MB of events, are made meanwhile: they come from the journal afterwards."""
    config = config_for(tmp_path, server.database(), ledger={"batch_fills_max": 2000, "retry_seconds_max": 0.2})

    async def story() -> None:
        flow = Flow(26)
        async with open_engine(config) as engine:
            with ledger_process(config) as ledger:
                await submit(engine, flow.setup(), *(flow.fills(1000) for _ in range(4)))
                await reached(config.postgres.dsn, engine.seq, ledger.check)
                before, _ = ledger.memory_bytes()
                await asyncio.to_thread(server.stop)
                await submit(engine, *(flow.fills(4000) for _ in range(50)))
                await rests(ledger)         # it has read what it wants to read
                await asyncio.to_thread(server.start)
                await reached(config.postgres.dsn, engine.seq, ledger.check)
                _, most = ledger.memory_bytes()
                assert most - before < GROWTH_BYTES_MAX, f"from {before} to {most} bytes"
                await proven(config, engine.seq, ledger.check)
                assert (await fetch(config.postgres.dsn, "SELECT count(*) FROM trade"))[0][0] >= 204_000
    asyncio.run(story())


async def rests(ledger: LedgerProcess) -> None:
    """Returns when the process has used no more than a little processor time for a while."""
    used = -IDLE_TICKS
    while ledger.cpu_ticks() - used >= IDLE_TICKS:
        used = ledger.cpu_ticks()
        await asyncio.sleep(0.5)


def test_of_two_writers_one_is_fenced(config: Config):
    async def story() -> None:
        async with trading(config, 24) as engine:
            with ledger_process(config) as one, ledger_process(config) as two:
                await until_one_ends(one, two)
                loser, winner = (one, two) if one.ended else (two, one)
                status, errors = loser.result()
                assert status != 0 and "LedgerFenced" in errors and "another ledger worker" in errors
                await proven(config, engine.seq, winner.check)
    asyncio.run(story())


def test_a_writer_that_wakes_up_too_late_is_fenced(config: Config):
    async def story() -> None:
        async with trading(config, 25) as engine:
            with ledger_process(config) as sleeper:
                await moves_on(config, sleeper)
                sleeper.stall()
                with ledger_process(config) as heir:
                    await moves_on(config, heir)
                    sleeper.wake()
                    status, errors = await asyncio.to_thread(sleeper.result)
                    assert status != 0 and "LedgerFenced" in errors
                    await proven(config, engine.seq, heir.check)
    asyncio.run(story())


async def until_one_ends(*processes: LedgerProcess) -> None:
    await until(lambda: any(process.ended for process in processes))
