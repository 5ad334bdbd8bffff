"""Rates that are enforced: 429 with the time to wait, then 418, over WebSocket and HTTP; nothing is done above them."""
import asyncio
from pathlib import Path
from typing import Any

import pytest

from engine.config import Rates as Settings
from gateway.rates import RateRefusal, Rates
from gateway.weights import weight_of
from tests.gateway.rest_kit import RestClient, rest
from tests.gateway.running import ALICE, BOB, furnish, limit, running

BTC = {"symbol": "BTCUSDT"}


def refused(rates: Rates, address: str = "a", weight: int = 1) -> RateRefusal:
    with pytest.raises(RateRefusal) as caught:
        rates.request(address, weight)
    return caught.value


def test_weight_then_a_ban(monkeypatch: pytest.MonkeyPatch):
    now = [6000.0]
    monkeypatch.setattr("gateway.rates.time.time", lambda: now[0])
    rates = Rates(Settings(weight_minute_max=10, ban_refusals=3, ban_seconds=90))
    assert [rates.request("a", 4), rates.request("a", 6), rates.request("b", 10)] == [4, 10, 10]
    assert [refused(rates).status for _ in range(3)] == [429, 429, 429]
    assert refused(rates).status == 418
    now[0] += 60
    banned = refused(rates)
    assert (banned.status, banned.code, banned.retry_seconds) == (418, -1003, 31)
    assert banned.msg.startswith("Way too much request weight used; IP banned until 6090000.")
    assert rates.request("b", 1) == 1
    now[0] += 30
    assert rates.request("a", 1) == 1


def test_orders_of_both_windows(monkeypatch: pytest.MonkeyPatch):
    now = [86400.0 * 3]
    monkeypatch.setattr("gateway.rates.time.time", lambda: now[0])
    rates = Rates(Settings(orders_ten_seconds_max=2, orders_day_max=3))
    rates.order(2, 2)
    with pytest.raises(RateRefusal, match="-1015 Too many new orders; current limit is 2 orders per 10 S") as caught:
        rates.order(2)
    assert caught.value.retry_seconds == 10
    rates.order(3)
    now[0] += 10
    rates.order(2)
    with pytest.raises(RateRefusal, match="3 orders per 1 DAY"):
        rates.order(2)
    assert [row.count for row in rates.order_limits(2)] == [1, 3]
    now[0] += 86390
    rates.order(2, 2)


def test_nothing_is_limited_unless_it_is_said():
    rates = Rates(Settings())
    assert not rates.counts_weight and not rates.counts_orders
    assert max(rates.request("a", 250) for _ in range(1000)) == 250_000
    assert rates.weight_limits(5) == rates.order_limits(2) == []


def test_weights_are_those_of_the_routes():
    assert [weight_of(*each) for each in (
        ("ping", {}), ("depth", {"limit": "5000"}), ("openOrders.status", {}), ("openOrders.status", BTC),
        ("order.place", {}), ("session.logon", {}), ("nothing", {}), ("myTrades", {"orderId": "1"}))] == [
        1, 250, 80, 6, 1, 2, 2, 5]


def test_over_websocket_and_http(tmp_path: Path):
    async def main() -> None:
        terms = {"weight_minute_max": 900, "orders_ten_seconds_max": 3, "orders_day_max": 99, "ban_refusals": 2}
        async with running(tmp_path, rates=terms) as venue:
            await furnish(venue)
            async with venue.client(ALICE) as alice:
                info = await alice.call("exchangeInfo", signed=False)
                limits = [row["rateLimitType"] for row in info["result"]["rateLimits"]]
                assert limits == ["REQUEST_WEIGHT", "ORDERS", "ORDERS"]
                assert info["rateLimits"] == [{"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE",
                                               "intervalNum": 1, "limit": 900, "count": info["rateLimits"][0]["count"]}]
                counts = await alice.ok("account.rateLimits.orders")
                assert [(row["interval"], row["intervalNum"], row["count"]) for row in counts] == [
                    ("SECOND", 10, 0), ("DAY", 1, 0)]
                placed = [await alice.call("order.place", **limit("BUY", "50000", "0.1")) for _ in range(8)]
                good = [row for row in placed if row["status"] == 200]
                bad = [row for row in placed if row["status"] != 200]
                assert bad and 3 <= len(good) <= 6, "at most two windows of three"
                assert all(row["status"] == 429 and row["error"]["code"] == -1015 for row in bad)
                assert bad[0]["error"]["data"]["retryAfter"] > bad[0]["error"]["data"]["serverTime"]
                assert [row["rateLimitType"] for row in good[0]["rateLimits"]] == [
                    "ORDERS", "ORDERS", "REQUEST_WEIGHT"]
                assert len(await venue.ok(ALICE, "openOrders.status")) == len(good)
                for wanted in (429, 418):
                    while (await alice.call("depth", signed=False, **BTC, limit=5000))["status"] != wanted:
                        pass
            await over_http(venue)
    asyncio.run(main())


def test_an_order_too_many_can_still_cancel(tmp_path: Path):
    """order.cancelReplace with orderRateLimitExceededMode CANCEL_ONLY."""
    async def main() -> None:
        async with running(tmp_path, rates={"orders_day_max": 2}) as venue:
            await furnish(venue)
            async with venue.client(ALICE) as alice:
                for name in ("a", "b"):
                    await alice.ok("order.place", **limit("BUY", "50000", "0.1", newClientOrderId=name))
                terms = limit("BUY", "50001", "0.1", cancelOrigClientOrderId="a", cancelReplaceMode="STOP_ON_FAILURE")
                assert (await alice.error("order.cancelReplace", **terms))[:2] == (429, -1015)
                terms["orderRateLimitExceededMode"] = "CANCEL_ONLY"
                wrong = terms | {"price": "0.001"}
                assert (await alice.error("order.cancelReplace", **wrong))[1] == -1013
                assert len(await alice.ok("openOrders.status")) == 2
                done = await alice.call("order.cancelReplace", **terms)
                data = done["error"]["data"]
                assert (done["status"], done["error"]["code"]) == (409, -2021)
                assert (data["cancelResult"], data["newOrderResult"]) == ("SUCCESS", "FAILURE")
                assert data["cancelResponse"]["origClientOrderId"] == "a" and data["newOrderResponse"]["code"] == -1015
                again = await alice.call("order.cancelReplace", **terms)
                assert (again["status"], again["error"]["code"]) == (400, -2022)
                assert again["error"]["data"]["cancelResponse"]["code"] == -2011
                assert [order["clientOrderId"] for order in await alice.ok("openOrders.status")] == ["b"]
    asyncio.run(main())


async def over_http(venue: Any) -> None:
    async with rest(venue.server.venue.config) as port, RestClient(port, venue.keys[BOB]) as bob:
        answer = await bob.call("POST", "order", **limit("SELL", "60000", "0.1"))
        assert answer.status_code == 200 and int(answer.headers["X-MBX-ORDER-COUNT-1D"]) == 1
        assert [row["count"] for row in (await bob.ok("GET", "rateLimit/order"))][1] == 1
        while (late := await bob.call("POST", "order", **limit("SELL", "60000", "0.1"))).status_code == 200:
            pass
        assert late.json()["code"] == -1015 and 1 <= int(late.headers["Retry-After"]) <= 10
        for wanted in (429, 418):
            while (seen := await bob.call("GET", "depth", public=True, **BTC, limit=5000)).status_code != wanted:
                pass
            assert seen.json()["code"] == -1003 and 1 <= int(seen.headers["Retry-After"]) <= 121
