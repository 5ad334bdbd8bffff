"""The Unix-socket door: batches, order of replies, the operator's methods, hostile callers, clients that reconnect."""
import asyncio
import json
import stat
import struct
from pathlib import Path

import msgspec
import numpy as np
import pytest

from engine.config import load_config
from engine.instruments import Instrument
from gateway.door_client import DoorClient
from tests.gateway.running import ALICE, BOB, Running, furnish, limit, running
from tests.support.waiting import until

BTC = {"symbol": "BTCUSDT"}


def story(test):
    def run_it(tmp_path: Path) -> None:
        async def run() -> None:
            async with running(tmp_path / "data") as venue:
                await furnish(venue)
                await test(venue)
                assert await venue.ok(0, "ping") == {}
        asyncio.run(run())
    return run_it


@story
async def test_methods_act_for_the_account_that_is_named(venue: Running) -> None:
    placed = await venue.ok(ALICE, "order.place", **limit("BUY", "50000", "0.5", newClientOrderId="a"))
    assert placed["status"] == "NEW"
    assert (await venue.ok(ALICE, "order.status", **BTC, orderId=placed["orderId"]))["clientOrderId"] == "a"
    assert (await venue.call(BOB, "order.status", **BTC, orderId=placed["orderId"]))[1]["code"] == -2013
    assert await venue.call(BOB, "order.cancel", **BTC, origClientOrderId="a") == (
        400, {"code": -2011, "msg": "Unknown order sent."})
    assert (await venue.ok(ALICE, "openOrders.cancelAll", **BTC))[0]["status"] == "CANCELED"
    assert await venue.call(ALICE, "order.place", **limit("BUY", "x", "1")) == (400, {
        "code": -1100, "msg": r"Illegal characters found in parameter 'price'; "
                              r"legal range is '^([0-9]{1,20})(\.[0-9]{1,20})?$'."})
    assert (await venue.call(99, "account.status"))[0] == 401
    assert (await venue.call(99, "order.place", **limit("BUY", "50000", "1")))[1]["code"] == -2015
    for method in ("session.logon", "userDataStream.subscribe", "nothing", ""):
        assert await venue.call(ALICE, method) == (400, {"code": -1020, "msg": "This operation is not supported."})


@story
async def test_calls_of_one_pass_share_a_frame(venue: Running) -> None:
    frames = []
    venue.server.venue.engine.listen(lambda frame, events: frames.append(frame.count))
    calls = [venue.door.post(ALICE, "order.place", limit("BUY", "50000", "0.001")) for _ in range(40)]
    calls.append(venue.door.post(ALICE, "openOrders.status", {}))
    answers = await asyncio.gather(*calls)
    assert [status for status, _ in answers] == [200] * 41 and frames == [40]
    assert len(msgspec.json.decode(answers[-1][1])) == 40


@story
async def test_more_calls_than_a_message_holds(venue: Running) -> None:
    answers = await asyncio.gather(*(venue.call(0, "time") for _ in range(1000)))
    assert {status for status, _ in answers} == {200}


@story
async def test_status_and_catalog(venue: Running) -> None:
    engine = venue.server.venue.engine
    status = await venue.ok(0, "engine.status")
    assert status == {"seq": engine.seq, "durableSeq": engine.durable_seq, "epoch": 1,
                      "stateHash": engine.core.state_hash()}
    del status["stateHash"]
    assert await venue.ok(0, "engine.position") == status
    catalog = await venue.ok(0, "engine.catalog")
    assert catalog["assets"] == [{"id": 1, "code": "BTC", "scale": 8}, {"id": 2, "code": "USDT", "scale": 8}]
    assert msgspec.convert(catalog["instruments"], list[Instrument]) == list(engine.catalog.by_id.values())


@story
async def test_money_through_the_door(venue: Running) -> None:
    await venue.ok(0, "admin.credit", account=ALICE, asset="USDT", amount="0.00000001", reference="deposit 7")
    assert venue.core.balance(ALICE, 2) == (10**14 + 1, 0)
    await venue.ok(0, "admin.debit", account=ALICE, asset=2, amount="1000000.00000001")
    assert venue.core.balance(ALICE, 2) == (0, 0)
    poor = await venue.call(0, "admin.debit", account=ALICE, asset="USDT", amount="0.00000001")
    assert poor[1]["code"] == -2010
    for params, code in (
            ({"account": ALICE, "asset": "EUR", "amount": "1"}, -1130), ({"account": ALICE, "asset": "BTC"}, -1102),
            ({"account": ALICE, "asset": "BTC", "amount": "-1"}, -1100),
            ({"account": ALICE, "asset": "BTC", "amount": "0.000000001"}, -1100),
            ({"account": "x", "asset": "BTC", "amount": "1"}, -1100),
            ({"account": 2**32, "asset": "BTC", "amount": "1"}, -1130),
            ({"account": ALICE, "asset": "BTC", "amount": "1", "reference": "x" * 37}, -1130),
            ({"account": ALICE, "asset": "BTC", "amount": "1", "more": 1}, -1104)):
        status, error = await venue.call(0, "admin.credit", **params)
        assert (status, error["code"]) == (400, code), params
    venue.core.check()


