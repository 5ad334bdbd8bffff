"""Who may ask for what on a WebSocket API connection: signatures, sessions, tokens, timing, subscriptions, the URL."""
import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from gateway.keys import revoke_key
from gateway.tokens import make_token
from tests.gateway.running import ALICE, BOB, CAROL, Client, Running, furnish, limit, running, signed_params
from tests.support.waiting import until_answer

BTC = {"symbol": "BTCUSDT"}


def story(test):
    """Run (venue, connection of ALICE with an HMAC key, connection of CAROL with an Ed25519 key)."""
    def run_it(tmp_path: Path) -> None:
        async def run() -> None:
            async with running(tmp_path / "data") as venue:
                await furnish(venue)
                async with venue.client(ALICE) as alice, venue.client(CAROL) as carol:
                    await test(venue, alice, carol)
        asyncio.run(run())
    return run_it


def now_ms() -> int:
    return int(time.time() * 1000)


@story
async def test_both_kinds_of_keys_sign(venue: Running, alice: Client, carol: Client) -> None:
    assert (await alice.ok("account.status"))["uid"] == ALICE
    assert (await carol.ok("account.status"))["uid"] == CAROL
    assert (await carol.ok("order.place", **limit("BUY", "50000", "0.1")))["status"] == "NEW"


@story
async def test_many_accounts_on_one_connection(venue: Running, alice: Client, carol: Client) -> None:
    for account in (ALICE, BOB, CAROL):
        params = signed_params(venue.keys[account], limit("BUY", str(40000 + account), "0.1"))
        await alice.ok("order.place", signed=False, **params)
    depth = await alice.ok("depth", signed=False, **BTC)
    assert [price for price, _ in depth["bids"]] == ["40004.00000000", "40003.00000000", "40002.00000000"]


@story
async def test_signatures(venue: Running, alice: Client, carol: Client) -> None:
    good = signed_params(alice.key, {"recvWindow": 5000})
    assert (await alice.ok("account.status", signed=False, **good))["uid"] == ALICE
    upper = good | {"signature": good["signature"].upper()}
    assert (await alice.ok("account.status", signed=False, **upper))["uid"] == ALICE
    invalid = (400, -1022, "Signature for this request is not valid.")
    for change in ({"recvWindow": 5001}, {"extra": "1"}, {"signature": "00" * 32}, {"signature": "é"}):
        assert await alice.error("account.status", signed=False, **good | change) == invalid
    other = signed_params(carol.key, {})
    assert await carol.error(
        "account.status", signed=False, **other | {"signature": other["signature"].lower()}) == invalid


@story
async def test_what_a_signed_request_must_have(venue: Running, alice: Client, carol: Client) -> None:
    good = signed_params(alice.key, {})

    async def without(name: str) -> tuple[int, int, str]:
        return await alice.error(
            "account.status", signed=False, **{key: value for key, value in good.items() if key != name})

    assert await without("apiKey") == (401, -2014, "API-key format invalid.")
    assert (await without("signature"))[:2] == (400, -1102)
    assert (await without("timestamp"))[:2] == (400, -1102)
    unknown = await alice.error("account.status", signed=False, **good | {"apiKey": "x" * 64})
    assert unknown == (401, -2015, "Invalid API-key, IP, or permissions for action.")


@story
async def test_revoked_keys(venue: Running, alice: Client, carol: Client) -> None:
    assert revoke_key(venue.server.venue.config.paths.keys, alice.key.api_key)

    async def refused() -> bool:
        return (await alice.call("account.status"))["status"] != 200
    await until_answer(refused)
    assert (await alice.error("account.status"))[:2] == (401, -2015)


@story
async def test_a_session_ends_with_its_key(venue: Running, alice: Client, carol: Client) -> None:
    await carol.ok("session.logon")
    assert revoke_key(venue.server.venue.config.paths.keys, carol.key.api_key)

    async def refused() -> bool:
        return (await carol.call("account.status", signed=False, timestamp=now_ms()))["status"] != 200
    await until_answer(refused)
    assert (await carol.error("account.status", signed=False, timestamp=now_ms()))[:2] == (401, -2015)


@story
async def test_timing(venue: Running, alice: Client, carol: Client) -> None:
    outside = (400, -1021, "Timestamp for this request is outside of the recvWindow.")
    assert await alice.error("account.status", timestamp=now_ms() - 6000) == outside
    assert await alice.error("account.status", timestamp=now_ms() - 100, recvWindow=10) == outside
    ahead = await alice.error("account.status", timestamp=now_ms() + 60_000)
    assert ahead == (400, -1021, "Timestamp for this request was 1000ms ahead of the server's time.")
    await alice.ok("account.status", timestamp=now_ms() - 6000, recvWindow="59999.5")
    await alice.ok("account.status", timestamp=str(1000 * now_ms()))
    for timestamp in ("now", "-1", "1.5", "1e12", True, [1]):
        assert (await alice.error("account.status", timestamp=timestamp))[1] in (-1100, -1022)
    assert (await alice.error("account.status", recvWindow=60001))[:2] == (400, -1131)


