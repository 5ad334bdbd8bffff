"""Self-trade prevention as customers see it: replies, events, order states, prevented matches; and no drift from the
core over random commands."""
import asyncio
import random
from pathlib import Path
from typing import Any

from engine.core.codes import SelfTrade
from engine.instruments import Catalog
from gateway.order_replies import order_result, order_state
from tests.gateway.running import ALICE, BOB, Client, Running, furnish, limit, running
from tests.gateway.test_order_store import ACCOUNTS, BUY, FOK, GTC, IOC, MARKET, SELL, Bench, compare

BTC = {"symbol": "BTCUSDT"}
ZERO = "0.00000000"


def story(test: Any) -> Any:
    """Run (venue, alice, bob); both are subscribed, and are one trade group."""
    def run_it(tmp_path: Path) -> None:
        async def run() -> None:
            async with running(tmp_path / "data") as venue:
                await furnish(venue)
                for account in (ALICE, BOB):
                    await venue.ok(0, "admin.account", account=account, trade_group=7)
                async with venue.client(ALICE) as alice, venue.client(BOB) as bob:
                    await alice.ok("userDataStream.subscribe.signature")
                    await bob.ok("userDataStream.subscribe.signature")
                    await test(venue, alice, bob)
                venue.core.check()
        asyncio.run(run())
    run_it.__doc__ = test.__doc__
    return run_it


async def reports(client: Client) -> list[dict[str, Any]]:
    """The executionReports that came."""
    return [event["event"] for event in await client.settle() if event["event"]["e"] == "executionReport"]


