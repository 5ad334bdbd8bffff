"""Order entry over the WebSocket API, end to end inside one process: what is sent, and the whole reply."""
import asyncio
from pathlib import Path

from gateway.order_store import execution_id
from tests.gateway.running import ALICE, BOB, Client, Running, furnish, limit, running

ZERO = "0.00000000"
BTC = {"symbol": "BTCUSDT"}
REJECTED_SIGN = (400, -2010)


def venue_test(story):
    """Run a coroutine function (venue, alice, bob) as a test on a furnished venue."""
    def test(tmp_path: Path) -> None:
        async def run() -> None:
            async with running(tmp_path / "data") as venue:
                await furnish(venue, maker_fee_ppm=1000, taker_fee_ppm=2000)
                async with venue.client(ALICE) as alice, venue.client(BOB) as bob:
                    await story(venue, alice, bob)
                venue.core.check()
        asyncio.run(run())
    test.__doc__ = story.__doc__
    return test


@venue_test
async def test_full_reply_of_a_resting_order(venue: Running, alice: Client, bob: Client) -> None:
    placed = await alice.ok("order.place", **limit("BUY", "50000", "0.5", newClientOrderId="my-order_1"))
    time = placed["transactTime"]
    assert list(placed.items()) == list({
        "symbol": "BTCUSDT", "orderId": placed["orderId"], "orderListId": -1, "clientOrderId": "my-order_1",
        "transactTime": time, "price": "50000.00000000", "origQty": "0.50000000", "executedQty": ZERO,
        "origQuoteOrderQty": ZERO, "cummulativeQuoteQty": ZERO, "status": "NEW", "timeInForce": "GTC", "type": "LIMIT",
        "side": "BUY", "workingTime": time, "selfTradePreventionMode": "NONE", "fills": []}.items())
    assert time == venue.core.time_ns // 10**6


@venue_test
async def test_reply_types(venue: Running, alice: Client, bob: Client) -> None:
    ack = await alice.ok("order.place", **limit("BUY", "50000", "0.1", newOrderRespType="ACK"))
    assert list(ack) == ["symbol", "orderId", "orderListId", "clientOrderId", "transactTime"]
    assert len(ack["clientOrderId"]) == 22
    result = await alice.ok("order.place", **limit("BUY", "50000", "0.1", newOrderRespType="RESULT"))
    assert "status" in result and "fills" not in result
    maker = {**limit("BUY", "50000", "0.1"), "type": "LIMIT_MAKER"}
    del maker["timeInForce"]
    assert list(await alice.ok("order.place", **maker)) == list(ack)
    wrong = await alice.error("order.place", **limit("BUY", "50000", "0.1", newOrderRespType="ALL"))
    assert wrong == (400, -1130, "Data sent for parameter 'newOrderRespType' is not valid.")


@venue_test
async def test_fills_of_a_taker(venue: Running, alice: Client, bob: Client) -> None:
    await alice.ok("order.place", **limit("SELL", "50000", "0.1"))
    await alice.ok("order.place", **limit("SELL", "50001", "0.2"))
    taken = await bob.ok("order.place", **limit("BUY", "50010", "0.4"))
    assert taken["fills"] == [
        {"price": "50000.00000000", "qty": "0.10000000", "commission": "0.00020000", "commissionAsset": "BTC",
         "tradeId": 1},
        {"price": "50001.00000000", "qty": "0.20000000", "commission": "0.00040000", "commissionAsset": "BTC",
         "tradeId": 2}]
    assert (taken["status"], taken["executedQty"], taken["cummulativeQuoteQty"]) == (
        "PARTIALLY_FILLED", "0.30000000", "15000.20000000")
    rest = await alice.ok("order.place", **limit("SELL", "50010", "0.1"))
    assert (rest["status"], rest["fills"][0]["commission"], rest["fills"][0]["commissionAsset"]) == (
        "FILLED", "10.00200000", "USDT")