@story
async def test_session_logon(venue: Running, alice: Client, carol: Client) -> None:
    before = await carol.ok("session.status", signed=False)
    assert list(before) == ["apiKey", "authorizedSince", "connectedSince", "returnRateLimits", "serverTime",
                            "userDataStream"]
    assert (before["apiKey"], before["authorizedSince"], before["userDataStream"]) == (None, None, False)
    state = await carol.ok("session.logon")
    assert state["apiKey"] == carol.key.api_key and state["authorizedSince"] >= state["connectedSince"]
    placed = await carol.ok("order.place", signed=False, **limit("BUY", "50000", "0.1"), timestamp=now_ms())
    assert placed["status"] == "NEW"
    assert (await carol.error("order.place", signed=False, **limit("BUY", "50000", "0.1")))[:2] == (400, -1102)
    late = await carol.error("account.status", signed=False, timestamp=now_ms() - 6000)
    assert late[1] == -1021
    ad_hoc = signed_params(alice.key, {})
    assert (await carol.ok("account.status", signed=False, **ad_hoc))["uid"] == ALICE
    assert (await carol.ok("account.status", signed=False, timestamp=now_ms()))["uid"] == CAROL
    assert (await carol.ok("session.logout", signed=False))["apiKey"] is None
    assert (await carol.error("account.status", signed=False, timestamp=now_ms()))[:2] == (401, -2014)


@story
async def test_what_a_session_subscribed_to_ends_with_it(venue: Running, alice: Client, carol: Client) -> None:
    """One that a signature of its own has made stays."""
    await carol.ok("session.logon")
    assert await carol.ok("userDataStream.subscribe", signed=False) == {"subscriptionId": 0}
    own = signed_params(alice.key, {})
    assert await carol.ok("userDataStream.subscribe.signature", signed=False, **own) == {"subscriptionId": 1}
    assert (await carol.ok("session.logout", signed=False))["userDataStream"] is True
    (last,) = await carol.settle()
    assert last["subscriptionId"] == 0 and last["event"].keys() == {"e", "E"}
    await alice.ok("order.place", **limit("BUY", "40000", "0.1"))
    assert {event["subscriptionId"] for event in await carol.settle()} == {1}
    await carol.ok("session.logon")
    assert await carol.ok("userDataStream.subscribe", signed=False) == {"subscriptionId": 2}


@story
async def test_logon_is_for_ed25519_keys(venue: Running, alice: Client, carol: Client) -> None:
    assert await alice.error("session.logon") == (400, -4056, "HMAC_SHA256 API key is not supported.")
    assert (await alice.error("session.logon", timestamp=now_ms() - 6000))[1] == -1021
    assert (await alice.ok("session.status", signed=False))["apiKey"] is None


@story
async def test_logon_with_a_token(venue: Running, alice: Client, carol: Client) -> None:
    config = venue.server.venue.config
    state = await alice.ok("session.logon", signed=False, token=make_token(config, BOB, 60))
    assert state["apiKey"] is None and state["authorizedSince"] is not None
    assert (await alice.ok("account.status", signed=False, timestamp=now_ms()))["uid"] == BOB
    assert await alice.ok("userDataStream.subscribe", signed=False) == {"subscriptionId": 0}
    for token in ("", "x.y.z", make_token(config, ALICE, 60)[:-2] + "xx", "x" * 10_000):
        refused = await carol.error("session.logon", signed=False, token=token)
        assert refused == (401, -2015, "Invalid API-key, IP, or permissions for action.")


@story
async def test_orders_may_follow_a_logon_at_once(venue: Running, alice: Client, carol: Client) -> None:
    await carol.send("session.logon")
    await carol.send("order.place", signed=False, **limit("BUY", "50000", "0.1"), timestamp=now_ms())
    await carol.send("userDataStream.subscribe", signed=False)
    assert [(await carol.reply())["status"] for _ in range(3)] == [200, 200, 200]


@story
async def test_subscriptions(venue: Running, alice: Client, carol: Client) -> None:
    assert (await alice.error("userDataStream.subscribe", signed=False))[:2] == (401, -1002)
    assert await alice.ok("userDataStream.subscribe.signature") == {"subscriptionId": 0}
    again = await alice.error("userDataStream.subscribe.signature")
    assert again == (400, -2035, "User Data Stream subscription already active.")
    second = signed_params(venue.keys[BOB], {})
    assert await alice.ok("userDataStream.subscribe.signature", signed=False, **second) == {"subscriptionId": 1}
    assert await alice.ok("session.subscriptions", signed=False) == [{"subscriptionId": 0}, {"subscriptionId": 1}]
    assert (await alice.ok("session.status", signed=False))["userDataStream"] is True
    await venue.ok(BOB, "order.place", **limit("BUY", "40000", "0.1"))
    assert {event["subscriptionId"] for event in await alice.settle()} == {1}
    assert await alice.ok("userDataStream.unsubscribe", signed=False, subscriptionId=0) == {}
    assert await alice.ok("session.subscriptions", signed=False) == [{"subscriptionId": 1}]
    (last,) = await alice.settle()
    assert (last["subscriptionId"], last["event"]["e"]) == (0, "eventStreamTerminated")
    gone = await alice.error("userDataStream.unsubscribe", signed=False, subscriptionId=0)
    assert gone == (400, -2036, "User Data Stream subscription not active.")
    assert await alice.ok("userDataStream.unsubscribe", signed=False) == {}
    assert (await alice.error("userDataStream.unsubscribe", signed=False))[1] == -2036
    assert await alice.ok("userDataStream.subscribe.signature") == {"subscriptionId": 2}


