"""Stop-loss and take-profit orders as customers see them: accepted, waiting, set off, canceled, refused."""
import random
from typing import Any

from tests.gateway.running import Client, Running, limit
from tests.gateway.test_order_store import ACCOUNTS, BUY, GTC, IOC, MARKET, SELL, Bench, compare
from tests.gateway.test_self_trade import reports, short, story

BTC = {"symbol": "BTCUSDT"}
ZERO = "0.00000000"


def stop(side: str, kind: str, trigger: str, price: str | None = None, quantity: str = "0.1", **more: Any) -> Any:
    """Parameters of a stop order for BTCUSDT; with a price, of its _LIMIT type."""
    params = {**BTC, "side": side, "type": kind, "stopPrice": trigger, "quantity": quantity, **more}
    priced = {"type": f"{kind}_LIMIT", "price": price, "timeInForce": "GTC"}
    return params if price is None else {**params, **priced, **more}


async def trade_at(alice: Client, bob: Client, price: str) -> None:
    """A trade, and both accounts' reports of it out of the way."""
    await alice.ok("order.place", **limit("SELL", price, "0.01"))
    await bob.ok("order.place", **limit("BUY", price, "0.01"))
    await reports(alice)
    await reports(bob)


@story
async def test_a_stop_limit_waits_and_is_set_off(venue: Running, alice: Client, bob: Client) -> None:
    await trade_at(alice, bob, "50000")
    placed = await alice.ok("order.place", **stop(
        "SELL", "STOP_LOSS", "49000", "48000", newClientOrderId="s", newOrderRespType="RESULT"))
    assert (placed["status"], placed["type"], placed["stopPrice"], placed["workingTime"]) == (
        "NEW", "STOP_LOSS_LIMIT", "49000.00000000", -1)
    waiting = await alice.ok("order.status", **BTC, orderId=placed["orderId"])
    assert (waiting["stopPrice"], waiting["isWorking"], waiting["workingTime"], waiting["price"]) == (
        "49000.00000000", False, -1, "48000.00000000")
    assert (await alice.ok("depth", signed=False, **BTC))["asks"] == []
    [new] = await reports(alice)
    assert (new["x"], new["X"], new["w"], new["W"], new["P"], new["o"]) == (
        "NEW", "NEW", False, -1, "49000.00000000", "STOP_LOSS_LIMIT")
    await bob.ok("order.place", **limit("BUY", "49000", "0.01"))
    taken = await bob.ok("order.place", **limit("SELL", "49000", "0.01", newClientOrderId="t"))
    assert (taken["status"], len(taken["fills"])) == ("FILLED", 1), "the reply is about its own order only"
    [set_off] = await reports(alice)
    assert (set_off["x"], set_off["X"], set_off["w"], set_off["W"], set_off["i"]) == (
        "NEW", "NEW", True, taken["transactTime"], placed["orderId"])
    assert set_off["I"] != new["I"] and set_off["I"] < 2**53
    state = await alice.ok("order.status", **BTC, orderId=placed["orderId"])
    assert (state["isWorking"], state["workingTime"], state["status"]) == (True, taken["transactTime"], "NEW")
    assert (await alice.ok("depth", signed=False, **BTC))["asks"] == [["48000.00000000", "0.10000000"]]
    gone = await alice.ok("order.cancel", **BTC, origClientOrderId="s")
    assert (gone["type"], gone["stopPrice"]) == ("STOP_LOSS_LIMIT", "49000.00000000")


@story
async def test_a_stop_market_order_trades_when_it_is_set_off(venue: Running, alice: Client, bob: Client) -> None:
    await trade_at(alice, bob, "50000")
    ack = await alice.ok("order.place", **stop("BUY", "STOP_LOSS", "51000", newClientOrderId="s"))
    assert list(ack) == ["symbol", "orderId", "orderListId", "clientOrderId", "transactTime"]
    await bob.ok("order.place", **limit("SELL", "51000", "0.01"))
    await bob.ok("order.place", **limit("SELL", "51001", "0.06"))
    await reports(alice)
    await alice.ok("order.place", **limit("BUY", "51000", "0.01", newClientOrderId="t"))
    told = await reports(alice)
    assert short(told) == [
        ("NEW", "NEW", "t"), ("TRADE", "FILLED", "t"), ("NEW", "NEW", "s"), ("TRADE", "PARTIALLY_FILLED", "s"),
        ("EXPIRED", "EXPIRED", "s")]
    assert [event["w"] for event in told if event["c"] == "s"] == [False, False, False], "a market order never rests"
    assert len({event["I"] for event in told}) == 5
    state = await alice.ok("order.status", **BTC, origClientOrderId="s")
    assert (state["status"], state["executedQty"], state["type"]) == ("EXPIRED", "0.06000000", "STOP_LOSS")


