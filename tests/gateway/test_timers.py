"""Orders that end by themselves: dead man's timers, good till a date, cancel on disconnect; the engine's TICKs."""
import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from gateway import disconnects
from tests.gateway.rest_kit import RestClient, rest
from tests.gateway.running import ALICE, CAROL, Client, Running, furnish, limit, running
from tests.gateway.test_orders import venue_test
from tests.support.waiting import until, until_answer

BTC = {"symbol": "BTCUSDT"}


async def open_ids(venue: Running, account: int = ALICE) -> list[str]:
    return [row["clientOrderId"] for row in await venue.ok(account, "openOrders.status")]


async def ended(venue: Running, left: list[str], account: int = ALICE) -> None:
    """Wait until only these orders are open."""
    async def so() -> bool:
        return await open_ids(venue, account) == left
    await until_answer(so)


def in_ms(later_ms: int) -> int:
    return time.time_ns() // 10**6 + later_ms


@venue_test
async def test_a_timer_ends_everything_unless_it_is_moved(venue: Running, alice: Client, bob: Client) -> None:
    await alice.ok("userDataStream.subscribe.signature")
    await bob.ok("order.place", **limit("BUY", "40000", "0.1", newClientOrderId="b"))
    await alice.ok("order.place", **limit("BUY", "40000", "0.1", newClientOrderId="a"))
    far = await alice.ok("openOrders.cancelAllAfter", countdownTime=600_000)
    assert list(far) == ["symbol", "countdownTime", "endTime"] and far["symbol"] is None
    assert 590_000 < far["endTime"] - in_ms(0) <= 600_000
    assert (await alice.ok("openOrders.cancelAllAfter", countdownTime=0))["endTime"] == 0
    await alice.ok("openOrders.cancelAllAfter", countdownTime=50, **BTC)
    await ended(venue, [])
    reports = [event["event"] for event in await alice.settle() if event["event"]["e"] == "executionReport"]
    assert [(row["x"], row["X"], row["C"]) for row in reports] == [("NEW", "NEW", ""), ("CANCELED", "CANCELED", "a")]
    assert await open_ids(venue, 3) == ["b"], "other accounts have timers of their own"


@venue_test
async def test_hostile_timers(venue: Running, alice: Client, bob: Client) -> None:
    before = venue.core.state_hash()
    for params, code in (({}, -1102), ({"countdownTime": -1}, -1100), ({"countdownTime": "x"}, -1100),
                         ({"countdownTime": 1.5}, -1100), ({"countdownTime": 10**12}, -1102),
                         ({"countdownTime": ""}, -1102),
                         ({"countdownTime": 2**63}, -1130), ({"countdownTime": 5, "symbol": "NO"}, -1121),
                         ({"countdownTime": 5, "foo": 1}, -1104)):
        assert (await alice.error("openOrders.cancelAllAfter", **params))[1] == code, params
    assert venue.core.state_hash() == before


@venue_test
async def test_over_http(venue: Running, alice: Client, bob: Client) -> None:
    await alice.ok("order.place", **limit("BUY", "40000", "0.1"))
    async with rest(venue.server.venue.config) as port, RestClient(port, venue.keys[ALICE]) as http:
        assert (await http.ok("POST", "openOrders/cancelAllAfter", countdownTime=20))["countdownTime"] == 20
    await ended(venue, [])


@venue_test
async def test_good_till_a_date(venue: Running, alice: Client, bob: Client) -> None:
    await alice.ok("userDataStream.subscribe.signature")
    placed = await alice.ok("order.place", **limit(
        "BUY", "40000", "0.1", timeInForce="GTD", goodTillDate=in_ms(100), newClientOrderId="g"))
    assert (placed["status"], placed["timeInForce"]) == ("NEW", "GTD")
    day = await alice.ok("order.place", **limit("BUY", "40000", "0.1", timeInForce="DAY", newClientOrderId="d"))
    assert day["timeInForce"] == "DAY"
    assert (await alice.ok("depth", signed=False, **BTC))["bids"][0][1] == "0.20000000"
    await ended(venue, ["d"])
    events = [event["event"] for event in await alice.settle()]
    last = [row for row in events if row["e"] == "executionReport"][-1]
    assert (last["x"], last["X"], last["c"], last["f"]) == ("EXPIRED", "EXPIRED", "g", "GTD")
    for changes, code in (({}, -1102), ({"goodTillDate": "x"}, -1100), ({"goodTillDate": 0}, -1130),
                          ({"goodTillDate": 2**62}, -1130), ({"goodTillDate": 5}, -1130),
                          ({"goodTillDate": in_ms(10_000), "timeInForce": "GTC"}, -1106)):
        found = await alice.error("order.place", **limit("BUY", "40000", "0.1", timeInForce="GTD") | changes)
        assert found[:2] == (400, code), changes
    assert await open_ids(venue) == ["d"]


@venue_test
async def test_a_lost_connection_ends_its_own_orders(venue: Running, alice: Client, bob: Client) -> None:
    """SESSION: what it placed after asking, on the fast way and on the general one; nothing placed elsewhere."""
    await venue.ok(CAROL, "order.place", **limit("BUY", "40000", "0.01", newClientOrderId="door"))
    async with venue.client(CAROL) as carol:
        await carol.ok("session.logon")
        await carol.ok("order.place", signed=False, **now(), **limit("BUY", "40000", "0.01", newClientOrderId="before"))
        assert await carol.ok("session.cancelOnDisconnect", mode="SESSION") == {"mode": "SESSION"}
        await carol.ok("order.place", signed=False, **now(), **limit("BUY", "40000", "0.01", newClientOrderId="fast"))
        await carol.ok("order.place", **limit("BUY", "40000", "0.01", newClientOrderId="slow", strategyId=7))
        assert await open_ids(venue, CAROL) == ["door", "before", "fast", "slow"]
    await ended(venue, ["door", "before"], CAROL)
    assert venue.core.timers(CAROL) == []
    async with venue.client(CAROL) as carol:
        assert await carol.ok("session.cancelOnDisconnect", mode="ACCOUNT") == {"mode": "ACCOUNT"}
    await ended(venue, [], CAROL)
    async with venue.client(CAROL) as carol:
        await carol.ok("session.cancelOnDisconnect", mode="SESSION")
        await carol.ok("order.place", **limit("BUY", "40000", "0.01", newClientOrderId="stays"))
        await carol.ok("session.cancelOnDisconnect", mode="OFF")
        for mode in ("", "session", "ALL", 1):
            assert (await carol.error("session.cancelOnDisconnect", mode=mode))[1] in (-1102, -1130)
        assert (await carol.error("session.cancelOnDisconnect", signed=False, mode="OFF"))[1] == -2014
    await until(lambda: len(venue.server.venue.sessions) == 2)
    assert await open_ids(venue, CAROL) == ["stays"]


def now() -> dict[str, int]:
    return {"timestamp": in_ms(0)}


def test_a_stopped_exchange_ends_them_when_it_runs_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(disconnects, "TIMER_SECONDS", 1)

    async def main() -> None:
        async with running(tmp_path) as venue:
            await furnish(venue)
            async with venue.client(ALICE) as alice:
                await alice.ok("session.cancelOnDisconnect", mode="SESSION")
                await alice.ok("order.place", **limit("BUY", "40000", "0.01", newClientOrderId="mine"))
                await venue.server.stop()
        async with running(tmp_path) as venue:
            await ended(venue, [])
            state: Any = await venue.ok(ALICE, "order.status", **BTC, origClientOrderId="mine")
            assert state["status"] == "CANCELED"
    asyncio.run(main())