@story
async def test_a_closed_connection_leaves_no_subscription(venue: Running, alice: Client, carol: Client) -> None:
    await alice.ok("userDataStream.subscribe.signature")
    await alice.send("order.place", **limit("BUY", "50000", "0.1"))
    await alice.socket.close()
    await venue.ok(ALICE, "order.place", **limit("BUY", "49000", "0.1"))
    assert venue.server.venue.streams.subscribers == {}
    assert len(await venue.ok(ALICE, "openOrders.status")) == 2


@story
async def test_methods_that_are_not_there(venue: Running, alice: Client, carol: Client) -> None:
    for method in ("nothing", "v3/v3/ping", "admin.credit", "engine.status", "v3/"):
        assert await alice.error(method) == (400, -1020, "This operation is not supported.")


def test_rate_limits_are_shown_on_request(tmp_path):
    async def run() -> None:
        async with running(tmp_path / "data") as venue:
            async with venue.client(ALICE) as shown, venue.client(ALICE, "?returnRateLimits=false") as hidden:
                for client, parameter, expected in (
                        (shown, None, True), (shown, False, False), (hidden, None, False), (hidden, True, True)):
                    params: dict[str, Any] = {} if parameter is None else {"returnRateLimits": parameter}
                    for method in ("ping", "nothing"):
                        reply = await client.call(method, signed=False, **params)
                        assert ("rateLimits" in reply) is expected and reply.get("rateLimits", []) == []
                assert (await shown.error("ping", signed=False, returnRateLimits="no"))[1] == -1130
                assert (await hidden.ok("session.status", signed=False))["returnRateLimits"] is False
    asyncio.run(run())


def test_an_answer_that_could_cut_the_connection_is_not_sent(tmp_path):
    async def run() -> None:
        async with running(tmp_path / "data", limits={"write_buffer_bytes_max": 16384}) as venue:
            await furnish(venue)
            async with venue.client(ALICE) as alice:
                for number in range(30):
                    await alice.ok("order.place", **limit("BUY", str(40000 + number), "0.01", newOrderRespType="ACK"))
                assert (await alice.error("openOrders.status"))[:2] == (500, -1006)
                assert len(await venue.ok(ALICE, "openOrders.status")) == 30
                assert (await alice.error("openOrders.cancelAll", **BTC))[:2] == (500, -1006)
                assert await alice.ok("openOrders.status") == []
                assert await alice.ok("ping", signed=False) == {}
    asyncio.run(run())


def test_times_in_microseconds(tmp_path):
    async def run() -> None:
        async with running(tmp_path / "data") as venue:
            await furnish(venue)
            async with venue.client(ALICE, "?timeUnit=microsecond") as alice:
                placed = await alice.ok("order.place", **limit("BUY", "50000", "0.1"))
                assert placed["transactTime"] == venue.core.time_ns // 1000
                status = await alice.ok("order.status", **BTC, orderId=placed["orderId"])
                assert status["time"] == placed["transactTime"]
                assert (await alice.ok("time", signed=False))["serverTime"] > 10**15
    asyncio.run(run())


def test_other_paths_are_closed(tmp_path):
    async def run() -> None:
        async with running(tmp_path / "data") as venue:
            async with connect(venue.server.url.replace("/ws-api/v3", "/ws"), compression=None) as socket:
                with pytest.raises(ConnectionClosed) as caught:
                    await socket.recv()
                assert caught.value.rcvd is not None and caught.value.rcvd.code == 1008
            async with connect(venue.server.url + "/", compression=None) as socket:
                await socket.send('{"id":"1","method":"ping"}')
                assert json.loads(await socket.recv())["id"] == "1"
    asyncio.run(run())


def test_a_shutdown_is_announced(tmp_path):
    async def run() -> None:
        async with running(tmp_path / "data") as venue:
            socket = await connect(venue.server.url, compression=None)
            await Client(socket, venue.keys[ALICE]).ok("ping", signed=False)
        message = json.loads(await socket.recv())
        assert message["event"]["e"] == "serverShutdown" and message["event"]["E"] > 10**12
        with pytest.raises(ConnectionClosed) as caught:
            await socket.recv()
        assert caught.value.rcvd is not None and caught.value.rcvd.code == 1001
    asyncio.run(run())
