"""order.cancelReplace: the three answers of the protocol, over WebSocket; what is refused before anything is done."""
from typing import Any

from tests.gateway.running import Client, Running, limit
from tests.gateway.test_orders import venue_test

BTC = {"symbol": "BTCUSDT"}
UNKNOWN = {"code": -2011, "msg": "Unknown order sent."}


async def replace(client: Client, mode: str = "STOP_ON_FAILURE", **params: object) -> dict[str, Any]:
    return await client.call("order.cancelReplace", **limit("BUY", "50000", "0.1") | {
        "cancelReplaceMode": mode, **params})


@venue_test
async def test_both_halves(venue: Running, alice: Client, bob: Client) -> None:
    await alice.ok("userDataStream.subscribe.signature")
    old = await alice.ok("order.place", **limit("BUY", "49000", "0.2", newClientOrderId="old"))
    await alice.settle()
    answer = await replace(
        alice, cancelOrderId=old["orderId"], newClientOrderId="new", cancelNewClientOrderId="bye",
        newOrderRespType="RESULT")
    assert answer["status"] == 200
    result = answer["result"]
    assert list(result) == ["cancelResult", "newOrderResult", "cancelResponse", "newOrderResponse"]
    assert (result["cancelResult"], result["newOrderResult"]) == ("SUCCESS", "SUCCESS")
    canceled, placed = result["cancelResponse"], result["newOrderResponse"]
    assert (canceled["origClientOrderId"], canceled["clientOrderId"], canceled["status"]) == ("old", "bye", "CANCELED")
    assert (placed["clientOrderId"], placed["price"], placed["status"]) == ("new", "50000.00000000", "NEW")
    assert "fills" not in placed
    events = [event["event"] for event in await alice.settle()]
    assert [(event["x"], event["c"], event["C"]) for event in events if event["e"] == "executionReport"] == [
        ("CANCELED", "bye", "old"), ("NEW", "new", "")]
    by_name = await replace(alice, cancelOrigClientOrderId="new", newClientOrderId="new")
    assert by_name["result"]["newOrderResponse"]["clientOrderId"] == "new"
    assert [row["clientOrderId"] for row in await alice.ok("openOrders.status")] == ["new"]


@venue_test
async def test_what_the_cancel_frees_is_there_for_the_new_order(venue: Running, alice: Client, bob: Client) -> None:
    old = await alice.ok("order.place", **limit("BUY", "50000", "19"))
    answer = await replace(alice, cancelOrderId=old["orderId"], quantity="20")
    assert answer["result"]["newOrderResponse"]["origQty"] == "20.00000000"


@venue_test
async def test_cancel_fails(venue: Running, alice: Client, bob: Client) -> None:
    stop = await replace(alice, cancelOrderId=12345)
    assert (stop["status"], stop["error"]["code"], stop["error"]["msg"]) == (
        400, -2022, "Order cancel-replace failed.")
    assert stop["error"]["data"] == {
        "cancelResult": "FAILURE", "newOrderResult": "NOT_ATTEMPTED", "cancelResponse": UNKNOWN,
        "newOrderResponse": None}
    assert await alice.ok("openOrders.status") == []
    allowed = await replace(alice, "ALLOW_FAILURE", cancelOrigClientOrderId="nobody", newClientOrderId="n")
    assert (allowed["status"], allowed["error"]["code"], allowed["error"]["msg"]) == (
        409, -2021, "Order cancel-replace partially failed.")
    data = allowed["error"]["data"]
    assert (data["cancelResult"], data["cancelResponse"], data["newOrderResult"]) == ("FAILURE", UNKNOWN, "SUCCESS")
    assert data["newOrderResponse"]["clientOrderId"] == "n"


@venue_test
async def test_new_order_fails(venue: Running, alice: Client, bob: Client) -> None:
    poor = {"code": -2010, "msg": "Account has insufficient balance for requested action."}
    for mode in ("STOP_ON_FAILURE", "ALLOW_FAILURE"):
        old = await alice.ok("order.place", **limit("BUY", "49000", "0.1"))
        partly = await replace(alice, mode, cancelOrderId=old["orderId"], quantity="500")
        assert (partly["status"], partly["error"]["code"]) == (409, -2021)
        data = partly["error"]["data"]
        assert (data["cancelResult"], data["newOrderResult"], data["newOrderResponse"]) == ("SUCCESS", "FAILURE", poor)
        assert data["cancelResponse"]["status"] == "CANCELED"
    neither = await replace(alice, "ALLOW_FAILURE", cancelOrderId=999, quantity="500")
    assert (neither["status"], neither["error"]["code"]) == (400, -2022)
    assert neither["error"]["data"] == {
        "cancelResult": "FAILURE", "newOrderResult": "FAILURE", "cancelResponse": UNKNOWN, "newOrderResponse": poor}


