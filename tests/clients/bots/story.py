"""The orders of a day: every type, amendments, lists, prevention, fees, errors, and the money at the end.

Two accounts of one client library trade with each other where nobody else does, so everything is known beforehand.
"""
import time
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

from account import Account, Answer, clear
from report import Day, same, wait_until
from story_errors import errors
from story_lists import LISTS

Scene = Callable[[Account, Account], Awaitable[None]]


def filled(answer: Answer) -> tuple[str, Decimal]:
    """Status and executed quantity."""
    return answer["status"], Decimal(str(answer["executedQty"])).normalize()


async def limit(account: Account, side: str, quantity: float, price: float, **more: Any) -> Answer:
    """A limit order, GTC unless said otherwise."""
    return await account.place(**{"side": side, "type": "LIMIT", "timeInForce": "GTC", "quantity": quantity,
                                  "price": price, **more})


async def becomes(account: Account, order: Answer, status: str) -> Answer:
    """Wait for the order's status."""
    async def reached() -> Answer | None:
        found = await account.order(order["orderId"])
        return found if found["status"] == status else None
    found: Answer = await wait_until(reached, f"order {order['orderId']} {status}")
    return found


async def trade_at(price: float, me: Account, other: Account) -> None:
    """One trade, so that this is the last price."""
    await limit(other, "SELL", 0.01, price)
    same(filled(await limit(me, "BUY", 0.01, price, timeInForce="IOC"))[0], "FILLED")


async def resting(me: Account, other: Account) -> None:
    """Placed, found, listed, canceled."""
    order = await limit(me, "BUY", 1, 2900)
    same(filled(order), ("NEW", Decimal(0)))
    same((await me.order(order["orderId"]))["status"], "NEW")
    same([each["orderId"] for each in await me.open_orders()], [order["orderId"]])
    same((await me.cancel(order["orderId"]))["status"], "CANCELED")
    same((await me.order(order["orderId"]))["status"], "CANCELED")
    same(await me.open_orders(), [])


async def market(me: Account, other: Account) -> None:
    """By quantity and by what is spent."""
    await limit(other, "SELL", 2, 3000)
    bought = await me.place(side="BUY", type="MARKET", quantity=0.5)
    same((*filled(bought), Decimal(str(bought["cummulativeQuoteQty"]))), ("FILLED", Decimal("0.5"), Decimal(1500)))
    spent = await me.place(side="BUY", type="MARKET", quoteOrderQty=600)
    same(filled(spent), ("FILLED", Decimal("0.2")))


async def post_only(me: Account, other: Account) -> None:
    """Rests, or is refused."""
    await limit(other, "SELL", 1, 3000)
    order = await me.place(side="BUY", type="LIMIT_MAKER", quantity=1, price=2999)
    same((await me.order(order["orderId"]))["status"], "NEW")
    await refused(me, "would match", me.place(side="BUY", type="LIMIT_MAKER", quantity=1, price=3001))


async def refused(account: Account, name: str, attempt: Awaitable[Any]) -> None:
    """It must raise what the library has for that."""
    try:
        answer = await attempt
    except Exception as error:
        same(account.explain(error), account.errors[name])
    else:
        raise AssertionError(f"{name}: not refused: {answer}")


async def ioc_and_fok(me: Account, other: Account) -> None:
    """What is there at once, or all, or nothing."""
    await limit(other, "SELL", 0.3, 3000)
    same(filled(await limit(me, "BUY", 1, 3000, timeInForce="IOC")), ("EXPIRED", Decimal("0.3")))
    await limit(other, "SELL", 0.3, 3000)
    same(filled(await limit(me, "BUY", 1, 3000, timeInForce="FOK")), ("EXPIRED", Decimal(0)))
    same(filled(await limit(me, "BUY", 0.3, 3000, timeInForce="FOK")), ("FILLED", Decimal("0.3")))