@venue_test
async def test_orders_that_expire(venue: Running, alice: Client, bob: Client) -> None:
    await alice.ok("order.place", **limit("SELL", "50000", "0.1"))
    ioc = await bob.ok("order.place", **limit("BUY", "50000", "0.3", timeInForce="IOC"))
    assert (ioc["status"], ioc["executedQty"], ioc["expiryReason"]) == (
        "EXPIRED", "0.10000000", "UNFILLED_IOC_QUANTITY_EXPIRED")
    await alice.ok("order.place", **limit("SELL", "50000", "0.1"))
    fok = await bob.ok("order.place", **limit("BUY", "50000", "0.3", timeInForce="FOK"))
    assert (fok["status"], fok["executedQty"], fok["expiryReason"], fok["fills"]) == (
        "EXPIRED", ZERO, "UNFILLED_FOK_ORDER_EXPIRED", [])
    market = await bob.ok("order.place", **BTC, side="BUY", type="MARKET", quantity="0.3")
    assert (market["status"], market["executedQty"], market["expiryReason"], market["timeInForce"]) == (
        "EXPIRED", "0.10000000", "INSUFFICIENT_LIQUIDITY", "GTC")
    nothing = await bob.ok("order.place", **BTC, side="BUY", type="MARKET", quoteOrderQty="100")
    assert (nothing["status"], nothing["executedQty"], nothing["origQuoteOrderQty"]) == (
        "EXPIRED", ZERO, "100.00000000")


@venue_test
async def test_market_by_quote_amount(venue: Running, alice: Client, bob: Client) -> None:
    await alice.ok("order.place", **limit("SELL", "50000", "0.01"))
    await alice.ok("order.place", **limit("SELL", "60000", "1"))
    bought = await bob.ok(
        "order.place", **BTC, side="BUY", type="MARKET", quoteOrderQty="1111.00", newClientOrderId="m")
    assert (bought["status"], bought["origQty"], bought["executedQty"], bought["cummulativeQuoteQty"],
            bought["origQuoteOrderQty"], bought["price"]) == (
        "FILLED", "0.02010000", "0.02010000", "1106.00000000", "1111.00000000", ZERO)
    status = await bob.ok("order.status", **BTC, origClientOrderId="m")
    assert (status["status"], status["origQty"], status["origQuoteOrderQty"]) == (
        "FILLED", "0.02010000", "1111.00000000")


@venue_test
async def test_refusals_of_the_core(venue: Running, alice: Client, bob: Client) -> None:
    await alice.ok("order.place", **limit("SELL", "50000", "1", newClientOrderId="one"))
    same = await alice.error("order.place", **limit("SELL", "50001", "1", newClientOrderId="one"))
    assert same == (400, -2010, "Duplicate order sent.")
    poor = await alice.error("order.place", **limit("SELL", "50001", "9.5"))
    assert poor == (400, -2010, "Account has insufficient balance for requested action.")
    maker = {**limit("BUY", "50000", "0.1"), "type": "LIMIT_MAKER"}
    del maker["timeInForce"]
    assert await bob.error("order.place", **maker) == (400, -2010, "Order would immediately match and take.")
    small = await bob.error("order.place", **limit("BUY", "0.01", "0.0001"))
    assert small == (400, -1013, "Filter failure: NOTIONAL")
    await venue.ok(0, "admin.instrument", instrument=1, symbol="BTCUSDT", base_asset="BTC", quote_asset="USDT",
                   lot_value=10_000, tick_value=100, min_lots=1, max_lots=10**8, max_ticks=10**9,
                   min_notional=10 * 10**8, status=2)
    assert await bob.error("order.place", **limit("BUY", "1", "100")) == (400, -2010, "Market is closed.")
    assert await bob.error("order.test", **limit("BUY", "1", "100")) == (400, -2010, "Market is closed.")
    await venue.ok(0, "admin.account", account=BOB, status=1)
    frozen = await bob.error("order.place", **limit("BUY", "1", "100"))
    assert frozen == (400, -2010, "This account may not place or cancel orders.")
    assert (await bob.ok("account.status"))["canTrade"] is False


