"""Order lists as customers see them: OCO, OTO, OTOCO placed, told, filled, canceled, refused."""
from typing import Any

from tests.gateway.rest_kit import RestClient, rest
from tests.gateway.running import ALICE, Client, Running, limit
from tests.gateway.test_self_trade import story
from tests.gateway.test_stop_orders import trade_at

BTC = {"symbol": "BTCUSDT"}
PAIR = {"side": "SELL", "quantity": "0.1", "aboveType": "LIMIT_MAKER", "abovePrice": "60000", "belowType": "STOP_LOSS",
        "belowStopPrice": "40000", "aboveClientOrderId": "up", "belowClientOrderId": "down",
        "listClientOrderId": "pair"}


async def told(client: Client) -> list[tuple[Any, ...]]:
    """Order and list events in short."""
    rows: list[tuple[Any, ...]] = []
    for event in (each["event"] for each in await client.settle()):
        if event["e"] == "executionReport":
            rows.append((event["x"], event["X"], event["c"]))
        elif event["e"] == "listStatus":
            rows.append((event["l"], event["L"], event["C"]))
    return rows


@story
async def test_an_oco_whose_limit_trades(venue: Running, alice: Client, bob: Client) -> None:
    await trade_at(alice, bob, "50000")
    placed = await alice.ok("orderList.place.oco", **BTC, **PAIR)
    number = placed["orderListId"]
    assert list(placed) == ["orderListId", "contingencyType", "listStatusType", "listOrderStatus", "listClientOrderId",
                            "transactionTime", "symbol", "orders", "orderReports"]
    assert (placed["contingencyType"], placed["listStatusType"], placed["listOrderStatus"]) == (
        "OCO", "EXEC_STARTED", "EXECUTING")
    assert placed["orders"] == [{**BTC, "orderId": number + 1, "clientOrderId": "down"},
                                {**BTC, "orderId": number + 2, "clientOrderId": "up"}]
    assert [(row["type"], row["status"], row["orderListId"], row["stopPrice"]) for row in placed["orderReports"]] == [
        ("STOP_LOSS", "NEW", number, "40000.00000000"), ("LIMIT_MAKER", "NEW", number, "0.00000000")]
    events = [each["event"] for each in await alice.settle()]
    assert [event["g"] for event in events if event["e"] == "executionReport"] == [number, number]
    status = next(event for event in events if event["e"] == "listStatus")
    assert list(status) == [*"eEsgclLrCTO"]
    assert status["O"] == [{"s": "BTCUSDT", "i": number + 1, "c": "down"}, {"s": "BTCUSDT", "i": number + 2, "c": "up"}]
    known = await alice.ok("orderList.status", orderListId=number)
    assert known == {name: placed[name] for name in known}
    assert await alice.ok("openOrderLists.status") == [known]
    await bob.ok("order.place", **limit("BUY", "60000", "0.1"))
    assert await told(alice) == [("TRADE", "FILLED", "up"), ("EXPIRED", "EXPIRED", "down"),
                                 ("ALL_DONE", "ALL_DONE", "pair")]
    assert await alice.ok("openOrderLists.status") == []
    assert (await alice.ok("orderList.status", origClientOrderId="pair"))["listOrderStatus"] == "ALL_DONE"
    assert [row["orderListId"] for row in await alice.ok("allOrderLists")] == [number]


@story
async def test_canceling_a_list_or_amending_and_canceling_one_leg(venue: Running, alice: Client, bob: Client) -> None:
    await trade_at(alice, bob, "50000")
    await alice.ok("orderList.place.oco", **BTC, **PAIR)
    await told(alice)
    gone = await alice.ok("orderList.cancel", **BTC, listClientOrderId="pair", newClientOrderId="bye")
    assert (gone["listStatusType"], gone["listOrderStatus"]) == ("ALL_DONE", "ALL_DONE")
    assert [row["status"] for row in gone["orderReports"]] == ["CANCELED", "CANCELED"]
    assert await told(alice) == [("CANCELED", "CANCELED", "bye")] * 2 + [("ALL_DONE", "ALL_DONE", "pair")]
    again = await alice.ok("orderList.place.oco", **BTC, **PAIR)
    amended = await alice.ok("order.amend.keepPriority", **BTC, orderId=again["orderListId"] + 1, newQty="0.05")
    assert amended["listStatus"] == {name: again[name] for name in (
        "orderListId", "contingencyType", "listOrderStatus", "listClientOrderId", "symbol", "orders")}
    left = await alice.ok("order.cancel", **BTC, orderId=again["orderListId"] + 1)
    assert left["orderListId"] == again["orderListId"]
    assert await alice.ok("openOrders.status") == []


