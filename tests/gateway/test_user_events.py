"""Private events: every field of an executionReport, and the complete list of events of each story, in order."""
import asyncio
from pathlib import Path
from typing import Any

from websockets.asyncio.client import connect

from tests.gateway.running import ALICE, BOB, Client, Running, furnish, limit, running

ZERO = "0.00000000"
BTC = {"symbol": "BTCUSDT"}
FIELDS = [*"eEscSofqpPFgCxXrilzLnNTtIwmMOZYQWV"]


def story(test):
    """Run (venue, alice, bob); both accounts are subscribed on their own connection."""
    def run_it(tmp_path: Path) -> None:
        async def run() -> None:
            async with running(tmp_path / "data") as venue:
                await furnish(venue, maker_fee_ppm=1000, taker_fee_ppm=2000)
                async with venue.client(ALICE) as alice, venue.client(BOB) as bob:
                    assert await alice.ok("userDataStream.subscribe.signature") == {"subscriptionId": 0}
                    assert await bob.ok("userDataStream.subscribe.signature") == {"subscriptionId": 0}
                    await test(venue, alice, bob)
        asyncio.run(run())
    run_it.__doc__ = test.__doc__
    return run_it


async def told(client: Client) -> list[dict[str, Any]]:
    """The events that came, without their envelope."""
    events = await client.settle()
    assert all(list(event) == ["subscriptionId", "event"] and event["subscriptionId"] == 0 for event in events)
    return [event["event"] for event in events]


