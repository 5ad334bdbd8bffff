"""Trailing stops as customers see them: placed, started, following, set off, told, refused, known after a start."""
from typing import Any

from engine.core.codes import OrderType, Side
from gateway.order_store import OrderStore
from gateway.trailing_starts import TrailingStarts, waits_above
from tests.gateway.rest_kit import RestClient, rest
from tests.gateway.running import ALICE, Client, Running, limit
from tests.gateway.test_order_store import BUY, GTC, SELL, Bench
from tests.gateway.test_self_trade import reports, short, story
from tests.gateway.test_stop_orders import BTC, stop, trade_at

STOP_LOSS, TAKE_PROFIT = int(OrderType.STOP_LOSS), int(OrderType.TAKE_PROFIT)


def trailing(side: str, kind: str, delta: int, price: str | None = None, **more: Any) -> Any:
    """Parameters of a stop without a stop price, which trails at once."""
    params = stop(side, kind, "1", price, trailingDelta=delta, **more)
    del params["stopPrice"]
    return params | more


@story
async def test_it_follows_the_highest_price_and_is_set_off_below_it(venue: Running, alice: Client, bob: Client) -> None:
    await trade_at(alice, bob, "50000")
    placed = await alice.ok("order.place", **trailing(
        "SELL", "STOP_LOSS", 100, "45000", newClientOrderId="t", newOrderRespType="RESULT"))
    assert (placed["trailingDelta"], placed["trailingTime"], "stopPrice" in placed) == (
        100, placed["transactTime"], False)
    [new] = await reports(alice)
    assert (new["d"], new["D"], new["w"], new["o"]) == (100, placed["transactTime"], False, "STOP_LOSS_LIMIT")
    [row] = await alice.ok("openOrders.status")
    assert row == await alice.ok("order.status", **BTC, orderId=placed["orderId"])
    assert (row["trailingDelta"], row["trailingTime"], row["isWorking"], row["stopPrice"]) == (
        100, placed["transactTime"], False, "0.00000000")
    assert row["triggerPrice"] == "49500.00000000"
    for price in ("52000", "51500", "51480.01"):   # 1 % below the highest is 51480
        await trade_at(alice, bob, price)
        state = await alice.ok("order.status", **BTC, origClientOrderId="t")
        assert (state["isWorking"], state["triggerPrice"]) == (False, "51480.00000000")
    await bob.ok("order.place", **limit("BUY", "51480", "0.01"))
    taken = await bob.ok("order.place", **limit("SELL", "51480", "0.01"))
    [set_off] = await reports(alice)
    assert (set_off["x"], set_off["w"], set_off["W"], set_off["d"], set_off["D"]) == (
        "NEW", True, taken["transactTime"], 100, placed["transactTime"])
    assert (await alice.ok("depth", signed=False, **BTC))["asks"] == [["45000.00000000", "0.10000000"]]
    assert "triggerPrice" not in await alice.ok("order.status", **BTC, origClientOrderId="t")
    gone = await alice.ok("order.cancel", **BTC, origClientOrderId="t")
    assert (gone["trailingDelta"], gone["trailingTime"]) == (100, placed["transactTime"])
    assert [event["d"] for event in await reports(alice)] == [100]