@venue_test
async def test_cancel_by_either_id(venue: Running, alice: Client, bob: Client) -> None:
    placed = await alice.ok("order.place", **limit("BUY", "50000", "0.5", newClientOrderId="a"))
    await bob.ok("order.place", **limit("SELL", "50000", "0.2"))
    canceled = await alice.ok("order.cancel", **BTC, orderId=str(placed["orderId"]), newClientOrderId="the-cancel")
    assert list(canceled.items()) == list({
        "symbol": "BTCUSDT", "origClientOrderId": "a", "orderId": placed["orderId"], "orderListId": -1,
        "clientOrderId": "the-cancel", "transactTime": canceled["transactTime"], "price": "50000.00000000",
        "origQty": "0.50000000", "executedQty": "0.20000000", "origQuoteOrderQty": ZERO,
        "cummulativeQuoteQty": "10000.00000000", "status": "CANCELED", "timeInForce": "GTC", "type": "LIMIT",
        "side": "BUY", "selfTradePreventionMode": "NONE"}.items())
    await alice.ok("order.place", **limit("BUY", "50000", "0.5", newClientOrderId="a"))
    again = await alice.ok("order.cancel", **BTC, origClientOrderId="a")
    assert again["orderId"] != placed["orderId"] and len(again["clientOrderId"]) == 22


@venue_test
async def test_cancel_of_what_is_not_there(venue: Running, alice: Client, bob: Client) -> None:
    unknown = (400, -2011, "Unknown order sent.")
    order_id = (await alice.ok("order.place", **limit("BUY", "50000", "0.5", newClientOrderId="a")))["orderId"]
    assert await bob.error("order.cancel", **BTC, orderId=order_id) == unknown
    assert await bob.error("order.cancel", **BTC, origClientOrderId="a") == unknown
    assert await alice.error("order.cancel", **BTC, orderId=order_id + 1) == unknown
    assert await alice.error("order.cancel", **BTC, origClientOrderId="b") == unknown
    mismatch = await alice.error("order.cancel", **BTC, orderId=order_id, origClientOrderId="b")
    assert mismatch == (400, -2039, "Client order ID is not correct for this order ID.")
    neither = await alice.error("order.cancel", **BTC)
    assert neither[:2] == (400, -1102)
    assert (await alice.error("order.cancel", **BTC, orderId="12a"))[1] == -1100
    assert (await alice.error("order.cancel", **BTC, orderId=2**63))[1] == -1130
    restricted = await alice.error("order.cancel", **BTC, orderId=order_id + 1, cancelRestrictions="ONLY_NEW")
    assert restricted == (400, -2011, "Unknown order sent.")
    await alice.ok("order.cancel", **BTC, orderId=order_id, origClientOrderId="a")
    assert await alice.error("order.cancel", **BTC, orderId=order_id) == unknown


@venue_test
async def test_cancel_all(venue: Running, alice: Client, bob: Client) -> None:
    assert await alice.error("openOrders.cancelAll", **BTC) == (400, -2011, "Unknown order sent.")
    for price in ("50000", "49000", "51000"):
        await alice.ok("order.place", **limit("BUY", price, "0.1", newClientOrderId=f"at-{price}"))
    await bob.ok("order.place", **limit("BUY", "40000", "0.1"))
    canceled = await alice.ok("openOrders.cancelAll", **BTC)
    assert [(row["origClientOrderId"], row["status"]) for row in canceled] == [
        ("at-50000", "CANCELED"), ("at-49000", "CANCELED"), ("at-51000", "CANCELED")]
    assert await alice.ok("openOrders.status") == []
    assert len(await bob.ok("openOrders.status", **BTC)) == 1


