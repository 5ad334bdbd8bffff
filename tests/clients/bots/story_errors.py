"""Each kind of refusal becomes what the client library has for it."""
from collections.abc import Awaitable
from typing import Any

from account import Account
from report import same

UNKNOWN_ORDER = 999_999_999


async def errors(me: Account, other: Account) -> None:
    """All of them; those that are not as they should be are named together."""
    attempts: dict[str, Awaitable[Any]] = {
        "insufficient": _buy(me, 9000, 900_000),
        "price filter": _buy(me, 1, 3000.001), "lot size": _buy(me, 0.123456, 3000), "notional": _buy(me, 0.001, 100),
        "unknown order": me.order(UNKNOWN_ORDER), "cancel of none": me.cancel(UNKNOWN_ORDER),
        "signature": me.stranger("secret"), "clock": me.stranger("clock")}
    found = {name: await _outcome(me, attempt) for name, attempt in attempts.items()}
    same(found, {name: me.errors[name] for name in attempts})


def _buy(me: Account, quantity: float, price: float) -> Awaitable[Any]:
    return me.place(side="BUY", type="LIMIT", timeInForce="GTC", quantity=quantity, price=price)


async def _outcome(me: Account, attempt: Awaitable[Any]) -> str:
    try:
        return f"not refused: {await attempt}"
    except Exception as error:
        return me.explain(error)
