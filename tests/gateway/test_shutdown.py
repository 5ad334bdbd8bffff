"""The end of a process as its clients see it: announced, with time to go, and nothing taken without an answer."""
import asyncio
import contextlib
import json
import socket
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import websockets
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedOK

from engine.config import Limits
from engine.market_channels import Kind
from gateway.feed import serve
from gateway.rest.server import serve_http
from tests.gateway.feed_kit import Client as Subscriber
from tests.gateway.feed_kit import FeedKit, run_feed, url_of
from tests.gateway.running import ALICE, Client, furnish, limit, running
from tests.support.waiting import SECONDS_MAX


def test_order_entry_goes_on_until_its_clients_have_gone(tmp_path):
    async def story() -> None:
        async with running(tmp_path / "data", limits={"shutdown_notice_seconds": SECONDS_MAX}) as venue:
            await furnish(venue)
            url = venue.server.url
            async with connect(url, compression=None) as socket:
                client = Client(socket, venue.keys[ALICE])
                await client.ok("ping", signed=False)
                ending = asyncio.create_task(venue.server.drain())
                event = json.loads(await socket.recv())["event"]
                assert event["e"] == "serverShutdown" and event["E"] > 10**12
                placed = await client.ok("order.place", **limit("BUY", "50000", "0.1"))
                assert placed["status"] == "NEW" and not ending.done()
                with pytest.raises(OSError):
                    await connect(url)
            await ending   # long before its time
    asyncio.run(story())


def test_who_stays_is_closed_after_all_answers(tmp_path):
    """Orders sent without waiting are each answered, then comes 1001 with the reason; one announcement only."""
    async def story() -> None:
        async with running(tmp_path / "data", limits={"shutdown_notice_seconds": 0.3}) as venue:
            await furnish(venue)
            async with connect(venue.server.url, compression=None) as socket:
                client = Client(socket, venue.keys[ALICE])
                await client.ok("ping", signed=False)
                ending = asyncio.create_task(venue.server.drain())
                sent = [await client.send("order.place", **limit("BUY", "50000", "0.001")) for _ in range(100)]
                await ending
                stopping = asyncio.create_task(venue.server.stop())
                messages = []
                with pytest.raises(ConnectionClosedOK):
                    while True:
                        messages.append(json.loads(await socket.recv()))
                await stopping
                assert [message["id"] for message in messages if "id" in message] == sent
                assert sum("event" in message for message in messages) == 1
                assert (socket.close_code, socket.close_reason) == (1001, "shutting down")
    asyncio.run(story())


def test_http_refuses_by_name_and_answers_what_it_had_begun():
    """On old connections and new ones; the process ends when its customers have gone."""
    async def story() -> None:
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def app(scope: Any, receive: Any, send: Any) -> None:
            begun.set()
            await go_on.wait()
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
            await send({"type": "http.response.body", "body": b"{}"})
        port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        serving = asyncio.create_task(serve_http(
            app, "127.0.0.1", 0, Limits(shutdown_notice_seconds=SECONDS_MAX), port.set_result))
        url = f"http://127.0.0.1:{await port}/api/v3/ping"
        async with httpx.AsyncClient(timeout=SECONDS_MAX) as old, httpx.AsyncClient() as new:
            first = asyncio.create_task(old.get(url))
            await begun.wait()
            serving.cancel()
            assert await _refused(new, url)
            assert not serving.done() and not first.done()
            go_on.set()
            assert (await first).text == "{}"
            assert await _refused(old, url)
        with contextlib.suppress(asyncio.CancelledError):
            async with asyncio.timeout(SECONDS_MAX / 2):
                await serving
    asyncio.run(story())


async def _refused(client: httpx.AsyncClient, url: str) -> bool:
    answer = await client.get(url)
    assert (answer.status_code, answer.json()["code"]) == (503, -1001)
    assert answer.headers["retry-after"] == f"{SECONDS_MAX:.0f}" and answer.headers["connection"] == "close"
    return True


def test_streams_go_on_during_the_notice(capsys):
    async def story(kit: FeedKit) -> None:
        async with kit.client("/ws/btcusdt@trade") as socket:
            client = Subscriber(socket)
            await client.ask("LIST_SUBSCRIPTIONS")
            ending = asyncio.create_task(kit.stop())
            assert (await client.read())["e"] == "serverShutdown"
            kit.say("BTCUSDT", (Kind.TRADE, {"t": 1}))
            assert await client.read() == {"t": 1}
            with pytest.raises(OSError):
                await kit.client("/ws")
            assert not ending.done()
        await ending
    run_feed(capsys, story, shutdown_notice_seconds=SECONDS_MAX)


def test_processes_share_a_port_and_one_goes_without_the_others(capsys):
    """Connections fall to both, all hear the same; those of the one that ends are told, and find the other one."""
    async def story(kit: FeedKit) -> None:
        config = kit.config
        port = urlsplit(kit.url).port
        second = asyncio.create_task(serve(type(config)(
            data_dir=config.data_dir, redis=config.redis, limits=config.limits,
            feed=type(config.feed)(port=port, processes=2))))
        assert await url_of(capsys, second) == f"{kit.url}/ws"
        await kit.linked(2)
        sockets = [await kit.client("/ws/btcusdt@trade") for _ in range(40)]
        kit.say("BTCUSDT", (Kind.TRADE, {"t": 1}))
        assert [await Subscriber(client).read() for client in sockets] == 40 * [{"t": 1}]
        second.cancel()
        await asyncio.wait([second])
        told = [await _told(socket) for socket in sockets]
        assert 0 < told.count(True) < 40
        for _ in range(5):
            async with kit.client("/ws/btcusdt@trade") as late:
                await Subscriber(late).ask("LIST_SUBSCRIPTIONS")
        kit.say("BTCUSDT", (Kind.TRADE, {"t": 2}))
        for client, gone in zip(sockets, told, strict=True):
            if not gone:
                assert await Subscriber(client).read() == {"t": 2}
            await client.close()
    run_feed(capsys, story, feed_settings={"processes": 2})


async def _told(client: websockets.ClientConnection) -> bool:
    """Whether the process of this connection has announced its end: those of the other one answer a question."""
    try:
        await client.send(json.dumps({"method": "LIST_SUBSCRIPTIONS", "params": [], "id": 1}))
        return json.loads(await client.recv()).get("e") == "serverShutdown"
    except websockets.ConnectionClosed:
        return True


def test_a_port_of_a_single_process_is_its_own(capsys):
    async def story(kit: FeedKit) -> None:
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            with pytest.raises(OSError):
                other.bind(("127.0.0.1", urlsplit(kit.url).port))
    run_feed(capsys, story)