@venue_test
async def test_amend_keeps_the_place_in_the_queue(venue: Running, alice: Client, bob: Client) -> None:
    placed = await alice.ok("order.place", **limit("BUY", "50000", "0.5", newClientOrderId="a"))
    await alice.ok("order.place", **limit("BUY", "50000", "0.5", newClientOrderId="behind"))
    await bob.ok("order.place", **limit("SELL", "50000", "0.1"))
    amended = await alice.ok("order.amend.keepPriority", **BTC, orderId=placed["orderId"], newQty="0.2")
    order = amended["amendedOrder"]
    assert [order[name] for name in ("qty", "executedQty", "cumulativeQuoteQty", "status", "clientOrderId")] == [
        "0.20000000", "0.10000000", "5000.00000000", "PARTIALLY_FILLED", "a"]
    await bob.ok("order.place", **limit("SELL", "50000", "0.1"))
    assert (await alice.ok("order.status", **BTC, origClientOrderId="a"))["status"] == "FILLED"
    assert (await alice.ok("order.status", **BTC, origClientOrderId="behind"))["status"] == "NEW"
    for quantity in ("0.5", "0.6"):
        refused = await alice.error("order.amend.keepPriority", **BTC, origClientOrderId="behind", newQty=quantity)
        assert refused[:2] == (400, -2038)
    same = await alice.ok(
        "order.amend.keepPriority", **BTC, origClientOrderId="behind", newQty="0.3", newClientOrderId="behind")
    behind = same["amendedOrder"]["orderId"]
    await alice.ok("order.amend.keepPriority", **BTC, orderId=behind, newQty="0.25")
    rows = await alice.ok("order.amendments", **BTC, orderId=behind)
    assert [(row["origQty"], row["newQty"], row["newClientOrderId"]) for row in rows] == [
        ("0.50000000", "0.30000000", "behind"), ("0.30000000", "0.25000000", "behind")]
    assert rows[0]["executionId"] == same["executionId"] and rows[0]["time"] == same["transactTime"]
    late = {"fromExecutionId": rows[1]["executionId"]}
    assert await alice.ok("order.amendments", **BTC, orderId=behind, **late) == rows[1:]
    assert await alice.ok("order.amendments", **BTC, orderId=behind, limit=1) == rows[:1]
    assert await bob.ok("order.amendments", **BTC, orderId=behind) == []
    assert (await alice.error("order.amendments", **BTC))[1] == -1102
    assert await alice.ok("myAllocations", **BTC) == []
    renamed = await alice.error(
        "order.amend.keepPriority", **BTC, origClientOrderId="behind", newQty="0.1", newClientOrderId="x")
    assert renamed == (400, -1106, "Parameter 'newClientOrderId' sent when not required.")


@venue_test
async def test_order_test_places_nothing(venue: Running, alice: Client, bob: Client) -> None:
    seq = venue.core.seq
    assert await alice.ok("order.test", **limit("BUY", "50000", "1000")) == {}
    assert await alice.error("order.test", **limit("BUY", "0.01", "0.0001")) == (400, -1013, "Filter failure: NOTIONAL")
    assert await alice.error("order.test", **limit("BUY", "50000.001", "1")) == (
        400, -1013, "Filter failure: PRICE_FILTER")
    assert venue.core.seq == seq


@venue_test
async def test_status_of_open_and_closed_orders(venue: Running, alice: Client, bob: Client) -> None:
    placed = await alice.ok("order.place", **limit("BUY", "50000", "0.5", newClientOrderId="a"))
    status = await alice.ok("order.status", **BTC, orderId=placed["orderId"])
    time = placed["transactTime"]
    assert list(status.items()) == list({
        "symbol": "BTCUSDT", "orderId": placed["orderId"], "orderListId": -1, "clientOrderId": "a",
        "price": "50000.00000000", "origQty": "0.50000000", "executedQty": ZERO, "cummulativeQuoteQty": ZERO,
        "status": "NEW", "timeInForce": "GTC", "type": "LIMIT", "side": "BUY", "stopPrice": ZERO, "icebergQty": ZERO,
        "time": time, "updateTime": time, "isWorking": True, "workingTime": time, "origQuoteOrderQty": ZERO,
        "selfTradePreventionMode": "NONE"}.items())
    assert await alice.ok("openOrders.status", **BTC) == [status]
    await alice.ok("order.cancel", **BTC, origClientOrderId="a")
    assert (await alice.ok("order.status", **BTC, origClientOrderId="a"))["status"] == "CANCELED"
    await alice.ok("order.place", **limit("BUY", "40000", "0.5", newClientOrderId="a"))
    assert (await alice.ok("order.status", **BTC, origClientOrderId="a"))["price"] == "40000.00000000"
    missing = (400, -2013, "Order does not exist.")
    assert await bob.error("order.status", **BTC, orderId=placed["orderId"]) == missing
    assert await alice.error("order.status", **BTC, origClientOrderId="b") == missing
    assert await alice.error("order.status", symbol="ETHUSDT", orderId=1) == (400, -1121, "Invalid symbol.")


