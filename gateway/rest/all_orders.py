"""allOrders: an account's orders of a symbol, open and ended, in the order of their ids.

Those that ended are the ledger's, the open ones the exchange's. The exchange is asked first and then the ledger waited
for, so that an order that ends meanwhile is in one of the two at least; the one that ended counts. What only the
exchange knows of an order (what was prevented, since when it trailed or worked) is shown while it is open.
"""
from msgspec import UNSET

from engine.instruments import Instrument
from gateway.door_client import DoorClient
from gateway.order_terms import needed
from gateway.protocol import NO_LIST, ORDER_TYPES, SIDES, STP_MODES, TIMES_IN_FORCE, OrderState, encode
from gateway.ranges import Params, limit, number, span_ns
from gateway.rest.instruments import Instruments
from gateway.rest.order_reader import ClosedOrder, closed_orders
from gateway.rest.reader import Reader
from gateway.rest.replies import result_of

_NS_PER_US = 1000


class AllOrders:
    """The method takes (account, params, unit_ns), gives JSON and raises Refusal."""

    def __init__(self, door: DoorClient, instruments: Instruments, reader: Reader) -> None:
        self._door, self._instruments, self._reader = door, instruments, reader

    async def find(self, account: int, params: Params, unit_ns: int) -> bytes:
        """allOrders: from orderId or startTime on the oldest, else the newest, up to endTime."""
        rows_max, from_id, (first_ns, last_ns) = limit(params), number(params, "orderId"), span_ns(params)
        symbol = needed(params, "symbol")
        instrument = await self._instruments.find(symbol)
        found = {order.order_id: order for order in await self._open(account, symbol, unit_ns)
                 if order.order_id >= (from_id or 0) and first_ns <= order.time * unit_ns + unit_ns - 1
                 and order.time * unit_ns <= last_ns}
        await self._reader.catch_up()
        for ended in await closed_orders(
                self._reader, account, instrument.id, rows_max, from_id=from_id,
                first_ns=first_ns if "startTime" in params else None, last_ns=last_ns):
            found[ended.order_id] = _state(ended, instrument, unit_ns)
        ids = sorted(found)
        forward = from_id is not None or "startTime" in params
        return encode([found[wanted] for wanted in (ids[:rows_max] if forward else ids[-rows_max:])])

    async def _open(self, account: int, symbol: str, unit_ns: int) -> list[OrderState]:
        params = {"symbol": symbol} | ({"timeUnit": "MICROSECOND"} if unit_ns == _NS_PER_US else {})
        return result_of(await self._door.call(account, "openOrders.status", params), list[OrderState])


def _state(order: ClosedOrder, instrument: Instrument, unit_ns: int) -> OrderState:
    time = order.time_ns // unit_ns
    return OrderState(
        instrument.symbol, order.order_id, order.list_id or NO_LIST, order.client_id,
        instrument.price_text(order.price_ticks), instrument.qty_text(order.qty_lots or order.executed_lots),
        instrument.qty_text(order.executed_lots), instrument.quote_text(order.quote_filled), order.status,
        TIMES_IN_FORCE[order.time_in_force], ORDER_TYPES[order.order_type], SIDES[order.side],
        instrument.price_text(order.stop_ticks), instrument.qty_text(order.display_lots), time,
        order.update_ns // unit_ns, True, time, instrument.quote_text(order.amount), STP_MODES[order.stp],
        trailing_delta=order.trailing_bps or UNSET)