def short(events: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [(event["x"], event["X"], event["c"]) for event in events]


@story
async def test_expire_taker(venue: Running, alice: Client, bob: Client) -> None:
    await alice.ok("order.place", **limit("SELL", "50000", "0.1", newClientOrderId="m"))
    taken = await bob.ok("order.place", **limit(
        "BUY", "50000", "0.3", newClientOrderId="t", selfTradePreventionMode="EXPIRE_TAKER"))
    assert (taken["status"], taken["executedQty"], taken["selfTradePreventionMode"]) == (
        "EXPIRED_IN_MATCH", ZERO, "EXPIRE_TAKER")
    assert (taken["preventedMatchId"], taken["preventedQuantity"], taken["fills"]) == (1, "0.30000000", [])
    assert "expiryReason" not in taken
    assert short(await reports(alice)) == [("NEW", "NEW", "m")], "the maker lost nothing"
    new, end = await reports(bob)
    maker = (await alice.ok("order.status", **BTC, origClientOrderId="m"))
    assert short([new, end]) == [("NEW", "NEW", "t"), ("TRADE_PREVENTION", "EXPIRED_IN_MATCH", "t")]
    assert (new["V"], "v" in new) == ("EXPIRE_TAKER", False)
    assert {name: end[name] for name in ("V", "v", "A", "B", "u", "U", "Cs", "pl", "pL", "pY", "C", "l", "w")} == {
        "V": "EXPIRE_TAKER", "v": 1, "A": "0.30000000", "B": "0.30000000", "u": 7, "U": maker["orderId"],
        "Cs": "BTCUSDT", "pl": "0.10000000", "pL": "50000.00000000", "pY": "5000.00000000", "C": "", "l": ZERO,
        "w": False}
    assert (maker["status"], "preventedMatchId" in maker) == ("NEW", False)


@story
async def test_expire_maker(venue: Running, alice: Client, bob: Client) -> None:
    await alice.ok("order.place", **limit("SELL", "50000", "0.1", newClientOrderId="m"))
    taken = await bob.ok("order.place", **limit("BUY", "50000", "0.3", selfTradePreventionMode="EXPIRE_MAKER"))
    assert (taken["status"], "preventedMatchId" in taken) == ("NEW", False)
    assert short(await reports(alice)) == [("NEW", "NEW", "m"), ("TRADE_PREVENTION", "EXPIRED_IN_MATCH", "m")]
    gone = await alice.ok("order.status", **BTC, origClientOrderId="m")
    assert (gone["status"], gone["preventedMatchId"], gone["preventedQuantity"]) == (
        "EXPIRED_IN_MATCH", 1, "0.10000000")
    rows = await bob.ok("myPreventedMatches", **BTC, preventedMatchId=1)
    assert rows == await alice.ok("myPreventedMatches", **BTC, orderId=gone["orderId"])
    assert rows == [{
        "symbol": "BTCUSDT", "preventedMatchId": 1, "takerOrderId": taken["orderId"], "makerSymbol": "BTCUSDT",
        "makerOrderId": gone["orderId"], "tradeGroupId": 7, "selfTradePreventionMode": "EXPIRE_MAKER",
        "price": "50000.00000000", "makerPreventedQuantity": "0.10000000", "transactTime": taken["transactTime"]}]
    assert await alice.error("myPreventedMatches", **BTC) == (
        400, -1102, "Param 'preventedMatchId' or 'orderId' must be sent, but both were empty/null!")
    assert (await alice.error("myPreventedMatches", **BTC, preventedMatchId=1, orderId=2))[1] == -1128


@story
async def test_decrement(venue: Running, alice: Client, bob: Client) -> None:
    """Both lose the overlap and keep showing the quantity they were placed with; the smaller one expires."""
    await alice.ok("order.place", **limit("SELL", "50000", "0.1", newClientOrderId="m"))
    taken = await bob.ok("order.place", **limit(
        "BUY", "50000", "0.3", newClientOrderId="t", selfTradePreventionMode="DECREMENT"))
    assert (taken["status"], taken["origQty"], taken["executedQty"], taken["preventedQuantity"]) == (
        "NEW", "0.30000000", ZERO, "0.10000000")
    assert short(await reports(alice))[1:] == [("TRADE_PREVENTION", "EXPIRED_IN_MATCH", "m")]
    new, less = await reports(bob)
    assert (less["x"], less["X"], less["A"], less["B"], less["q"], less["w"]) == (
        "TRADE_PREVENTION", "NEW", "0.10000000", "0.10000000", "0.30000000", True)
    assert len({new["I"], less["I"]}) == 2 and less["I"] < 2**53
    state = await bob.ok("order.status", **BTC, origClientOrderId="t")
    assert (state["origQty"], state["preventedQuantity"]) == ("0.30000000", "0.10000000")
    amended = (await bob.ok("order.amend.keepPriority", **BTC, orderId=taken["orderId"], newQty="0.25"))["amendedOrder"]
    assert (amended["qty"], amended["preventedQty"]) == ("0.25000000", "0.10000000")
    assert venue.core.depth(1, BUY, 1) == [(5_000_000, 1500)]
    gone = await bob.ok("order.cancel", **BTC, orderId=taken["orderId"])
    assert (gone["origQty"], gone["preventedQuantity"], gone["selfTradePreventionMode"]) == (
        "0.25000000", "0.10000000", "DECREMENT")


@story
async def test_hostile_modes(venue: Running, alice: Client, bob: Client) -> None:
    before = venue.core.state_hash()
    for mode in ("", "expire_taker", "TRANSFER", "1", True, 3):
        assert await alice.error("order.place", **limit("BUY", "50000", "0.1", selfTradePreventionMode=mode)) == (
            400, -1013, "This symbol does not allow the specified self-trade prevention mode.")
    assert venue.core.state_hash() == before


@story
async def test_a_group_stays_unless_it_is_sent(venue: Running, alice: Client, bob: Client) -> None:
    await venue.ok(0, "admin.account", account=ALICE, label="again")
    assert venue.core.trade_group(ALICE) == 7
    await venue.ok(0, "admin.account", account=ALICE, trade_group=0)
    assert venue.core.trade_group(ALICE) == 0


def test_no_drift_from_the_core_and_replies_agree_with_the_state() -> None:
    """3,000 random orders in all modes: open orders are the core's, and each FULL reply says what order.status says."""
    choose = random.Random(11)
    bench = Bench()
    instrument = Catalog.of(bench.core).by_id[1]
    bench.batch.account(2, 0, b"", 5)
    bench.batch.account(3, 0, b"", 5)
    bench.apply()
    for number in range(3000):
        order_type, amount = (MARKET, choose.choice((0, 900))) if choose.random() < 0.2 else (0, 0)
        bench.batch.place(
            choose.choice(ACCOUNTS), 1, choose.choice((BUY, SELL)), order_type,
            GTC if order_type else choose.choice((GTC, GTC, IOC, FOK)), 0 if order_type else choose.randint(95, 105),
            0 if amount else choose.randint(1, 20), amount, str(number), choose.choice(list(SelfTrade)))
        events = bench.apply()
        if events[0].kind != 4:
            continue
        said = order_result(events, instrument, 1, True)
        order = bench.store.get(events[0].account, events[0].order_id)
        state = order_state(order, instrument, 1)
        assert said.status == state.status, order
        assert (said.orig_qty, said.executed_qty, said.cummulative_quote_qty) == (
            state.orig_qty, state.executed_qty, state.cummulative_quote_qty)
        assert said.prevented_quantity == state.prevented_quantity
        compare_open(bench)
    found = {order.status for order in bench.store.closed.values()}
    assert found == {"FILLED", "EXPIRED", "EXPIRED_IN_MATCH"}
    bench.core.check()


def compare_open(bench: Bench) -> None:
    """As test_order_store.compare; its rules hold for decremented orders as well."""
    compare(bench)
    assert all(0 <= order.decremented_lots <= order.prevented_lots for order in bench.store.open.values())
