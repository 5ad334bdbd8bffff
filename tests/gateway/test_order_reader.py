"""Closed orders from a real ledger: by id, by time, the newest, one account's and instrument's only."""
import asyncio
from collections.abc import Iterator

import asyncpg
import pytest

from engine.config import Rest
from gateway.order_store import OrderStore
from gateway.rest.order_reader import ClosedOrder, closed_orders
from gateway.rest.reader import Reader
from tests.support.flow import COIN_USD, Flow
from tests.support.ledger import check_task, config_for, open_engine, reached, running, submit
from tests.support.postgres import PostgresServer

ACCOUNT = 5


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, list[int]]]:
    """A ledger whose tables have many parts; the ids of the account's orders that have ended."""
    with PostgresServer(fsync=False) as server:
        dsn, store = server.database(), OrderStore(10**6)
        config = config_for(tmp_path_factory.mktemp("venue"), dsn, ledger={"part_commands": 700})

        async def fill() -> None:
            flow = Flow(51)
            async with open_engine(config) as engine, running(config) as task:
                engine.listen(lambda frame, events: store.apply(events))
                await submit(engine, flow.setup(), *(flow.commands(100) for _ in range(60)))
                await reached(dsn, engine.seq, check_task(task))
        asyncio.run(fill())
        orders = [order for order in store.closed.values() if (order.account, order.instrument) == (ACCOUNT, COIN_USD)]
        assert len(orders) > 50
        yield dsn, sorted(order.id for order in orders)


def ask(dsn: str, limit: int, **terms: int) -> list[ClosedOrder]:
    async def story() -> list[ClosedOrder]:
        async def nobody() -> None:
            return None
        reader = Reader(dsn, Rest(), nobody)
        try:
            return await closed_orders(reader, ACCOUNT, COIN_USD, limit, **terms)
        finally:
            await reader.close()
    return asyncio.run(story())


def ids(orders: list[ClosedOrder]) -> list[int]:
    return [order.order_id for order in orders]


def test_all_the_newest_and_from_an_id(filled: tuple[str, list[int]]):
    dsn, known = filled
    everything = ask(dsn, 10_000)
    assert ids(everything) == known
    assert {order.status for order in everything} == {"FILLED", "CANCELED", "EXPIRED"}
    assert all((order.code == 0) == (order.status == "FILLED") for order in everything)
    assert ids(ask(dsn, 7)) == known[-7:]
    assert ids(ask(dsn, 7, from_id=known[20])) == known[20:27]
    assert ids(ask(dsn, 7, from_id=known[20] + 1)) == known[21:28]
    assert ids(ask(dsn, 7, from_id=known[-1] + 1)) == []


def test_by_time(filled: tuple[str, list[int]]):
    dsn, known = filled
    times = [order.time_ns for order in ask(dsn, 10_000)]
    for place in (0, 3, len(known) // 2, len(known) - 1):
        first = times.index(times[place])
        assert ids(ask(dsn, 5, first_ns=times[place])) == known[first:first + 5]
        assert ids(ask(dsn, 10_000, last_ns=times[place])) == [
            known[at] for at, time_ns in enumerate(times) if time_ns <= times[place]]
    assert ids(ask(dsn, 5, first_ns=times[-1] + 1)) == []
    assert ids(ask(dsn, 10_000, first_ns=times[10], last_ns=times[30])) == [
        known[at] for at, time_ns in enumerate(times) if times[10] <= time_ns <= times[30]]


def test_questions_are_asked_with_the_right_to_read_only(filled: tuple[str, list[int]]):
    async def story() -> None:
        async def nobody() -> None:
            return None
        reader = Reader(filled[0], Rest(), nobody)
        try:
            pool = await reader._opened()
            assert await pool.fetchval("SELECT current_user") == "buttonwood_reader"
            assert await pool.fetchval("SELECT current_user") == "buttonwood_reader", "after it was given back"
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await pool.execute("SET transaction_read_only = off; UPDATE wallet SET balance = 0")
        finally:
            await reader.close()
    asyncio.run(story())
