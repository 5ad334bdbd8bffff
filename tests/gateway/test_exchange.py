"""The exchange process as a whole: its ready line, its end when it is unfit, and its return after kill -9."""
import asyncio
import os
import signal
from pathlib import Path
from types import SimpleNamespace

import pytest
import uvloop

from engine.config import load_config
from engine.core.unpack import Event
from gateway.door_client import DoorClient
from tests.gateway.running import ALICE, BOB, Running, furnish, limit, running
from tests.system.processes import part


def test_what_it_remembers_must_be_right_or_it_ends(tmp_path):
    """An error while taking events in leaves the store wrong: the process must not go on with it."""
    async def run() -> None:
        async with running(tmp_path / "data") as venue:
            await furnish(venue)

            def broken(events: list[Event]) -> None:
                raise KeyError("an order that is not there")

            venue.server.venue.store = SimpleNamespace(apply=broken)
            unfit = asyncio.ensure_future(venue.server.failure())
            await venue.call(ALICE, "order.place", **limit("BUY", "50000", "0.1"))
            with pytest.raises(KeyError, match="not there"):
                await unfit
    asyncio.run(run())


def test_an_engine_that_fails_ends_the_process(tmp_path):
    async def run() -> None:
        async with running(tmp_path / "data") as venue:
            unfit = asyncio.ensure_future(venue.server.failure())
            await asyncio.sleep(0)
            venue.server.venue.engine.failed.set_exception(OSError("the disk is gone"))
            with pytest.raises(OSError, match="disk"):
                await unfit
            status, error = await venue.call(ALICE, "order.place", **limit("BUY", "50000", "0.1"))
            assert (status, error["code"]) == (400, -1121)
    asyncio.run(run())


def test_orders_are_answered_before_it_stops(tmp_path):
    """What was taken is made durable and answered, what comes later is refused."""
    async def run() -> None:
        async with running(tmp_path / "data") as venue:
            await furnish(venue)
            calls = [venue.door.post(ALICE, "order.place", limit("BUY", "50000", "0.001")) for _ in range(50)]
            await asyncio.sleep(0.001)
            await venue.server.stop()
            answers = [status for status, _ in await asyncio.gather(*calls)]
            placed = answers.count(200)
            assert answers == [200] * placed + [503] * (50 - placed)
        async with running(tmp_path / "data") as venue:
            assert len(await venue.ok(ALICE, "openOrders.status")) == placed
    asyncio.run(run())


def settings(folder: Path) -> Path:
    file = folder / "venue.toml"
    file.write_text(f'data_dir = "{folder / "data"}"\nexchange.port = 0\njournal.segment_bytes = 1048576\n')
    return file


def test_kill_and_return(tmp_path):
    """After SIGKILL the replay brings back everything that was acknowledged, statuses of closed orders included."""
    file = settings(tmp_path)

    async def before(pid: int) -> tuple[int, list[str]]:
        door = await DoorClient.connect(load_config(file).paths.door)
        venue = Running.__new__(Running)
        venue.door = door
        await furnish(venue)
        for number in range(20):
            order = limit("BUY", str(40000 + number), "0.01", newClientOrderId=f"a{number}")
            await venue.ok(ALICE, "order.place", **order)
        await venue.ok(BOB, "order.place", **limit("SELL", "40015", "0.045", newClientOrderId="b"))
        state = await observed(venue)
        calls = [door.post(ALICE, "order.place", limit("BUY", "39000", "0.01", newClientOrderId=f"late{number}"))
                 for number in range(200)]
        await asyncio.sleep(0.001)
        os.kill(pid, signal.SIGKILL)
        answers = [status for status, _ in await asyncio.gather(*calls)]
        await door.close()
        return answers.count(200), state

    async def after(acknowledged: int, state: list[str]) -> None:
        door = await DoorClient.connect(load_config(file).paths.door)
        venue = Running.__new__(Running)
        venue.door = door
        assert await observed(venue) == state
        late = [await venue.call(ALICE, "order.status", symbol="BTCUSDT", origClientOrderId=f"late{number}")
                for number in range(200)]
        known = [status for status, _ in late].count(200)
        assert known >= acknowledged and [status for status, _ in late] == [200] * known + [400] * (200 - known)
        await door.close()

    with pytest.raises(AssertionError):   # it does not stop cleanly: it was killed
        with part(file, "exchange") as exchange:
            acknowledged, state = uvloop.run(before(exchange.pid))
    with part(file, "exchange"):
        uvloop.run(after(acknowledged, state))


async def observed(venue: Running) -> list[str]:
    """Statuses of all orders placed before the kill."""
    names = [(ALICE, f"a{number}") for number in range(20)] + [(BOB, "b")]
    return [str(await venue.ok(account, "order.status", symbol="BTCUSDT", origClientOrderId=name))
            for account, name in names]
