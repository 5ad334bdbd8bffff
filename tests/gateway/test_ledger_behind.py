"""Postgres stopped, for real: trading goes on up to the limit, then orders are refused with the reason and cancels are
taken, until the ledger has caught up; absence of a ledger counts.
"""
import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.engine_metrics import engine_metrics
from tests.engine.test_metrics import values
from tests.gateway.running import ALICE, Running, furnish, limit, running
from tests.gateway.test_orders_pipelined import Raw, request
from tests.support.postgres import PostgresServer
from tests.support.waiting import STORY_SECONDS_MAX, until
from workers.ledger import Ledger

REFUSAL = (503, {"code": -1008, "msg": "Server's ledger is behind and no new orders are taken. Please try again in a "
                                       "few minutes."})


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with PostgresServer(fsync=False) as postgres:
        yield postgres


async def refused(venue: Running) -> None:
    """Trade until an order is refused."""
    for _ in range(3000):
        answer = await venue.call(ALICE, "order.place", **limit("BUY", "50000", "0.0002"))
        if answer[0] != 200:
            break
        await asyncio.sleep(0.02)
    assert answer == REFUSAL


def test_orders_are_refused_while_postgres_is_away_for_too_long(server: PostgresServer, tmp_path: Path):
    dsn = server.database()

    async def story() -> None:
        ledger = {"lag_seconds_max": 2.0, "retry_seconds_max": 0.1}
        async with running(tmp_path, ledger=ledger, postgres={"dsn": dsn}) as venue:
            engine, worker = venue.server.venue.engine, asyncio.create_task(Ledger(venue.server.venue.config).run())
            await furnish(venue)
            await until(lambda: engine.ledger_lag.reported_seq == engine.seq)
            for name in ("one", "two", "three"):
                await venue.ok(ALICE, "order.place", **limit("BUY", "50000", "0.01", newClientOrderId=name))
            await until(lambda: engine.ledger_lag.reported_seq == engine.seq)
            await asyncio.to_thread(server.stop)
            await refused(venue)
            assert engine.ledger_lag.seconds > 1
            raw = await Raw.open(venue.server.url)
            raw.send([request(venue, 1, "order.place", **limit("BUY", "50000", "0.01")),
                      request(venue, 2, "order.cancel", symbol="BTCUSDT", origClientOrderId="one"),
                      request(venue, 3, "order.cancelReplace", cancelReplaceMode="STOP_ON_FAILURE",
                              cancelOrigClientOrderId="two", **limit("BUY", "50000", "0.01"))])
            replies = await raw.receive(3)
            await raw.close()
            assert [(reply["id"], reply["status"]) for reply in replies] == [(1, 503), (2, 200), (3, 503)]
            assert replies[0]["error"] == replies[2]["error"] == REFUSAL[1]
            shown = values(engine_metrics(engine).render().decode())
            assert shown["buttonwood_cancel_only"] == 1 and shown["buttonwood_ledger_behind_seconds"] > 1
            assert not worker.done()
            await asyncio.to_thread(server.start)
            await until(lambda: engine.ledger_lag.reported_seq == engine.seq)
            await venue.ok(ALICE, "order.place", **limit("BUY", "50000", "0.01"))
            worker.cancel()
            await asyncio.wait([worker])
            await refused(venue)        # nobody reports: that counts as lag
    asyncio.run(asyncio.wait_for(story(), STORY_SECONDS_MAX))