@story
async def test_one_that_is_refused_when_it_is_set_off(venue: Running, alice: Client, bob: Client) -> None:
    """Its price lies outside a band that was set meanwhile."""
    await trade_at(alice, bob, "50000")
    await alice.ok("order.place", **stop("BUY", "TAKE_PROFIT", "49000", "30000", newClientOrderId="s"))
    await venue.ok(0, "admin.limits", instrument=1, band_up_ppm=100_000, band_down_ppm=100_000)
    await reports(alice)
    await bob.ok("order.place", **limit("BUY", "49000", "0.01"))
    await bob.ok("order.place", **limit("SELL", "49000", "0.01"))
    told = await reports(alice)
    assert short(told) == [("NEW", "NEW", "s"), ("EXPIRED", "EXPIRED", "s")]
    assert (told[1]["r"], "eR" in told[1]) == ("NONE", False)


@story
async def test_refusals(venue: Running, alice: Client, bob: Client) -> None:
    """Wrong, impossible and hostile ones change nothing; all amounts are looked at."""
    await trade_at(alice, bob, "50000")
    before = venue.core.open_orders(2), venue.core.account_wallets(2)
    for side, kind, trigger in (("BUY", "STOP_LOSS", "50000"), ("SELL", "STOP_LOSS", "50000"),
                                ("BUY", "TAKE_PROFIT", "50001"), ("SELL", "TAKE_PROFIT", "49999")):
        assert await alice.error("order.place", **stop(side, kind, trigger)) == (
            400, -2010, "Order would trigger immediately.")
    assert (await alice.error("order.place", **stop("BUY", "STOP_LOSS", "60000", "60000", "100")))[1] == -2010
    for changes, code in (({"stopPrice": "NaN"}, -1100), ({"stopPrice": "-1"}, -1100), ({"stopPrice": "0"}, -1013),
                          ({"stopPrice": "1.001"}, -1013), ({"stopPrice": "1e5"}, -1100), ({"stopPrice": ""}, -1102),
                          ({"stopPrice": "99999999999999999999"}, -1013), ({"stopPrice": "1.000000001"}, -1111),
                          ({"quantity": "0"}, -1013), ({"quoteOrderQty": "5"}, -1106), ({"price": "5"}, -1106),
                          ({"timeInForce": "GTC"}, -1106), ({"trailingDelta": "abc"}, -1100)):
        found = await alice.error("order.place", **stop("BUY", "STOP_LOSS", "60000") | changes)
        assert found[:2] == (400, code), changes
    timed = stop("BUY", "STOP_LOSS", "60000", "60000", timeInForce="X")
    assert (await alice.error("order.place", **timed))[1] == -1115
    assert (await alice.error("order.place", **limit("BUY", "50000", "0.1", stopPrice="5")))[1] == -1106
    assert (venue.core.open_orders(2), venue.core.account_wallets(2)) == before


@story
async def test_cancel_all_amend_and_replace_reach_waiting_orders(venue: Running, alice: Client, bob: Client) -> None:
    await trade_at(alice, bob, "50000")
    first = await alice.ok("order.place", **stop("BUY", "STOP_LOSS", "60000", "60000", "0.3"))
    amended = await alice.ok("order.amend.keepPriority", **BTC, orderId=first["orderId"], newQty="0.2")
    assert (amended["amendedOrder"]["qty"], amended["amendedOrder"]["workingTime"]) == ("0.20000000", -1)
    replaced = await alice.ok("order.cancelReplace", **stop("BUY", "STOP_LOSS", "61000", "61000"),
                              cancelReplaceMode="STOP_ON_FAILURE", cancelOrderId=first["orderId"])
    assert replaced["cancelResponse"]["stopPrice"] == "60000.00000000"
    [left] = await alice.ok("openOrders.status")
    assert (left["stopPrice"], left["orderId"]) == ("61000.00000000", replaced["newOrderResponse"]["orderId"])
    assert [row["stopPrice"] for row in await alice.ok("openOrders.cancelAll", **BTC)] == ["61000.00000000"]


def test_no_drift_from_the_core() -> None:
    """4,000 random commands with stops of all types: the open orders are the core's, whatever is set off."""
    choose = random.Random(12)
    bench = Bench(watched=tuple(ACCOUNTS))
    for number in range(4000):
        kind = choose.choice((0, 0, MARKET, 3, 4, 5, 6))
        bench.batch.place(
            choose.choice(ACCOUNTS), 1, choose.choice((BUY, SELL)), kind, choose.choice((GTC, GTC, IOC)) if kind in (
                0, 4, 6) else GTC, 0 if kind in (MARKET, 3, 5) else choose.randint(92, 108), choose.randint(1, 20), 0,
            str(number), choose.randint(0, 4), trigger_ticks=choose.randint(92, 108) if kind > MARKET else 0)
        if choose.random() < 0.2 and bench.store.open:
            order = choose.choice(list(bench.store.open.values()))
            bench.batch.cancel(order.account, 1, order.id, order.slot)
        bench.apply()
        compare(bench)
    closed = list(bench.store.closed.values())
    assert {order.status for order in closed} == {"FILLED", "CANCELED", "EXPIRED", "EXPIRED_IN_MATCH"}
    assert {order.order_type for order in closed if order.working_ns} == {0, 2, 3, 4, 5, 6}
