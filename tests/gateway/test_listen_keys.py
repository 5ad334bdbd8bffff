"""Listen keys: made over HTTP or WebSocket, heard on the market listener in both wrappings, kept alive, ended."""
import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import uvloop
import websockets

from gateway.feed import serve
from gateway.listen_keys import ListenKeys
from gateway.listen_words import ENDED, STARTED
from gateway.user_events import UserStreams
from tests.gateway.feed_kit import Client, url_of
from tests.gateway.rest_kit import RestClient, rest
from tests.gateway.running import ALICE, BOB, Running, furnish, limit, running
from tests.support.waiting import STORY_SECONDS_MAX, until

UNKNOWN_KEY = (400, -1125, "This listenKey does not exist.")


class Kit:
    """An exchange, REST and a feed (without Redis) in one loop."""

    def __init__(self, venue: Running, port: int, url: str) -> None:
        self.venue, self.port, self.feed_url = venue, port, url.removesuffix("/ws")

    def rest(self, account: int) -> RestClient:
        """Over HTTP."""
        return RestClient(self.port, self.venue.keys[account])

    def feed(self, path: str) -> websockets.connect:
        """On the listener of market streams."""
        return websockets.connect(self.feed_url + path, compression=None)


def with_kit(tmp_path: Path, capsys: pytest.CaptureFixture[str], story: Callable[[Kit], Awaitable[None]],
             **limits: object) -> None:
    async def main() -> None:
        redis = {"url": f"unix://{tmp_path}/none.sock"}
        async with running(tmp_path / "data", redis=redis, feed={"port": 0}, limits=limits) as venue:
            await furnish(venue)
            config = venue.server.venue.config
            feed = asyncio.create_task(serve(config))
            try:
                async with rest(config) as port, asyncio.timeout(STORY_SECONDS_MAX):
                    await story(Kit(venue, port, await url_of(capsys, feed)))
            finally:
                feed.cancel()
                await asyncio.wait([feed])
    uvloop.run(main())


async def new_key(kit: Kit, account: int) -> str:
    async with kit.rest(account) as client:
        return str((await client.ok("POST", "userDataStream", public=True))["listenKey"])


def test_events_come_raw_and_combined_to_the_owner_of_the_key_only(tmp_path, capsys):
    async def story(kit: Kit) -> None:
        alice, bob = await new_key(kit, ALICE), await new_key(kit, BOB)
        assert len(alice) == 64 and alice != bob == await new_key(kit, BOB)
        async with (kit.feed(f"/ws/{alice}") as raw, kit.feed(f"/stream?streams={alice}") as combined,
                    kit.feed("/stream") as asked, kit.feed(f"/ws/{bob}") as other):
            assert await Client(asked).ask("SUBSCRIBE", alice) == {"result": None, "id": 1}
            assert await Client(asked).ask("LIST_SUBSCRIPTIONS") == {"result": [alice], "id": 1}
            placed = await kit.venue.ok(ALICE, "order.place", **limit("BUY", "50000", "0.5"))
            report, position = await Client(raw).read(), await Client(raw).read()
            assert (report["e"], report["i"], report["X"]) == ("executionReport", placed["orderId"], "NEW")
            assert position["e"] == "outboundAccountPosition"
            for socket in (combined, asked):
                assert await Client(socket).read() == {"stream": alice, "data": report}
                assert await Client(socket).read() == {"stream": alice, "data": position}
            await Client(other).quiet()
    with_kit(tmp_path, capsys, story)


def test_nothing_is_missed_between_the_handshake_and_the_first_order(tmp_path, capsys):
    async def story(kit: Kit) -> None:
        for number in range(20):
            key = await new_key(kit, ALICE)
            async with kit.feed(f"/ws/{key}") as socket:
                placed = await kit.venue.ok(ALICE, "order.place", **limit("BUY", "50000", "0.01"))
                assert (await Client(socket).read())["i"] == placed["orderId"], number
            async with kit.rest(ALICE) as client:
                assert await client.ok("DELETE", "userDataStream", public=True, listenKey=key) == {}
    with_kit(tmp_path, capsys, story)


def test_what_ends_a_key(tmp_path, capsys):
    """DELETE ends it without a word, its time ends it with an event."""
    async def story(kit: Kit) -> None:
        alice = await new_key(kit, ALICE)
        async with kit.rest(ALICE) as client, kit.rest(BOB) as other, kit.feed(f"/ws/{alice}") as socket:
            assert await other.error("PUT", "userDataStream", public=True, listenKey=alice) == UNKNOWN_KEY
            assert (await client.error("PUT", "userDataStream", public=True))[1] == -1102
            assert await client.ok("DELETE", "userDataStream", public=True, listenKey=alice) == {}
            assert await Client(socket).close_code() == 1008
            assert await client.error("PUT", "userDataStream", public=True, listenKey=alice) == UNKNOWN_KEY
        bob = await new_key(kit, BOB)
        async with kit.rest(BOB) as client, kit.feed(f"/ws/{bob}") as socket:
            assert await client.ok("PUT", "userDataStream", public=True, listenKey=bob) == {}
            event = await Client(socket).read()
            assert (event["e"], event["listenKey"]) == ("listenKeyExpired", bob)
            assert await Client(socket).close_code() == 1008
            assert await client.error("DELETE", "userDataStream", public=True, listenKey=bob) == UNKNOWN_KEY
    with_kit(tmp_path, capsys, story, listen_key_seconds=2.5)