@story
async def test_with_a_stop_price_it_starts_there(venue: Running, alice: Client, bob: Client) -> None:
    await trade_at(alice, bob, "50000")
    placed = await alice.ok("order.place", **stop(
        "BUY", "TAKE_PROFIT", "49000", trailingDelta="100", newClientOrderId="t", newOrderRespType="RESULT"))
    assert (placed["stopPrice"], placed["trailingDelta"], placed["trailingTime"]) == ("49000.00000000", 100, -1)
    [new] = await reports(alice)
    assert (new["P"], new["d"], new["D"]) == ("49000.00000000", 100, -1)
    await trade_at(alice, bob, "49000.01")
    waits = await alice.ok("order.status", **BTC, origClientOrderId="t")
    assert waits["trailingTime"] == -1 and "triggerPrice" not in waits
    await bob.ok("order.place", **limit("SELL", "48000", "0.01"))
    started = await bob.ok("order.place", **limit("BUY", "48000", "0.01"))
    state = await alice.ok("order.status", **BTC, origClientOrderId="t")
    assert (state["trailingTime"], state["isWorking"], state["workingTime"]) == (started["transactTime"], False, -1)
    await bob.ok("order.place", **limit("SELL", "48480", "0.5"))   # 1 % above the lowest
    assert await reports(alice) == []
    await bob.ok("order.place", **limit("BUY", "48480", "0.01"))
    told = await reports(alice)
    assert short(told) == [("NEW", "NEW", "t"), ("TRADE", "FILLED", "t")]
    assert {(event["d"], event["D"]) for event in told} == {(100, started["transactTime"])}


@story
async def test_replaced_tested_and_refused(venue: Running, alice: Client, bob: Client) -> None:
    await trade_at(alice, bob, "50000")
    good = trailing("SELL", "STOP_LOSS", 2000)
    assert await alice.ok("order.test", **good) == {}
    first = await alice.ok("order.place", **trailing("SELL", "STOP_LOSS", 10))
    before = venue.core.open_orders(2), venue.core.account_wallets(2)
    for changes, found in (
            ({"trailingDelta": "9"}, (400, -1013, "Filter failure: TRAILING_DELTA")),
            ({"trailingDelta": "2001"}, (400, -1013, "Filter failure: TRAILING_DELTA")),
            ({"trailingDelta": "1.5"}, (400, -1100)), ({"trailingDelta": "-10"}, (400, -1100)),
            ({"trailingDelta": ""}, (400, -1105)), ({"trailingDelta": "9" * 20}, (400, -1130)),
            ({"stopPrice": "50000"}, (400, -2010, "Order would trigger immediately.")),
            ({"stopPrice": "0"}, (400, -1013)), ({"icebergQty": "0.01"}, (400, -1106))):
        for method in ("order.place", "order.test"):
            if method == "order.place" or found[1] != -2010:   # balance and market are the core's
                assert (await alice.error(method, **good | changes))[:len(found)] == found, changes
    nothing = {name: value for name, value in good.items() if name != "trailingDelta"}
    assert await alice.error("order.place", **nothing) == (
        400, -1102, "Param 'stopPrice' or 'trailingDelta' must be sent, but both were empty/null!")
    assert await alice.error("order.place", **limit("BUY", "40000", "1", trailingDelta="100")) == (
        400, -1106, "Parameter 'trailingDelta' sent when not required.")
    assert (venue.core.open_orders(2), venue.core.account_wallets(2)) == before
    replaced = await alice.ok("order.cancelReplace", **good, newOrderRespType="RESULT",
                              cancelReplaceMode="STOP_ON_FAILURE", cancelOrderId=first["orderId"])
    assert (replaced["cancelResponse"]["trailingDelta"], replaced["newOrderResponse"]["trailingDelta"]) == (10, 2000)
    assert [row["trailingDelta"] for row in await alice.ok("openOrders.cancelAll", **BTC)] == [2000]