@venue_test
async def test_refused_before_anything_is_done(venue: Running, alice: Client, bob: Client) -> None:
    """Filters, shape and restrictions: the old order stays where it is."""
    old = await alice.ok("order.place", **limit("BUY", "49000", "0.1", newClientOrderId="old"))
    before = venue.core.state_hash()
    target = {"cancelOrderId": old["orderId"]}
    for params, code in [
            ({"price": "0.001"}, -1013), ({"price": "1", "quantity": "0.0001"}, -1013), ({"quantity": "0"}, -1013),
            ({"price": "NaN"}, -1100), ({"quantity": "-1"}, -1100), ({"price": "1.123456789"}, -1111),
            ({"quantity": "99999999999999999999999"}, -1013), ({"symbol": "NOPE"}, -1121), ({"side": "buy"}, -1117),
            ({"cancelReplaceMode": "MAYBE"}, -1130), ({"cancelReplaceMode": ""}, -1102), ({"type": "STOP"}, -1116),
            ({"cancelOrderId": "x"}, -1100), ({"cancelOrderId": -1}, -1100), ({"cancelOrderId": 2**63}, -1130),
            ({"cancelOrigClientOrderId": "a b"}, -1100), ({"cancelNewClientOrderId": ""}, -1105),
            ({"newClientOrderId": "x" * 37}, -1100), ({"foo": 1}, -1104), ({"orderRateLimitExceededMode": "X"}, -1130),
            ({"cancelRestrictions": "ONLY_PARTIALLY_FILLED"}, -2022), ({"cancelRestrictions": "X"}, -2022),
            ({"cancelOrigClientOrderId": "other"}, -2022)]:
        answer = await replace(alice, **target | params)
        assert (answer["status"], answer["error"]["code"]) == (400, code), params
    assert (await replace(bob, **target))["error"]["code"] == -2022, "somebody else's order"
    assert (await replace(alice))["error"]["code"] == -1102
    assert venue.core.state_hash() == before
    restricted = await replace(alice, **target, cancelRestrictions="ONLY_PARTIALLY_FILLED")
    assert restricted["error"]["data"]["cancelResponse"] == {
        "code": -2011, "msg": "Order was not canceled due to cancel restrictions."}
    assert (await replace(alice, **target, cancelRestrictions="ONLY_NEW"))["status"] == 200


@venue_test
async def test_cancel_restrictions(venue: Running, alice: Client, bob: Client) -> None:
    old = await alice.ok("order.place", **limit("BUY", "50000", "0.2"))
    target = BTC | {"orderId": old["orderId"]}
    assert await alice.error("order.cancel", **target, cancelRestrictions="ONLY_PARTIALLY_FILLED") == (
        400, -2011, "Order was not canceled due to cancel restrictions.")
    assert (await alice.error("order.cancel", **target, cancelRestrictions="NONE"))[1] == -1145
    await bob.ok("order.place", **limit("SELL", "50000", "0.1"))
    assert (await alice.error("order.cancel", **target, cancelRestrictions="ONLY_NEW"))[1] == -2011
    gone = await alice.ok("order.cancel", **target, cancelRestrictions="ONLY_PARTIALLY_FILLED")
    assert gone["status"] == "CANCELED"


@venue_test
async def test_limits_of_an_instrument(venue: Running, alice: Client, bob: Client) -> None:
    """Set by the operator, shown in exchangeInfo, enforced with the words of their filters."""
    await venue.ok(0, "admin.limits", instrument=1, max_notional=50_000 * 10**8, reference_ticks=5_000_000,
                   band_up_ppm=100_000, band_down_ppm=200_000, orders_max=2)
    filters = {row["filterType"]: row for row in (
        await alice.ok("exchangeInfo", signed=False, **BTC))["symbols"][0]["filters"]}
    assert filters["PERCENT_PRICE_BY_SIDE"] == {
        "filterType": "PERCENT_PRICE_BY_SIDE", "bidMultiplierUp": "1.100000", "bidMultiplierDown": "0.800000",
        "askMultiplierUp": "1.100000", "askMultiplierDown": "0.800000", "avgPriceMins": 0}
    assert filters["MAX_NUM_ORDERS"] == {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 2}
    assert (filters["NOTIONAL"]["maxNotional"], filters["NOTIONAL"]["applyMaxToMarket"]) == ("50000.00000000", True)
    for price, quantity, name in (("55000.01", "0.1", "PERCENT_PRICE_BY_SIDE"), ("39999.99", "0.1",
                                  "PERCENT_PRICE_BY_SIDE"), ("50000", "1.0001", "NOTIONAL")):
        refused = (400, -1013, f"Filter failure: {name}")
        assert await alice.error("order.place", **limit("BUY", price, quantity)) == refused
        assert await alice.error("order.test", **limit("BUY", price, quantity)) == refused
    for price in ("55000", "40000"):
        await alice.ok("order.place", **limit("BUY", price, "0.1"))
    assert await alice.error("order.place", **limit("BUY", "50000", "0.1")) == (
        400, -1013, "Filter failure: MAX_NUM_ORDERS")
    await venue.ok(0, "admin.limits", instrument=1)
    await alice.ok("order.place", **limit("BUY", "90000", "0.1"))
    names = [row["filterType"] for row in (await alice.ok("exchangeInfo", signed=False))["symbols"][0]["filters"]]
    assert names == ["PRICE_FILTER", "LOT_SIZE", "MARKET_LOT_SIZE", "NOTIONAL", "ICEBERG_PARTS", "TRAILING_DELTA"]


@venue_test
async def test_commissions(venue: Running, alice: Client, bob: Client) -> None:
    zero = {"maker": "0.00000000", "taker": "0.00000000"}
    rates = {"maker": "0.00100000", "taker": "0.00200000"}
    none = {"enabledForAccount": False, "enabledForSymbol": False, "discountAsset": "", "discount": "0.00000000"}
    tested = await alice.ok("order.test", **limit("BUY", "50000", "0.1", computeCommissionRates=True))
    assert tested == {
        "standardCommissionForOrder": rates, "specialCommissionForOrder": zero, "taxCommissionForOrder": zero,
        "discount": none}
    both = {"buyer": "0.00000000", "seller": "0.00000000"}
    assert await alice.ok("account.commission", **BTC) == {
        "symbol": "BTCUSDT", "standardCommission": rates | both, "specialCommission": zero | both,
        "taxCommission": zero | both, "discount": none}
    assert (await alice.error("order.test", **limit("BUY", "50000", "0.1", computeCommissionRates="x")))[1] == -1130
    assert await alice.error("account.commission") == (
        400, -1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.")