async def stops(me: Account, other: Account) -> None:
    """A stop-loss of each kind waits, and is set off by a trade."""
    await trade_at(3000, me, other)
    stop = await me.place(side="BUY", type="STOP_LOSS_LIMIT", timeInForce="GTC", quantity=1, price=3110, stopPrice=3100)
    market_stop = await me.place(side="SELL", type="STOP_LOSS", quantity=1, stopPrice=2900)
    same(len(await me.open_orders()), 2)
    await trade_at(3100, me, other)
    await becomes(me, stop, "NEW")
    await limit(other, "SELL", 1, 3105)
    await becomes(me, stop, "FILLED")
    await limit(other, "BUY", 1, 2890)
    await limit(other, "BUY", 0.01, 2900)
    await limit(me, "SELL", 0.01, 2900, timeInForce="IOC")
    same(filled(await becomes(me, market_stop, "FILLED")), ("FILLED", Decimal(1)))


async def take_profits(me: Account, other: Account) -> None:
    """The same the other way round."""
    await trade_at(3000, me, other)
    profit = await me.place(side="SELL", type="TAKE_PROFIT", quantity=1, stopPrice=3200)
    limited = await me.place(side="SELL", type="TAKE_PROFIT_LIMIT", timeInForce="GTC", quantity=1, price=3150,
                             stopPrice=3200)
    await limit(other, "BUY", 2, 3160)
    await limit(me, "SELL", 0.01, 3200)
    await limit(other, "BUY", 0.01, 3200, timeInForce="IOC")
    await becomes(me, profit, "FILLED")
    await becomes(me, limited, "FILLED")


async def until_a_date(me: Account, other: Account) -> None:
    """GTD, which is this venue's own."""
    order = await limit(me, "BUY", 1, 2900, timeInForce="GTD", goodTillDate=int(time.time() * 1000) + 1500)
    same(order["status"], "NEW")
    await becomes(me, order, "EXPIRED")


async def amending(me: Account, other: Account) -> None:
    """Smaller where it stands: it is still the first in its queue."""
    first = await limit(me, "SELL", 2, 3000)
    second = await limit(me, "SELL", 2, 3000)
    amended = (await me.amend(first["orderId"], 1))["amendedOrder"]
    same(Decimal(str(amended["qty"])), Decimal(1))
    await limit(other, "BUY", 1, 3000, timeInForce="IOC")
    await becomes(me, first, "FILLED")
    same((await me.order(second["orderId"]))["status"], "NEW")


async def replacing(me: Account, other: Account) -> None:
    """One goes and one comes; not without the first."""
    old = await limit(me, "BUY", 1, 2900)
    wanted = {"side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": 2, "price": 2910}
    new = await me.replace(old["orderId"], **wanted)
    same((await me.order(old["orderId"]))["status"], "CANCELED")
    found = await me.order(new["orderId"])
    same((found["status"], Decimal(str(found["origQty"]))), ("NEW", Decimal(2)))
    await refused(me, "replace", me.replace(old["orderId"], **wanted))


async def prevention(me: Account, other: Account) -> None:
    """Nobody trades with himself; which order goes is as asked."""
    for mode, taker, maker in (("EXPIRE_TAKER", "EXPIRED_IN_MATCH", "NEW"), ("EXPIRE_MAKER", "NEW", "EXPIRED_IN_MATCH"),
                               ("EXPIRE_BOTH", "EXPIRED_IN_MATCH", "EXPIRED_IN_MATCH"),
                               ("DECREMENT", "EXPIRED_IN_MATCH", "NEW")):
        resting = await limit(me, "SELL", 2, 3000)
        coming = await limit(me, "BUY", 1, 3000, selfTradePreventionMode=mode)
        same((mode, coming["status"], (await me.order(resting["orderId"]))["status"]), (mode, taker, maker))
        await clear(me)