@story
async def test_legs_of_lists(venue: Running, alice: Client, bob: Client) -> None:
    """A leg of a pair follows at once; a pending one from when its turn comes."""
    await trade_at(alice, bob, "50000")
    pair = await alice.ok("orderList.place.oco", **BTC, side="SELL", quantity="0.1", aboveType="LIMIT_MAKER",
                          abovePrice="60000", belowType="STOP_LOSS", belowTrailingDelta=500)
    below, above = pair["orderReports"]
    assert (below["trailingDelta"], below["trailingTime"], "trailingDelta" in above) == (
        500, pair["transactionTime"], False)
    old = await alice.ok("orderList.place", **BTC, side="SELL", quantity="0.1", price="60000", trailingDelta="300",
                         stopPrice="45000")
    assert (old["orderReports"][0]["trailingDelta"], old["orderReports"][0]["trailingTime"]) == (300, -1)
    both = await alice.ok(
        "orderList.place.oto", **BTC, workingType="LIMIT", workingSide="BUY", workingPrice="49000",
        workingQuantity="0.1", workingTimeInForce="GTC", pendingType="STOP_LOSS", pendingSide="SELL",
        pendingQuantity="0.1", pendingTrailingDelta="100")
    pending = both["orderReports"][1]
    assert (pending["trailingDelta"], pending["trailingTime"]) == (100, -1)
    filled = await bob.ok("order.place", **limit("SELL", "49000", "0.1"))
    state = await alice.ok("order.status", **BTC, orderId=pending["orderId"])
    assert (state["trailingTime"], state["status"]) == (filled["transactTime"], "NEW")


@story
async def test_over_http(venue: Running, alice: Client, bob: Client) -> None:
    """The parameter is read and told there too."""
    await trade_at(alice, bob, "50000")
    async with rest(venue.server.venue.config) as port, RestClient(port, venue.keys[ALICE]) as http:
        asked = trailing("SELL", "STOP_LOSS", 100)
        assert await http.ok("POST", "order/test", **asked) == {}
        placed = await http.ok("POST", "order", **asked, newOrderRespType="RESULT")
        [row] = await http.ok("GET", "openOrders", **BTC)
        assert row == await http.ok("GET", "order", **BTC, orderId=placed["orderId"])
        assert (placed["trailingDelta"], row["trailingDelta"], row["trailingTime"]) == (
            100, 100, placed["transactTime"])
        assert (await http.error("POST", "order", **asked | {"trailingDelta": "9"}))[1] == -1013
        assert (await http.ok("DELETE", "order", **BTC, orderId=placed["orderId"]))["trailingDelta"] == 100


def test_a_start_from_the_cores_records_knows_who_trails_and_who_waits() -> None:
    """At once; started, as its trigger shows; waiting, which the next trade at its price starts, once."""
    bench = Bench()
    trade(bench, 100)
    ids = []
    for stop_ticks in (0, 95, 80):
        bench.batch.place(2, 1, SELL, STOP_LOSS, GTC, 0, 1, trigger_ticks=stop_ticks, trailing_bps=2000)
        ids.append(bench.apply()[0].order_id)
    trade(bench, 95)
    store = OrderStore(10)
    store.restore(bench.core.all_orders())
    times = [bench.store.open[number].time_ns for number in ids]
    assert [store.find_open(number).trailing_ns for number in ids] == [times[0], times[1], 0]
    bench.store = store
    for price in (81, 80, 79):
        trade(bench, price)
        waits = store.find_open(ids[2])
        assert (waits is None or waits.trailing_ns != 0) == (price <= 80)


def trade(bench: Bench, price: int) -> None:
    bench.place(3, SELL, price, 1)
    bench.place(4, BUY, price, 1)


def test_the_waiting_ones_are_started_once_and_ended_ones_swept() -> None:
    starts, still_open = TrailingStarts(), {5000}
    starts.add(1, False, 90, 5000, still_open)
    for number in range(4000):
        starts.add(1, False, 50, number, still_open)
    starts.add(1, True, 110, 6000, still_open)
    starts.add(2, False, 90, 7000, still_open)
    assert sum(map(len, starts._heaps.values())) < 200
    assert starts.reached(1, 100) == [] and starts.reached(3, 1) == []
    assert starts.reached(1, 90) == [5000] and starts.reached(1, 90) == []
    assert starts.reached(1, 110) == [6000]
    assert [waits_above(side, kind) for side in (Side.BUY, Side.SELL) for kind in (STOP_LOSS, TAKE_PROFIT)] == [
        True, False, False, True]
