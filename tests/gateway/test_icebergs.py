"""Icebergs as customers see them: a part shown, all told to the owner, filled part by part, refused."""
from tests.gateway.running import Client, Running, limit
from tests.gateway.test_self_trade import reports, short, story
from tests.gateway.test_stop_orders import BTC


@story
async def test_a_part_is_shown_and_all_of_it_trades(venue: Running, alice: Client, bob: Client) -> None:
    placed = await alice.ok("order.place", **limit("SELL", "50000", "0.25", icebergQty="0.1", newClientOrderId="i"))
    assert (placed["icebergQty"], placed["origQty"], placed["status"]) == ("0.10000000", "0.25000000", "NEW")
    [new] = await reports(alice)
    assert (new["F"], new["q"], new["w"]) == ("0.10000000", "0.25000000", True)
    for quantity, shown, status in (("0.05", "0.05", "PARTIALLY_FILLED"), ("0.1", "0.05", "PARTIALLY_FILLED")):
        await bob.ok("order.place", **limit("BUY", "50000", quantity))
        assert (await alice.ok("depth", signed=False, **BTC))["asks"] == [["50000.00000000", f"{shown}000000"]]
        orders = await alice.ok("depth.l3", signed=False, **BTC)
        assert [order[:2] for order in orders["asks"]] == [["50000.00000000", f"{shown}000000"]]
        [row] = await alice.ok("openOrders.status")
        assert (row["icebergQty"], row["status"]) == ("0.10000000", status)
    gone = await alice.ok("order.cancel", **BTC, origClientOrderId="i")
    assert (gone["icebergQty"], gone["executedQty"]) == ("0.10000000", "0.15000000")
    assert {event["F"] for event in await reports(alice)} == {"0.10000000"}


@story
async def test_filled_by_one_order_and_refusals(venue: Running, alice: Client, bob: Client) -> None:
    await alice.ok("order.place", **limit("SELL", "50000", "1", icebergQty="0.01", newClientOrderId="i"))
    taken = await bob.ok("order.place", **limit("BUY", "50000", "1"))
    assert (taken["status"], taken["executedQty"]) == ("FILLED", "1.00000000")
    assert short(await reports(alice))[-1] == ("TRADE", "FILLED", "i")
    whole = await alice.ok("order.place", **limit("SELL", "50000", "0.1", icebergQty="0.1"))
    assert "icebergQty" not in whole
    for changes, found in (({"icebergQty": "0.0009"}, (400, -1013, "Filter failure: ICEBERG_PARTS")),
                           ({"icebergQty": "0.2"}, (400, -1013, "Filter failure: ICEBERG_PARTS")),
                           ({"icebergQty": "0.00001"}, (400, -1013, "Filter failure: LOT_SIZE")),
                           ({"icebergQty": "-1"}, (400, -1100)), ({"icebergQty": ""}, (400, -1102)),
                           ({"timeInForce": "IOC", "icebergQty": "0.01"}, (400, -1106))):
        assert (await alice.error("order.place", **limit("SELL", "50000", "0.1") | changes))[:len(found)] == found
