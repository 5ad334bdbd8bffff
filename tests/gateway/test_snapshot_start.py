"""A venue that starts from a snapshot answers, and tells its streams, what one does that replays the whole journal.

Both begin with the same data directory: open orders of all kinds that last, in every stage they can be in.
"""
import asyncio
import shutil
import time
from pathlib import Path
from typing import Any

from tests.gateway.running import ALICE, BOB, Client, Running, furnish, limit, running
from tests.gateway.test_stop_orders import BTC, stop, trade_at
from tests.gateway.test_trailing_stops import trailing
from tests.support.waiting import STORY_SECONDS_MAX

FROM_SNAPSHOT, WHOLE = {"told_commands": 1}, {"told_commands": 1_000_000}
PENDING = {"pendingSide": "SELL", "pendingQuantity": "0.1"}
PAIR = {**PENDING, "pendingAboveType": "LIMIT_MAKER", "pendingAbovePrice": "60000", "pendingBelowType": "STOP_LOSS",
        "pendingBelowStopPrice": "40000"}
LEG = {**PENDING, "pendingType": "LIMIT", "pendingTimeInForce": "GTC"}


def working(name: str, price: str, quantity: str = "0.1") -> dict[str, Any]:
    return {**BTC, "workingType": "LIMIT", "workingSide": "BUY", "workingPrice": price, "workingQuantity": quantity,
            "workingTimeInForce": "GTC", "workingClientOrderId": f"{name}-w", "listClientOrderId": name}


async def place_all(alice: Client, bob: Client) -> None:
    """Last price 50,000; ALICE's book of everything."""
    await trade_at(alice, bob, "50000")
    await alice.ok("order.place", **limit("BUY", "48000", "0.5", newClientOrderId="plain"))
    await alice.ok("order.place", **limit("SELL", "70000", "0.3", newClientOrderId="part"))
    await alice.ok("order.amend.keepPriority", **BTC, origClientOrderId="part", newQty="0.2")
    await alice.ok("order.place", **stop("SELL", "STOP_LOSS", "30000", newClientOrderId="stop"))
    await alice.ok("order.place", **trailing("SELL", "STOP_LOSS", 2000, newClientOrderId="trails"))
    await alice.ok("order.place", **stop("BUY", "TAKE_PROFIT", "31000", "66000", trailingDelta="100"))
    await alice.ok("order.place", **stop("BUY", "STOP_LOSS", "65000", "66000", newClientOrderId="stop-limit",
                                         selfTradePreventionMode="EXPIRE_MAKER"))
    await alice.ok("order.place", **stop("BUY", "TAKE_PROFIT", "49900", "49000", newClientOrderId="set-off"))
    await alice.ok("orderList.place.oco", **BTC, side="SELL", quantity="0.1", aboveType="LIMIT_MAKER",
                   abovePrice="61000", belowType="STOP_LOSS_LIMIT", belowStopPrice="41000", belowPrice="40500",
                   belowTimeInForce="GTC", aboveClientOrderId="up", belowClientOrderId="down", listClientOrderId="oco")
    for name, price in (("oto", "47000"), ("oto-begun", "49950"), ("oto-done", "49960")):
        await alice.ok("orderList.place.oto", **working(name, price), **LEG, pendingPrice="55000",
                       pendingClientOrderId=f"{name}-p")
    for name, price in (("otoco", "46000"), ("otoco-begun", "49970")):
        await alice.ok("orderList.place.otoco", **working(name, price), **PAIR,
                       pendingAboveClientOrderId=f"{name}-a", pendingBelowClientOrderId=f"{name}-b")
    await bob.ok("order.place", **limit("SELL", "49960", "0.2"))    # fills the working legs of two lists
    await bob.ok("order.place", **limit("SELL", "49950", "0.05"))   # and a part of a third's
    await bob.ok("order.place", **limit("BUY", "49900", "0.01"))
    await bob.ok("order.place", **limit("SELL", "49900", "0.06"))   # sets off a stop limit, which rests