@story
async def test_instruments_that_cannot_be_shown_are_refused(venue: Running) -> None:
    terms = {"instrument": 2, "symbol": "X", "base_asset": "BTC", "quote_asset": "USDT", "lot_value": 10_000,
             "tick_value": 100}
    for change, word in (({"tick_value": 0}, "tick_value"), ({"lot_value": 3}, "tick_value"),
                         ({"max_ticks": 2**62, "tick_value": 101}, "max_ticks"), ({"symbol": "x" * 37}, "37 bytes"),
                         ({"min_lots": 5, "max_lots": 4}, "BAD_COMMAND"), ({"instrument": 2**33}, "outside")):
        status, error = await venue.call(0, "admin.instrument", **terms | change)
        assert status == 400 and word in error["msg"], (change, error)
    await venue.ok(0, "admin.instrument", **terms)
    info = await venue.ok(0, "exchangeInfo")
    assert [row["symbol"] for row in info["symbols"]] == ["BTCUSDT", "X"]
    seq = venue.core.seq
    assert (await venue.call(0, "admin.asset", asset=1, code="ETH", scale=3))[0] != 200
    assert (await venue.call(0, "admin.asset", asset=3, code="Ä", scale=8))[0] == 400
    assert (await venue.call(0, "admin.asset", asset=3, code="ETH", scale=300))[0] == 400
    assert (await venue.call(0, "admin.account", account=1, status=9))[0] != 200
    assert venue.core.seq >= seq


@story
async def test_the_socket_is_private(venue: Running) -> None:
    path = venue.server.venue.config.paths.door
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("message", [
    struct.pack("<I", 2**31) + b"x",
    *(struct.pack("<I", len(body)) + body for body in (
        b"", b"x", b"{}", b"[1]", b"[[1,2,\"ping\"]]", b"[[1,2,\"ping\",[]]]", b"[[1,-1,\"ping\",{}]]",
        b"[[1,4294967296,\"ping\",{}]]", b"[[\"1\",2,\"ping\",{}]]", b"\xff",
        b"[[1,2,\"\xff\",{}]]", b"[" * 200_000)),
])
def test_a_message_that_cannot_be_read_ends_the_connection(tmp_path, message):
    async def run() -> None:
        async with running(tmp_path / "data") as venue:
            reader, writer = await asyncio.open_unix_connection(str(venue.server.venue.config.paths.door))
            writer.write(message)
            assert await reader.read() == b""
            writer.close()
            assert await venue.ok(0, "ping") == {}
    asyncio.run(run())


def test_a_client_outlives_the_exchange(tmp_path):
    async def run() -> None:
        async with running(tmp_path / "data") as venue:
            await furnish(venue)
            client = await DoorClient.connect(venue.server.venue.config.paths.door)
            assert (await client.call(0, "ping", {}))[0] == 200
        await until(lambda: not client.connected)
        status, body = await client.call(0, "ping", {})
        assert (status, msgspec.json.decode(body)["code"]) == (503, -1001) and not client.connected
        async with running(tmp_path / "data"):
            await until(lambda: client.connected)
            assert (await client.call(ALICE, "account.status", {}))[0] == 200
        await client.close()
    asyncio.run(run())


def test_a_client_says_what_it_does_not_know(tmp_path):
    """No answer in time, a lost connection, too many calls: a status for each, never an exception."""
    async def run() -> None:
        path = tmp_path / "silent.sock"
        hang_up = asyncio.Event()

        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            await hang_up.wait()
            writer.close()

        server = await asyncio.start_unix_server(silent, str(path))
        client = await DoorClient.connect(path, calls_max=2, reply_seconds_max=0.2)
        calls = [client.post(0, "ping", {}) for _ in range(3)]
        answers = [(status, json.loads(bytes(body))["code"]) for status, body in await asyncio.gather(*calls)]
        assert answers == [(503, -1007), (503, -1007), (429, -1003)]
        patient = await DoorClient.connect(path)
        call = patient.post(0, "ping", {})
        await asyncio.sleep(0)
        hang_up.set()
        assert json.loads(bytes((await call)[1]))["code"] == -1007
        await client.close()
        await patient.close()
        server.close()
        await server.wait_closed()
        with pytest.raises(ConnectionError, match="is it running"):
            await DoorClient.connect(path, timeout_s=0.1)
    asyncio.run(run())


def test_orders_survive_a_killed_connection(tmp_path):
    """What was sent before the caller vanished is carried out."""
    async def run() -> None:
        async with running(tmp_path / "data") as venue:
            await furnish(venue)
            client = await DoorClient.connect(load_config(None, data_dir=str(tmp_path / "data")).paths.door)
            client.post(ALICE, "order.place", limit("BUY", "50000", "0.5", newClientOrderId="a"))
            await asyncio.sleep(0)
            await client.close()
            await until(lambda: len(np.frombuffer(venue.core.open_orders(ALICE), np.uint8)))
            assert (await venue.ok(ALICE, "order.status", **BTC, origClientOrderId="a"))["status"] == "NEW"
    asyncio.run(run())