async def partial_fills(me: Account, other: Account) -> None:
    """In two parts, with the fees of a maker and of a taker."""
    known = {trade["id"] for trade in await me.trades()}
    order = await limit(me, "SELL", 3, 3000)
    bought = await limit(other, "BUY", 1, 3000, timeInForce="IOC")
    fee = [(Decimal(str(fill["commission"])), fill["commissionAsset"]) for fill in bought.get("fills", [])]
    same(fee, [(Decimal("0.002"), "ETH")])
    same(filled(await becomes(me, order, "PARTIALLY_FILLED")), ("PARTIALLY_FILLED", Decimal(1)))
    await limit(other, "BUY", 2, 3000, timeInForce="IOC")
    await becomes(me, order, "FILLED")

    async def both() -> list[Answer]:
        rows = [trade for trade in await me.trades() if trade["id"] not in known]
        return rows if len(rows) == 2 else []
    rows = await wait_until(both, "two trades")
    same([(Decimal(str(row["commission"])), row["commissionAsset"], row["isMaker"]) for row in rows],
         [(Decimal(3), "USDT", True), (Decimal(6), "USDT", True)])


SCENES: dict[str, Scene] = {
    "a limit order rests and is canceled": resting, "market by quantity and quote": market, "post-only": post_only,
    "IOC and FOK": ioc_and_fok, "stop-losses trigger": stops, "take-profits trigger": take_profits,
    "good till a date": until_a_date, "amend keeps priority": amending, "cancel and replace": replacing,
    "self-trade prevention": prevention, "partial fills and fees": partial_fills, **LISTS, "errors": errors}


async def whole_story(day: Day, name: str, me: Account, other: Account) -> None:
    """All scenes, then the money and the events."""
    await clear(me, other)
    begin, known = await me.balances(), {trade["id"] for trade in await me.trades()}
    for title, scene in SCENES.items():
        if scene is until_a_date and not me.can_gtd:
            continue

        async def act(scene: Scene = scene) -> None:
            try:
                await scene(me, other)
            finally:
                await clear(me, other)
        await day.step(f"{name}: {title}", act)
    await day.step(f"{name}: balances to the unit", lambda: money(me, begin, known))
    await day.step(f"{name}: private events", lambda: events_are_complete(me, known))


async def money(me: Account, begin: dict[str, tuple[Decimal, Decimal]], known: set[int]) -> None:
    """What was there, and all trades since, give what is there."""
    async def agrees() -> bool:
        wanted = {asset: free + locked for asset, (free, locked) in begin.items()}
        for trade in [trade for trade in await me.trades() if trade["id"] not in known]:
            sign = 1 if trade["isBuyer"] else -1
            wanted["ETH"] += sign * Decimal(str(trade["qty"]))
            wanted["USDT"] -= sign * Decimal(str(trade["quoteQty"]))
            wanted[trade["commissionAsset"]] -= Decimal(str(trade["commission"]))
        found = {asset: free + locked for asset, (free, locked) in (await me.balances()).items()}
        return all(found[asset] == amount for asset, amount in wanted.items())
    await wait_until(agrees, "balances that follow from the trades")
    same({asset: locked for asset, (_, locked) in (await me.balances()).items() if locked}, {})


async def events_are_complete(me: Account, known: set[int]) -> None:
    """Each trade was told once; the last report of each order has its status; the last balances are right."""
    if await me.events() is None:
        return
    trades = sorted(trade["id"] for trade in await me.trades() if trade["id"] not in known)

    async def told() -> bool:
        reports = [event for event in await me.events() or [] if event["e"] == "executionReport"]
        return sorted(event["t"] for event in reports if event["x"] == "TRADE") == trades
    await wait_until(told, f"all {len(trades)} trades told once")
    events = await me.events() or []
    last = {event["i"]: event["X"] for event in events if event["e"] == "executionReport"}
    for order_id, status in last.items():
        same((order_id, (await me.order(order_id))["status"]), (order_id, status))
    positions = [event for event in events if event["e"] == "outboundAccountPosition"]
    told_balances = {row["a"]: (Decimal(row["f"]), Decimal(row["l"])) for event in positions for row in event["B"]}
    balances = await me.balances()
    same(told_balances, {asset: balances[asset] for asset in told_balances})
