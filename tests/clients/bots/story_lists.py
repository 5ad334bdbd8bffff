"""Order lists: one cancels the other, one triggers another, and both; filled, and canceled as a whole."""
from account import Account, Answer
from report import same, wait_until

PAIR = {"aboveType": "LIMIT_MAKER", "abovePrice": 3200, "belowType": "STOP_LOSS_LIMIT", "belowStopPrice": 2800,
        "belowPrice": 2790, "belowTimeInForce": "GTC"}


async def take(account: Account, side: str, price: float) -> None:
    """Trade with what stands there."""
    await account.place(side=side, type="LIMIT", timeInForce="IOC", quantity=1, price=price)


async def statuses(account: Account, placed: Answer) -> list[str]:
    """Of the orders of a list, by their number."""
    orders = sorted(each["orderId"] for each in placed["orders"])
    return [(await account.order(order))["status"] for order in orders]


async def become(account: Account, placed: Answer, wanted: list[str]) -> None:
    """Wait until the list's orders are so."""
    async def reached() -> bool:
        return sorted(await statuses(account, placed)) == sorted(wanted)
    await wait_until(reached, f"{wanted}: {await statuses(account, placed)}")


async def last_price(me: Account, other: Account) -> None:
    """3000."""
    await other.place(side="SELL", type="LIMIT", timeInForce="GTC", quantity=1, price=3000)
    await take(me, "BUY", 3000)


async def one_cancels_other(me: Account, other: Account) -> None:
    """A limit maker above, a stop-loss below: the first is filled."""
    await last_price(me, other)
    pair = await me.place_list("oco", side="SELL", quantity=1, **PAIR)
    same((pair["contingencyType"], pair["listOrderStatus"], len(pair["orders"])), ("OCO", "EXECUTING", 2))
    await become(me, pair, ["NEW", "NEW"])
    await take(other, "BUY", 3200)
    await become(me, pair, ["EXPIRED", "FILLED"])


async def the_stop_of_a_pair(me: Account, other: Account) -> None:
    """The same, and the price falls to the stop."""
    await last_price(me, other)
    pair = await me.place_list("oco", side="SELL", quantity=1, **PAIR)
    await other.place(side="BUY", type="LIMIT", timeInForce="GTC", quantity=1, price=2795)
    await other.place(side="BUY", type="LIMIT", timeInForce="GTC", quantity=1, price=2800)
    await take(me, "SELL", 2800)
    await become(me, pair, ["EXPIRED", "FILLED"])


async def one_triggers_other(me: Account, other: Account) -> None:
    """A buy; when it is filled, a sell."""
    chain = await me.place_list("oto", workingType="LIMIT", workingSide="BUY", workingPrice=2950, workingQuantity=1,
                                workingTimeInForce="GTC", pendingType="LIMIT", pendingSide="SELL", pendingPrice=3050,
                                pendingQuantity=1, pendingTimeInForce="GTC")
    await take(other, "SELL", 2950)
    await become(me, chain, ["FILLED", "NEW"])
    await take(other, "BUY", 3050)
    await become(me, chain, ["FILLED", "FILLED"])


async def one_triggers_a_pair(me: Account, other: Account) -> None:
    """A buy; when it is filled, a pair of sells."""
    pending = {"pending" + name[0].upper() + name[1:]: value for name, value in PAIR.items()}
    chain = await me.place_list("otoco", workingType="LIMIT", workingSide="BUY", workingPrice=2950, workingQuantity=1,
                                workingTimeInForce="GTC", pendingSide="SELL", pendingQuantity=1, **pending)
    same(len(chain["orders"]), 3)
    await take(other, "SELL", 2950)
    await become(me, chain, ["FILLED", "NEW", "NEW"])
    await take(other, "BUY", 3200)
    await become(me, chain, ["EXPIRED", "FILLED", "FILLED"])


async def canceled(me: Account, other: Account) -> None:
    """A list goes as a whole."""
    await last_price(me, other)
    pair = await me.place_list("oco", side="SELL", quantity=1, **PAIR)
    done = await me.cancel_list(pair["orderListId"])
    same((done["listOrderStatus"], await statuses(me, pair)), ("ALL_DONE", ["CANCELED", "CANCELED"]))


LISTS = {"OCO, the limit is filled": one_cancels_other, "OCO, the stop is set off": the_stop_of_a_pair,
         "OTO": one_triggers_other, "OTOCO": one_triggers_a_pair, "a list is canceled": canceled}
