"""`idempotent` orders as customers see them: sent again they are refused and named, open or ended, after a start."""
import asyncio
from pathlib import Path
from typing import Any

from tests.gateway.running import ALICE, BOB, Client, furnish, limit, running
from tests.gateway.test_self_trade import story

BTC = {"symbol": "BTCUSDT"}
DUPLICATE = "Duplicate order sent."


def once(side: str = "SELL", price: str = "50000", **more: Any) -> dict[str, Any]:
    return {**limit(side, price, "0.1"), "newClientOrderId": "mine", "idempotent": "true", **more}


async def refused(client: Client, method: str = "order.place", **params: Any) -> tuple[int, str, int]:
    message = await client.call(method, **params)
    error = message["error"]
    assert message["status"] == 400
    return error["code"], error["msg"], error["data"]["orderId"]


@story
async def test_sent_again_it_trades_once(venue: Any, alice: Client, bob: Client) -> None:
    order_id = (await alice.ok("order.place", **once()))["orderId"]
    assert await refused(alice, **once()) == (-2010, DUPLICATE, order_id)
    await bob.ok("order.place", **limit("BUY", "50000", "0.1"))
    assert await refused(alice, **once(idempotent=True)) == (-2010, DUPLICATE, order_id)
    assert await refused(alice, **once(price="50001")) == (
        -2010, "Client order id was used for another order.", order_id)
    found = await alice.ok("order.status", **BTC, origClientOrderId="mine")
    assert (found["orderId"], found["status"], found["executedQty"]) == (order_id, "FILLED", "0.10000000")


@story
async def test_without_it_an_id_is_free_when_its_order_has_ended(venue: Any, alice: Client, bob: Client) -> None:
    for flag in ({}, {"idempotent": "false"}):
        await alice.ok("order.place", **limit("BUY", "50000", "0.1"), newClientOrderId="mine", **flag)
        assert (await alice.error("order.place", **once("BUY")))[2] == DUPLICATE, "the open one is not idempotent"
        await alice.ok("order.cancel", **BTC, origClientOrderId="mine")


@story
async def test_a_replacement_sent_again_changes_nothing(venue: Any, alice: Client, bob: Client) -> None:
    for mode in ("ALLOW_FAILURE", "STOP_ON_FAILURE"):
        old = (await alice.ok("order.place", **limit("SELL", "51000", "0.1")))["orderId"]
        request = once(price="50500", cancelReplaceMode=mode, cancelOrderId=old, newClientOrderId=mode)
        new = (await alice.ok("order.cancelReplace", **request))["newOrderResponse"]["orderId"]
        await bob.ok("order.place", **limit("BUY", "50500", "0.1"))
        assert await refused(alice, "order.cancelReplace", **request) == (-2010, DUPLICATE, new)
        assert await alice.ok("openOrders.status") == []
    message = await alice.call("order.cancelReplace", **request | {"newClientOrderId": "other"})
    data = message["error"]["data"]
    assert (message["error"]["code"], data["cancelResponse"]["code"], data["newOrderResult"]) == (
        -2022, -2011, "NOT_ATTEMPTED")


@story
async def test_what_it_needs(venue: Any, alice: Client, bob: Client) -> None:
    nameless = once()
    del nameless["newClientOrderId"]
    assert (await alice.error("order.place", **nameless))[1] == -1102
    assert (await alice.error("order.place", **once(idempotent="yes")))[1] == -1130
    assert await alice.ok("order.test", **once()) == {}


def test_it_is_remembered_through_a_restart_as_long_as_configured(tmp_path: Path) -> None:
    async def run() -> None:
        async with running(tmp_path / "data") as venue:
            await furnish(venue)
            keys = venue.keys
            async with venue.client(ALICE) as alice, venue.client(BOB) as bob:
                order_id = (await alice.ok("order.place", **once()))["orderId"]
                await bob.ok("order.place", **limit("BUY", "50000", "0.1"))
        async with running(tmp_path / "data", core={"remembered_client_ids": 100_000}) as venue:
            venue.keys, seq = keys, venue.core.seq
            async with venue.client(ALICE) as alice:
                assert await refused(alice, **once()) == (-2010, DUPLICATE, order_id)
                assert venue.core.seq == seq + 1, "a rule that is as configured is not told again"
        async with running(tmp_path / "data", core={"remembered_client_ids": 0}) as venue:
            venue.keys = keys
            assert (venue.core.remembered_max, venue.core.remembered_count) == (0, 0)
            async with venue.client(ALICE) as alice:
                assert (await alice.error("order.place", **once()))[1] == -1008
    asyncio.run(run())
