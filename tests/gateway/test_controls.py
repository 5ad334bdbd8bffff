"""The operator's controls at the door: kill switch, protection and auctions, and what customers see of them."""
import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.gateway.running import ALICE, BOB, Client, Running, furnish, limit, running

STOP = {"symbol": "BTCUSDT", "side": "SELL", "type": "STOP_LOSS", "quantity": "0.01", "stopPrice": "40000"}
Story = Callable[[Running, Client, Client], Awaitable[None]]


def story(test: Story) -> Callable[[Path], None]:
    def run_it(tmp_path: Path) -> None:
        async def run() -> None:
            async with running(tmp_path / "data") as venue:
                await furnish(venue)
                async with venue.client(ALICE) as alice, venue.client(BOB) as bob:
                    await test(venue, alice, bob)
        asyncio.run(run())
    run_it.__doc__ = test.__doc__
    return run_it


async def symbol(venue: Running) -> dict[str, Any]:
    (row,) = (await venue.ok(0, "exchangeInfo"))["symbols"]
    return dict(row)


@story
async def test_the_kill_switch_ends_orders_and_lets_none_in(venue: Running, alice: Client, bob: Client) -> None:
    await alice.ok("order.place", **limit("BUY", "100", "1"))
    assert (await venue.ok(0, "admin.kill", account=ALICE, cancel="true"))["seq"] > 0
    assert await alice.ok("openOrders.status") == []
    assert (await alice.error("order.place", **limit("BUY", "100", "1")))[:2] == (400, -2010)
    assert (await bob.ok("order.place", **limit("BUY", "100", "1")))["status"] == "NEW"
    await venue.ok(0, "admin.kill", account=ALICE, on="false")
    assert (await alice.ok("order.place", **limit("BUY", "100", "1")))["status"] == "NEW"
    await venue.ok(0, "admin.kill")
    assert (await bob.error("order.place", **limit("BUY", "100", "1")))[:2] == (400, -2010)
    assert len(await bob.ok("openOrders.status")) == 1


@story
async def test_the_number_of_stops_is_limited_and_shown(venue: Running, alice: Client, bob: Client) -> None:
    assert "MAX_NUM_ALGO_ORDERS" not in [row["filterType"] for row in (await symbol(venue))["filters"]]
    await venue.ok(0, "admin.protection", instrument=1, stops_max=2)
    assert (await symbol(venue))["filters"][-1] == {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": 2}
    await bob.ok("order.place", **limit("SELL", "50000", "1"))
    await alice.ok("order.place", **limit("BUY", "50000", "1"))
    for _ in range(2):
        await alice.ok("order.place", **STOP)
    assert await alice.error("order.place", **STOP) == (400, -1013, "Filter failure: MAX_NUM_ALGO_ORDERS")
    await venue.ok(0, "admin.protection", instrument=1)
    await alice.ok("order.place", **STOP)


@story
async def test_an_auction_collects_and_uncrosses_at_one_price(venue: Running, alice: Client, bob: Client) -> None:
    await venue.ok(0, "admin.auction", instrument=1, step="START")
    assert (await symbol(venue))["status"] == "AUCTION_MATCH"
    await alice.ok("order.place", **limit("BUY", "102", "1"))
    await bob.ok("order.place", **limit("SELL", "100", "1"))
    assert (await alice.error("order.place", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="1"))[1] == -2010
    assert len(await alice.ok("openOrders.status")) == 1
    await venue.ok(0, "admin.auction", instrument=1, step="UNCROSS")
    assert (await symbol(venue))["status"] == "TRADING"
    assert await alice.ok("openOrders.status") == await bob.ok("openOrders.status") == []
    (trade,) = await alice.ok("trades.recent", signed=False, symbol="BTCUSDT")
    assert trade["qty"] == "1.00000000" and 100 <= float(trade["price"]) <= 102


@story
async def test_what_is_wrong_is_refused_and_named(venue: Running, alice: Client, bob: Client) -> None:
    for method, params, code in (
            ("admin.kill", {"on": "yes"}, -1130), ("admin.kill", {"surprise": 1}, -1104),
            ("admin.protection", {"stops_max": 2}, -1102), ("admin.auction", {"instrument": 1, "step": "STOP"}, -1130),
            ("admin.auction", {"instrument": 1, "step": "UNCROSS", "status": "OPEN"}, -1130)):
        status, body = await venue.call(0, method, **params)
        assert (status, body["code"]) == (400, code), (method, params)
    assert (await venue.call(0, "admin.protection", instrument=9))[0] == 400
    assert (await alice.error("admin.kill"))[:2] == (400, -1020)