@venue_test
async def test_account_and_public_data(venue: Running, alice: Client, bob: Client) -> None:
    await alice.ok("order.place", **limit("BUY", "50000", "0.5"))
    await alice.ok("order.place", **limit("BUY", "49000", "0.5"))
    await bob.ok("order.place", **limit("SELL", "50000", "0.1"))
    account = await alice.ok("account.status")
    assert account["balances"] == [
        {"asset": "BTC", "free": "10.09990000", "locked": ZERO},
        {"asset": "USDT", "free": "950500.00000000", "locked": "44500.00000000"}]
    assert account["commissionRates"] == {"maker": "0.00100000", "taker": "0.00200000", "buyer": ZERO, "seller": ZERO}
    assert (account["uid"], account["canTrade"], account["permissions"]) == (ALICE, True, ["SPOT"])
    depth = await alice.ok("depth", signed=False, symbol="BTCUSDT", limit=1)
    assert depth == {"lastUpdateId": venue.core.update_id(1), "bids": [["50000.00000000", "0.40000000"]], "asks": []}
    (trade,) = await alice.ok("v3/trades.recent", signed=False, symbol="BTCUSDT")
    assert (trade["id"], trade["price"], trade["quoteQty"], trade["isBuyerMaker"]) == (
        1, "50000.00000000", "5000.00000000", True)
    assert (await alice.error("depth", signed=False, symbol="BTCUSDT", limit="x"))[1] == -1130
    assert (await alice.error("depth", signed=False))[1] == -1102
    assert await alice.ok("ping", signed=False) == {}
    assert isinstance((await alice.ok("time", signed=False))["serverTime"], int)


def test_orders_are_remembered_over_a_restart(tmp_path):
    async def run() -> None:
        async with running(tmp_path / "data", limits={"closed_orders_max": 2}) as venue:
            await furnish(venue)
            keys = venue.keys
            async with venue.client(ALICE) as alice:
                for name in ("one", "two", "three", "open"):
                    await alice.ok("order.place", **limit("BUY", "50000", "0.1", newClientOrderId=name))
                for name in ("one", "two", "three"):
                    await alice.ok("order.cancel", **BTC, origClientOrderId=name)
                await alice.ok("order.place", **limit("SELL", "50001", "0.1"))   # the next frame forgets the oldest
                before = [await alice.call("order.status", **BTC, origClientOrderId=name)
                          for name in ("one", "two", "three", "open")]
                trades_hash = venue.core.state_hash()
        async with running(tmp_path / "data", limits={"closed_orders_max": 2}) as venue:
            venue.keys = keys
            assert venue.core.state_hash() == trades_hash
            async with venue.client(ALICE) as alice:
                after = [await alice.call("order.status", **BTC, origClientOrderId=name)
                         for name in ("one", "two", "three", "open")]
        assert [reply.get("result", reply.get("error")) for reply in after] == [
            reply.get("result", reply.get("error")) for reply in before]
        assert [reply["status"] for reply in after] == [400, 200, 200, 200]
    asyncio.run(run())


def test_execution_ids_differ():
    """A beginning, both sides of a trade, a reduction and an end never share an id."""
    class Made:
        def __init__(self, kind: int, seq: int, order_id: int = 0, fill_id: int = 0) -> None:
            self.kind, self.seq, self.order_id, self.fill_id = kind, seq, order_id, fill_id

    accepted = [execution_id(Made(4, seq, order_id=seq), False) for seq in (1, 2, 5)]
    traded = [execution_id(Made(5, 5, 5, fill), maker) for fill in (1, 2) for maker in (False, True)]
    reduced = [execution_id(Made(7, 3, 1), False)]
    ended = [execution_id(Made(6, 4, order_id), False) for order_id in (1, 2)]
    made = accepted + traded + reduced + ended
    assert len(set(made)) == len(made)