@story
async def test_one_triggers_another(venue: Running, alice: Client, bob: Client) -> None:
    await trade_at(alice, bob, "50000")
    placed = await alice.ok(
        "orderList.place.oto", **BTC, workingType="LIMIT", workingSide="BUY", workingPrice="49000",
        workingQuantity="0.1", workingTimeInForce="GTC", pendingType="LIMIT", pendingSide="SELL", pendingPrice="55000",
        pendingQuantity="0.1", pendingTimeInForce="GTC", workingClientOrderId="w", pendingClientOrderId="p")
    assert placed["contingencyType"] == "OTO"
    assert [(row["status"], row["isWorking"]) for row in placed["orderReports"]] == [
        ("NEW", True), ("PENDING_NEW", False)]
    assert [row[1:3] for row in await told(alice) if row[0] == "NEW"][-2:] == [("NEW", "w"), ("PENDING_NEW", "p")]
    assert (await alice.ok("depth", signed=False, **BTC))["asks"] == []
    await bob.ok("order.place", **limit("SELL", "49000", "0.1"))
    assert (await alice.ok("depth", signed=False, **BTC))["asks"] == [["55000.00000000", "0.10000000"]]
    state = await alice.ok("order.status", **BTC, origClientOrderId="p")
    assert (state["status"], state["orderListId"]) == ("NEW", placed["orderListId"])
    otoco = await alice.ok(
        "orderList.place.otoco", **BTC, workingType="LIMIT", workingSide="BUY", workingPrice="49000",
        workingQuantity="0.1", workingTimeInForce="GTC", pendingSide="SELL", pendingQuantity="0.1",
        pendingAboveType="LIMIT_MAKER", pendingAbovePrice="60000", pendingBelowType="STOP_LOSS",
        pendingBelowStopPrice="40000")
    assert (len(otoco["orders"]), otoco["contingencyType"]) == (3, "OTO")
    assert [row["status"] for row in otoco["orderReports"]] == ["NEW", "PENDING_NEW", "PENDING_NEW"]
    now = otoco["transactionTime"]
    for found, span in ((otoco, {"startTime": now}), (placed, {"endTime": now - 1})):
        assert found["orderListId"] in [row["orderListId"] for row in await alice.ok("allOrderLists", **span)]
    await bob.ok("order.place", **limit("SELL", "49000", "0.1"))
    legs = [await alice.ok("order.status", **BTC, orderId=row["orderId"]) for row in otoco["orders"][1:]]
    assert [row["status"] for row in legs] == ["NEW", "NEW"]