async def everything(alice: Client) -> list[Any]:
    """What can be asked."""
    shown: list[Any] = [await alice.ok("openOrders.status"), await alice.ok("openOrderLists.status")]
    shown += [await alice.ok("order.status", **BTC, orderId=order["orderId"]) for order in shown[0]]
    shown += [await alice.ok("orderList.status", orderListId=each["orderListId"]) for each in shown[1]]
    shown += [await alice.ok("orderList.status", origClientOrderId=each["listClientOrderId"]) for each in shown[1]]
    shown.append((await alice.ok("account.status"))["balances"])
    shown += [await alice.ok(method, signed=False, **BTC) for method in ("depth", "ticker.book", "ticker.price")]
    return shown


async def go_on(alice: Client, bob: Client) -> None:
    """Something happens to each of them."""
    await bob.ok("order.place", **limit("SELL", "46000", "2"))              # every working leg; pending ones follow
    await bob.ok("order.place", **limit("BUY", "56000", "2"))
    await alice.ok("orderList.cancel", **BTC, listClientOrderId="oco", newClientOrderId="bye")
    await alice.ok("order.cancel", **BTC, origClientOrderId="otoco-a", newClientOrderId="leg")
    await bob.ok("order.place", **limit("SELL", "29000", "0.01"))
    await bob.ok("openOrders.cancelAll", **BTC)
    await bob.ok("order.place", **limit("BUY", "71000", "1"))


def without_times(value: Any, since_ms: int) -> Any:
    """Times of this run made alike; older ones stay."""
    if isinstance(value, dict):
        return {key: without_times(each, since_ms) for key, each in value.items()}
    if isinstance(value, list):
        return [without_times(each, since_ms) for each in value]
    return "now" if isinstance(value, int) and since_ms <= value < 2**42 else value


def without_ended(value: Any) -> Any:
    """Closed orders are known if they are told at the start: a leg that ended before is missing in its list."""
    if isinstance(value, dict):
        return {key: without_ended(each) for key, each in value.items()}
    if isinstance(value, list):
        return [without_ended(each) for each in value if not (
            isinstance(each, dict) and {"c", "clientOrderId"} & each.keys() and len(each) == 3
            and each.get("c", each.get("clientOrderId")) in ("oto-begun-w", "oto-done-w", "otoco-begun-w"))]
    return value


async def lived(folder: Path, snapshots: dict[str, int], keys: Any) -> Any:
    """What a venue started there says, and tells until its orders are gone; and the snapshot it used."""
    async with running(folder, snapshots=snapshots) as venue:
        venue.keys = keys
        async with venue.client(ALICE) as alice, venue.client(BOB) as bob:
            before, since_ms = await everything(alice), int(time.time() * 1000)
            await alice.ok("userDataStream.subscribe.signature")
            await go_on(alice, bob)
            told = [each["event"] for each in await alice.settle()]
            venue.core.check()
            after = without_times([await everything(alice), told], since_ms)
            return before, after, venue.server.venue.engine.recovered.loaded_seq


async def prepared(venue: Running) -> list[Any]:
    await furnish(venue)
    async with venue.client(ALICE) as alice, venue.client(BOB) as bob:
        await place_all(alice, bob)
        return await everything(alice)


def test_every_query_and_stream_is_as_after_a_whole_replay(tmp_path: Path) -> None:
    async def story() -> None:
        async with running(tmp_path / "one", snapshots=FROM_SNAPSHOT) as venue:
            live = await prepared(venue)
            keys = venue.keys
        assert len(live[0]) > 10 and len(live[1]) > 4
        shutil.copytree(tmp_path / "one", tmp_path / "other", ignore=shutil.ignore_patterns("run"))
        results = []
        for folder, snapshots in ((tmp_path / "one", FROM_SNAPSHOT), (tmp_path / "other", WHOLE)):
            results.append(await lived(folder, snapshots, keys))
        (before, after, loaded_seq), (before_whole, after_whole, none) = results
        assert loaded_seq > 0 and none == 0
        assert before_whole == live and after[1], "nothing was told"
        for mine, whole in zip(before + after[0] + after[1], live + after_whole[0] + after_whole[1], strict=True):
            assert without_ended(mine) == without_ended(whole)
    asyncio.run(asyncio.wait_for(story(), STORY_SECONDS_MAX))