def test_a_key_kept_alive_lives_on():
    """The one kept alive last is the last to end, and none ends before its time."""
    async def story() -> None:
        told: list[tuple[str, str]] = []
        keys = ListenKeys(UserStreams(), 0.4)
        keys.listeners.append(lambda word, key, payload: told.append((word, key)))
        first, second = (json.loads(keys.start(account, {}, 1))["listenKey"] for account in (ALICE, BOB))
        begun = asyncio.get_running_loop().time()
        assert keys.ping(ALICE, {"listenKey": first}, 1) == b"{}"
        assert keys.known == [second, first]
        await until(lambda: not keys.known)
        assert asyncio.get_running_loop().time() - begun >= 0.4
        assert told == [(STARTED, first), (STARTED, second), (ENDED, second), (ENDED, first)]
    asyncio.run(story())


def test_a_key_that_never_was_is_told_so_and_streams_beside_it_stay(tmp_path, capsys):
    async def story(kit: Kit) -> None:
        key = "0" * 64
        async with kit.feed(f"/ws/{key}") as alone, kit.feed(f"/ws/{key}/btcusdt@trade") as beside:
            assert await Client(alone).close_code() == 1008
            while (names := (await Client(beside).ask("LIST_SUBSCRIPTIONS"))["result"]) != ["btcusdt@trade"]:
                assert names == [key, "btcusdt@trade"]
                await asyncio.sleep(0.01)
    with_kit(tmp_path, capsys, story, handshake_seconds_max=0.3)


def test_over_websocket_a_key_is_named_and_nothing_signed(tmp_path, capsys):
    async def story(kit: Kit) -> None:
        async with kit.venue.client(ALICE) as client:
            api_key = kit.venue.keys[ALICE].api_key
            key = (await client.ok("userDataStream.start", signed=False, apiKey=api_key))["listenKey"]
            assert await client.ok("userDataStream.ping", signed=False, apiKey=api_key, listenKey=key) == {}
            assert (await client.error("userDataStream.start", signed=False))[:2] == (401, -2014)
            assert (await client.error("userDataStream.start", signed=False, apiKey="x" * 64))[:2] == (401, -2015)
            assert await client.ok("userDataStream.stop", signed=False, apiKey=api_key, listenKey=key) == {}
            assert await client.error("userDataStream.stop", signed=False, apiKey=api_key,
                                      listenKey=key) == UNKNOWN_KEY
    with_kit(tmp_path, capsys, story)


def test_who_listened_is_parted_with_when_the_exchange_is_gone(tmp_path, capsys):
    async def main() -> None:
        redis: dict[str, Any] = {"url": f"unix://{tmp_path}/none.sock"}
        async with running(tmp_path / "data", redis=redis, feed={"port": 0}) as venue:
            await furnish(venue)
            feed = asyncio.create_task(serve(venue.server.venue.config))
            url = (await url_of(capsys, feed)).removesuffix("/ws")
            key = (await venue.ok(ALICE, "userDataStream.start"))["listenKey"]
            socket = await websockets.connect(f"{url}/ws/{key}", compression=None)
            await venue.ok(ALICE, "order.place", **limit("BUY", "50000", "0.01"))
            assert json.loads(await socket.recv())["e"] == "executionReport"
        assert await Client(socket).close_code() == 1013
        feed.cancel()
        await asyncio.wait([feed])
    uvloop.run(main())


def test_a_key_does_not_outlive_the_exchange_process(tmp_path):
    """Over HTTP and the WebSocket API it is not known any more; a new one is to be had."""
    async def story() -> None:
        redis = {"url": f"unix://{tmp_path}/none.sock"}
        async with running(tmp_path / "data", redis=redis, feed={"port": 0}) as venue:
            await furnish(venue)
            keys = venue.keys
            async with venue.client(ALICE) as alice:
                old = (await alice.ok("userDataStream.start", signed=False, apiKey=keys[ALICE].api_key))["listenKey"]
        async with running(tmp_path / "data", redis=redis, feed={"port": 0}) as venue:
            venue.keys |= keys
            config = venue.server.venue.config
            async with rest(config) as port, venue.client(ALICE) as alice, asyncio.timeout(STORY_SECONDS_MAX):
                asked = {"signed": False, "apiKey": keys[ALICE].api_key, "listenKey": old}
                assert await alice.error("userDataStream.ping", **asked) == UNKNOWN_KEY
                async with RestClient(port, keys[ALICE]) as client:
                    for verb in ("PUT", "DELETE"):
                        assert await client.error(verb, "userDataStream", public=True, listenKey=old) == UNKNOWN_KEY
                    new = (await client.ok("POST", "userDataStream", public=True))["listenKey"]
                    assert new != old
                    await client.ok("PUT", "userDataStream", public=True, listenKey=new)
    uvloop.run(story())