@story
async def test_each_pending_leg_is_told_when_its_turn_comes(venue: Running, alice: Client, bob: Client) -> None:
    """As NEW when it is on the book or waits for its price, as EXPIRED alone when it is refused then."""
    await trade_at(alice, bob, "50000")
    working = {"workingType": "LIMIT", "workingSide": "BUY", "workingPrice": "49000", "workingQuantity": "0.1",
               "workingTimeInForce": "GTC", "workingClientOrderId": "w"}
    pair = {"pendingSide": "SELL", "pendingQuantity": "0.1", "pendingBelowType": "STOP_LOSS",
            "pendingBelowStopPrice": "40000", "pendingBelowClientOrderId": "down", "pendingAboveClientOrderId": "up"}
    stop = {"pendingType": "STOP_LOSS", "pendingSide": "SELL", "pendingQuantity": "0.1", "pendingClientOrderId": "p"}
    both, numbers = [("NEW", "NEW", "down"), ("NEW", "NEW", "up")], []
    for method, pending, legs in (
            ("otoco", pair | {"pendingAboveType": "TAKE_PROFIT", "pendingAboveStopPrice": "60000"}, both),
            ("otoco", pair | {"pendingAboveType": "LIMIT_MAKER", "pendingAbovePrice": "60000"}, both),
            ("oto", stop | {"pendingStopPrice": "40000"}, [("NEW", "NEW", "p")]),
            ("oto", stop | {"pendingStopPrice": "49500"}, [("EXPIRED", "EXPIRED", "p"), ("ALL_DONE",) * 2 + ("l",)])):
        await alice.ok(f"orderList.place.{method}", **BTC, **working, **pending, listClientOrderId="l")
        await alice.settle()
        await bob.ok("order.place", **limit("SELL", "49000", "0.1"))
        events = [each["event"] for each in await alice.settle()]
        reports = [event for event in events if event["e"] == "executionReport"]
        assert [(row["x"], row["X"], row["c"]) for row in reports[:1]] == [("TRADE", "FILLED", "w")]
        rows = [(row["x"], row["X"], row["c"]) if "x" in row else (row["l"], row["L"], row["C"])
                for row in events[1:] if row["e"] != "outboundAccountPosition"]
        assert rows == legs, method
        waits = [row for row in reports[1:] if row["x"] == "NEW" and row["P"] != "0.00000000"]
        assert all((row["w"], row["t"], row["l"], row["n"]) == (False, -1, "0.00000000", "0") for row in waits)
        numbers += [row["I"] for row in reports]
        await alice.call("openOrders.cancelAll", **BTC)
        await alice.settle()
    assert len(numbers) == len(set(numbers)) == 10


@story
async def test_lists_that_are_refused(venue: Running, alice: Client, bob: Client) -> None:
    await trade_at(alice, bob, "50000")
    before = venue.core.open_orders(ALICE), venue.core.account_wallets(ALICE)
    for changes, code in (
            ({"side": "HOLD"}, -1117), ({"quantity": "NaN"}, -1100), ({"quantity": "0"}, -1013),
            ({"symbol": "NO"}, -1121),
            ({"aboveType": "LIMIT_MAKERS"}, -1116), ({"abovePrice": "-1"}, -1100), ({"belowStopPrice": "1e9"}, -1100),
            ({"belowType": ""}, -1102), ({"listClientOrderId": "a b"}, -1100), ({"aboveStopPrice": "5"}, -1106),
            ({"foo": "1"}, -1104), ({"abovePrice": "40000", "belowStopPrice": "60000"}, -1013),
            ({"quantity": "5000"}, -2010), ({"belowType": "LIMIT_MAKER", "belowPrice": "1000"}, -1106)):
        assert (await alice.error("orderList.place.oco", **(BTC | PAIR | changes)))[:2] == (400, code), changes
    assert await alice.error("orderList.cancel", **BTC, orderListId=99) == (400, -2018, "Order list does not exist.")
    assert (await alice.error("orderList.status"))[1] == -1102
    assert (venue.core.open_orders(ALICE), venue.core.account_wallets(ALICE)) == before
    await alice.ok("orderList.place.oco", **BTC, **PAIR)
    assert (await alice.error("orderList.place.oco", **BTC, **PAIR))[:2] == (400, -2010), "the same client ids"
    assert (await bob.error("orderList.cancel", **BTC, listClientOrderId="pair"))[1] == -2018


@story
async def test_over_http(venue: Running, alice: Client, bob: Client) -> None:
    await trade_at(alice, bob, "50000")
    async with rest(venue.server.venue.config) as port, RestClient(port, venue.keys[ALICE]) as http:
        placed = await http.ok("POST", "orderList/oco", **BTC, **PAIR)
        assert await http.ok("GET", "openOrderList") == [await http.ok(
            "GET", "orderList", orderListId=placed["orderListId"])]
        gone = await http.ok("DELETE", "orderList", **BTC, orderListId=placed["orderListId"])
        assert gone["listOrderStatus"] == "ALL_DONE"
        old = await http.ok("POST", "order/oco", **BTC, side="SELL", quantity="0.1", price="60000", stopPrice="40000",
                            stopLimitPrice="39000", stopLimitTimeInForce="GTC")
        assert [row["type"] for row in old["orderReports"]] == ["STOP_LOSS_LIMIT", "LIMIT_MAKER"]
