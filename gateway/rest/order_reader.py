"""An account's orders that have ended, from the ledger: what allOrders shows beside the open ones.

The exchange itself knows open orders and the last closed ones; all others are here, however old, unless their part of
the ledger was archived. An order is here as soon as the ledger contains the command that ended it: ask
`Reader.catch_up` first, or an order that has just ended may be neither open nor here.
"""
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from engine.core.codes import Code, OrderType, SelfTrade, Side, TimeInForce
from gateway.order_store import CANCELED, EXPIRED, EXPIRED_IN_MATCH, FILLED
from gateway.rest.reader import Reader

_MOST = 2**63 - 1
_ASKED_FOR = (Code.REQUESTED, Code.MASS_CANCEL, Code.DISCONNECTED, Code.TIMER, Code.KILL)


class ClosedOrder(Struct, frozen=True, kw_only=True):
    """One order as it ended; quantities in lots, amounts in quote minor units. `code`: why, 0 when it was filled.

    list_id to stp are 0 of orders that ended before the ledger's tables had them (version 7); stp also of one that
    rested while the ledger worker was started.
    """

    order_id: int
    client_id: str
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    price_ticks: int
    qty_lots: int
    amount: int             # of a market order by amount: the quote asked for
    executed_lots: int
    quote_filled: int
    status: str             # FILLED, CANCELED, EXPIRED or EXPIRED_IN_MATCH
    code: int
    list_id: int            # 0: it was no leg of an order list
    stop_ticks: int
    display_lots: int       # 0: all of it was shown
    trailing_bps: int
    stp: SelfTrade
    time_ns: int            # placed
    update_ns: int          # ended


async def closed_orders(
    reader: Reader, account: int, instrument: int, limit: int, *, from_id: int | None = None,
    first_ns: int | None = None, last_ns: int | None = None,
) -> list[ClosedOrder]:
    """At most `limit`, oldest first: with from_id or first_ns the oldest from there on, else the newest.

    Times are of placing, both ends included. Raises Refusal when Postgres does not answer.
    """
    last = _MOST if last_ns is None else last_ns
    if from_id is None and first_ns is None:
        rows = await reader.fetch("closed_orders_newest", account, instrument, last, limit)
        return [_order(row) for row in reversed(rows)]
    rows = await reader.fetch("closed_orders", account, instrument, from_id or 0, first_ns or 0, last, limit)
    return [_order(row) for row in rows]


def _order(row: Mapping[str, Any]) -> ClosedOrder:
    return ClosedOrder(
        order_id=row["order_id"], client_id=row["client_id"], side=Side(row["side"]),
        order_type=OrderType(row["order_type"]), time_in_force=TimeInForce(row["time_in_force"]),
        price_ticks=row["price_ticks"], qty_lots=row["qty_lots"], amount=row["amount"],
        executed_lots=row["executed_lots"], quote_filled=row["quote_filled"], status=_status(row["code"]),
        code=row["code"], list_id=row["list_id"], stop_ticks=row["stop_ticks"], display_lots=row["display_lots"],
        trailing_bps=row["trailing_bps"], stp=SelfTrade(row["stp"]), time_ns=row["time_ns"], update_ns=row["update_ns"])


def _status(code: int) -> str:
    if code == Code.NONE:
        return FILLED
    if code == Code.STP:
        return EXPIRED_IN_MATCH
    return CANCELED if code in _ASKED_FOR else EXPIRED