def short(events: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """What tells events apart at a glance."""
    rows: list[tuple[Any, ...]] = []
    for event in events:
        if event["e"] == "executionReport":
            rows.append(tuple(event[name] for name in "xXcClzmw"))
        elif event["e"] == "balanceUpdate":
            rows.append((event["e"], event["a"], event["d"]))
        else:
            rows.append((event["e"], *((row["a"], row["f"], row["l"]) for row in event["B"])))
    return rows


@story
async def test_a_new_order(venue: Running, alice: Client, bob: Client) -> None:
    placed = await alice.ok("order.place", **limit("BUY", "50000", "0.5", newClientOrderId="a"))
    time = placed["transactTime"]
    report, position = await told(alice)
    assert list(report) == FIELDS
    assert report == {
        "e": "executionReport", "E": time, "s": "BTCUSDT", "c": "a", "S": "BUY", "o": "LIMIT", "f": "GTC",
        "q": "0.50000000", "p": "50000.00000000", "P": ZERO, "F": ZERO, "g": -1, "C": "", "x": "NEW", "X": "NEW",
        "r": "NONE", "i": placed["orderId"], "l": ZERO, "z": ZERO, "L": ZERO, "n": "0", "N": None, "T": time, "t": -1,
        "I": 4 * placed["orderId"], "w": True, "m": False, "M": False, "O": time, "Z": ZERO, "Y": ZERO, "Q": ZERO,
        "W": time, "V": "NONE"}
    assert position == {"e": "outboundAccountPosition", "E": time, "u": time,
                        "B": [{"a": "USDT", "f": "975000.00000000", "l": "25000.00000000"}]}
    assert await told(bob) == []


@story
async def test_a_trade_as_both_sides_see_it(venue: Running, alice: Client, bob: Client) -> None:
    await alice.ok("order.place", **limit("BUY", "50000", "0.5", newClientOrderId="a"))
    await told(alice)
    taken = await bob.ok("order.place", **limit("SELL", "49000", "0.2", newClientOrderId="b"))
    maker, maker_position = await told(alice)
    new, taker, taker_position = await told(bob)
    time = taken["transactTime"]
    assert list(maker) == list(taker) == FIELDS
    assert short([new]) == [("NEW", "NEW", "b", "", ZERO, ZERO, False, True)]
    shared = {"x": "TRADE", "l": "0.20000000", "z": "0.20000000", "L": "50000.00000000", "Y": "10000.00000000",
              "Z": "10000.00000000", "t": 1, "T": time, "E": time}
    assert maker | shared == maker and taker | shared == taker
    assert (maker["m"], maker["X"], maker["w"], maker["n"], maker["N"], maker["c"]) == (
        True, "PARTIALLY_FILLED", True, "0.00020000", "BTC", "a")
    assert (taker["m"], taker["X"], taker["w"], taker["n"], taker["N"], taker["c"]) == (
        False, "FILLED", False, "20.00000000", "USDT", "b")
    assert maker["I"] != taker["I"] and maker["O"] <= maker["T"]
    assert short([maker_position]) == [("outboundAccountPosition", ("BTC", "10.19980000", ZERO),
                                        ("USDT", "975000.00000000", "15000.00000000"))]
    assert short([taker_position]) == [("outboundAccountPosition", ("BTC", "9.80000000", ZERO),
                                        ("USDT", "1009980.00000000", ZERO))]


@story
async def test_a_sweep_and_its_end(venue: Running, alice: Client, bob: Client) -> None:
    """One event per fill in engine order, the expiry of the rest last, then one position."""
    for name in ("a1", "a2"):
        await alice.ok("order.place", **limit("SELL", "50000", "0.1", newClientOrderId=name))
    await told(alice)
    await bob.ok("order.place", **limit("BUY", "50000", "0.3", newClientOrderId="b", timeInForce="IOC"))
    events = await told(bob)
    assert short(events)[:4] == [
        ("NEW", "NEW", "b", "", ZERO, ZERO, False, False),
        ("TRADE", "PARTIALLY_FILLED", "b", "", "0.10000000", "0.10000000", False, False),
        ("TRADE", "PARTIALLY_FILLED", "b", "", "0.10000000", "0.20000000", False, False),
        ("EXPIRED", "EXPIRED", "b", "", ZERO, "0.20000000", False, False)]
    assert events[3]["eR"] == "UNFILLED_IOC_QUANTITY_EXPIRED" and list(events[3]) == [*FIELDS, "eR"]
    assert [event["e"] for event in events[4:]] == ["outboundAccountPosition"]
    assert short(await told(alice))[:2] == [
        ("TRADE", "FILLED", "a1", "", "0.10000000", "0.10000000", True, False),
        ("TRADE", "FILLED", "a2", "", "0.10000000", "0.10000000", True, False)]
    ids = [event["I"] for event in events[:4]]
    assert len(set(ids)) == 4


@story
async def test_market_orders(venue: Running, alice: Client, bob: Client) -> None:
    await alice.ok("order.place", **limit("SELL", "50000", "0.1"))
    await bob.ok("order.place", **BTC, side="BUY", type="MARKET", quoteOrderQty="5000", newClientOrderId="b")
    new, trade, _ = await told(bob)
    assert (new["X"], new["q"], new["Q"], new["w"]) == ("NEW", ZERO, "5000.00000000", False)
    assert (trade["X"], trade["q"], trade["Q"], trade["p"]) == ("FILLED", "0.10000000", "5000.00000000", ZERO)
    await bob.ok("order.place", **BTC, side="BUY", type="MARKET", quantity="0.1", newClientOrderId="c")
    _, ended, *_ = await told(bob)
    assert (ended["x"], ended["X"], ended["eR"]) == ("EXPIRED", "EXPIRED", "INSUFFICIENT_LIQUIDITY")


@story
async def test_cancels_tell_both_ids(venue: Running, alice: Client, bob: Client) -> None:
    for name in ("a1", "a2", "a3"):
        await alice.ok("order.place", **limit("BUY", "50000", "0.1", newClientOrderId=name))
    await told(alice)
    await alice.ok("order.cancel", **BTC, origClientOrderId="a1", newClientOrderId="the-cancel")
    await alice.ok("order.amend.keepPriority", **BTC, origClientOrderId="a2", newQty="0.05")
    canceled = await alice.ok("openOrders.cancelAll", **BTC)
    events = [event for event in await told(alice) if event["e"] == "executionReport"]
    assert short(events) == [
        ("CANCELED", "CANCELED", "the-cancel", "a1", ZERO, ZERO, False, False),
        ("REPLACED", "NEW", "a2", "", ZERO, ZERO, False, True),
        ("CANCELED", "CANCELED", canceled[0]["clientOrderId"], "a2", ZERO, ZERO, False, False),
        ("CANCELED", "CANCELED", canceled[1]["clientOrderId"], "a3", ZERO, ZERO, False, False)]
    assert events[1]["q"] == "0.05000000"


@story
async def test_trading_with_oneself_shows_both_sides(venue: Running, alice: Client, bob: Client) -> None:
    await alice.ok("order.place", **limit("SELL", "50000", "0.1", newClientOrderId="maker"))
    await alice.ok("order.place", **limit("BUY", "50000", "0.1", newClientOrderId="taker"))
    events = await told(alice)
    trades = [event for event in events if event.get("x") == "TRADE"]
    assert [(event["c"], event["m"], event["t"]) for event in trades] == [("taker", False, 1), ("maker", True, 1)]
    assert trades[0]["I"] != trades[1]["I"]


@story
async def test_money(venue: Running, alice: Client, bob: Client) -> None:
    await venue.ok(0, "admin.credit", account=ALICE, asset="USDT", amount="1.5", reference="r")
    await venue.ok(0, "admin.debit", account=ALICE, asset="BTC", amount="0.00000001", reference="r")
    assert short(await told(alice)) == [
        ("balanceUpdate", "USDT", "1.50000000"),
        ("outboundAccountPosition", ("USDT", "1000001.50000000", ZERO)),
        ("balanceUpdate", "BTC", "-0.00000001"),
        ("outboundAccountPosition", ("BTC", "9.99999999", ZERO))]


@story
async def test_refused_orders_cause_no_event(venue: Running, alice: Client, bob: Client) -> None:
    assert (await alice.error("order.place", **limit("SELL", "50000", "11")))[1] == -2010
    assert await told(alice) == []


@story
async def test_events_of_orders_placed_elsewhere(venue: Running, alice: Client, bob: Client) -> None:
    """The stream belongs to the account: orders through the door (REST) are told too, to each subscribed connection."""
    async with venue.client(ALICE, "?timeUnit=MICROSECOND") as second:
        assert await second.ok("userDataStream.subscribe.signature") == {"subscriptionId": 0}
        placed = await venue.ok(ALICE, "order.place", **limit("BUY", "50000", "0.1"), timeUnit="MICROSECOND")
        (usual, _), (exact, position) = await told(alice), await told(second)
        assert exact["T"] == placed["transactTime"] == position["u"] and usual["T"] == exact["T"] // 1000
        assert exact | {name: usual[name] for name in "ETOW"} == usual
        assert await second.ok("userDataStream.unsubscribe", signed=False) == {}
        await alice.ok("order.place", **limit("BUY", "50000", "0.1"))
        assert [event["e"] for event in await told(second)] == ["eventStreamTerminated"]
        assert len(await told(alice)) == 2


def test_a_subscriber_that_does_not_read_is_cut(tmp_path):
    """Private events are never dropped one by one: the connection is cut and the others go on."""
    async def run() -> None:
        limits = {"write_buffer_bytes_max": 65536, "socket_send_bytes": 4096}
        async with running(tmp_path / "data", limits=limits) as venue:
            await furnish(venue)
            async with venue.client(BOB) as bob:
                await bob.ok("userDataStream.subscribe.signature")
                async with connect(venue.server.url, compression=None, max_queue=1) as socket:
                    await Client(socket, venue.keys[ALICE]).ok("userDataStream.subscribe.signature")
                    socket.transport.pause_reading()
                    streams = venue.server.venue.streams
                    for _ in range(2000):
                        if ALICE not in streams.subscribers:
                            break
                        await venue.ok(ALICE, "order.place", **limit("BUY", "50000", "0.0002", newOrderRespType="ACK"))
                        await venue.ok(ALICE, "openOrders.cancelAll", **BTC)
                    socket.transport.abort()
                    assert ALICE not in streams.subscribers
                await bob.ok("order.place", **limit("BUY", "50000", "0.1"))
                assert len(await bob.settle()) == 2
    asyncio.run(run())
