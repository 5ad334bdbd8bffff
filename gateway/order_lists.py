"""Order lists as they stand: one-cancels-other and one-triggers-other, for queries, replies and listStatus events.

Fed with the events of every applied frame, after the order store. A list's id is that of no order, its legs have the
ids that follow. Lists of which a leg is open are all here; of those that are done the last `done_max`.
"""
from collections import deque
from collections.abc import Callable

import numpy as np
from msgspec import UNSET, Struct, UnsetType

from engine.core.codes import EventKind, ListType
from engine.core.unpack import Event
from engine.event_kinds import events_of_kind
from engine.instruments import Catalog
from engine.records import ORDER_LIST
from gateway.amend_protocol import AmendedList
from gateway.list_protocol import ListLeg, OrderListState
from gateway.order_replies import order_state
from gateway.order_store import Order, OrderStore
from gateway.order_terms import Params, client_order_id, order_id
from gateway.protocol import OrderState, encode
from gateway.ranges import span_ns
from gateway.refusals import NO_SUCH_LIST, ONE_OF_TWO, Refusal

ALL_DONE = 2
_LIST = int(EventKind.LIST)


class OrderList(Struct, gc=False):
    """One list as last heard of; `place` is where the core keeps it."""

    id: int
    place: int
    account: int
    instrument: int
    list_type: int
    text: str
    legs: int
    time_ns: int
    done: bool = False

    @property
    def contingency(self) -> str:
        """How the protocol calls it: what OTOCO adds shows in its orders only."""
        return "OCO" if self.list_type == ListType.OCO else "OTO"

    @property
    def order_ids(self) -> range:
        """Of its legs."""
        return range(self.id + 1, self.id + self.legs + 1)


class OrderLists:
    """`changed(list, event, its orders)` is called for each list that began or is done."""

    def __init__(
            self, store: OrderStore, done_max: int, changed: Callable[[OrderList, Event, list[Order]], None]) -> None:
        self._store, self._done_max, self._changed = store, done_max, changed
        self._by_id: dict[int, OrderList] = {}
        self._by_end: deque[int] = deque()

    def restore(self, records: bytes) -> None:
        """Begin with these ORDER_LIST records, as they stand before the first event that will be applied."""
        for record in np.frombuffer(records, ORDER_LIST):
            number, place, account, instrument, kind, legs, time_ns = (int(record[name]) for name in (
                "list_id", "place", "account", "instrument", "list_type", "legs", "time_ns"))
            text = bytes(record["text"]).decode("ascii")
            self._by_id[number] = OrderList(number, place, account, instrument, kind, text, legs, time_ns)

    def apply(self, events: list[Event]) -> None:
        """Take the lists out of a frame's events."""
        for event in events_of_kind(events, _LIST):
            known = self._by_id.get(event.order_id)
            if known is None:
                known = self._by_id[event.order_id] = OrderList(
                    event.order_id, event.slot, event.account, event.instrument, event.order_type,
                    event.text.decode("ascii"), event.qty_lots, event.time_ns)
            if event.flags == ALL_DONE:
                self._end(known)
            self._changed(known, event, self.orders(known))

    def find(self, account: int, params: Params, name: str) -> OrderList:
        """By orderListId, or by its client id in the parameter of that name. Raises Refusal."""
        wanted, text = order_id(params, "orderListId"), client_order_id(params, name)
        if wanted is None and text is None:
            raise Refusal(ONE_OF_TWO, name, "orderListId")
        if wanted is not None:
            found = [self._by_id[wanted]] if wanted in self._by_id else []
        else:
            found = [each for each in self._by_id.values() if each.text == text]
        mine = [each for each in found if each.account == account and text in (None, each.text)]
        if not mine:
            raise Refusal(NO_SUCH_LIST)
        return min(mine, key=lambda each: (each.done, -each.id))

    def of(self, account: int, everything: bool) -> list[OrderList]:
        """The account's lists, oldest first: those that are not done, or all that are known."""
        return [each for each in self._by_id.values() if each.account == account and (everything or not each.done)]

    def orders(self, found: OrderList) -> list[Order]:
        """Its legs, as far as they are known."""
        orders = (self._store.get(found.account, number) for number in found.order_ids)
        return [order for order in orders if order is not None]

    def amended(self, order: Order, symbol: str) -> AmendedList | UnsetType:
        """The list of an order that was open when it was amended, so that the list was not done."""
        found = self._by_id.get(order.list_id)
        if found is None:
            return UNSET
        legs = _legs(self.orders(found), symbol)
        return AmendedList(found.id, found.contingency, "EXECUTING", found.text, symbol, legs)

    def _end(self, ended: OrderList) -> None:
        ended.done = True
        self._by_end.append(ended.id)
        if len(self._by_end) > self._done_max:
            del self._by_id[self._by_end.popleft()]


def _legs(orders: list[Order], symbol: str) -> list[ListLeg]:
    return [ListLeg(symbol, order.id, order.text) for order in orders]


class ListQueries:
    """orderList.status and openOrderLists.status; they take (account, params, unit_ns), give JSON and raise Refusal."""

    def __init__(self, catalog: Catalog, lists: OrderLists) -> None:
        self._catalog, self._lists = catalog, lists

    def status(self, account: int, params: Params, unit_ns: int) -> bytes:
        """orderList.status"""
        return encode(self.state(self._lists.find(account, params, "origClientOrderId"), unit_ns))

    def open(self, account: int, params: Params, unit_ns: int) -> bytes:
        """openOrderLists.status"""
        return encode([self.state(each, unit_ns) for each in self._lists.of(account, False)])

    def everything(self, account: int, params: Params, unit_ns: int) -> bytes:
        """allOrderLists: those that are known, newest `limit` of them from fromId on"""
        first = order_id(params, "fromId") or 0
        limit = min(order_id(params, "limit") or 500, 1000)
        first_ns, last_ns = span_ns(params)
        found = [each for each in self._lists.of(account, True) if each.id >= first
                 and first_ns <= each.time_ns <= last_ns]
        found = found[:limit] if "fromId" in params or "startTime" in params else found[-limit:]
        return encode([self.state(each, unit_ns) for each in found])

    def state(self, found: OrderList, unit_ns: int) -> OrderListState:
        """As it is now."""
        symbol = self._catalog.by_id[found.instrument].symbol
        return OrderListState(
            found.id, found.contingency, "ALL_DONE" if found.done else "EXEC_STARTED",
            "ALL_DONE" if found.done else "EXECUTING", found.text, found.time_ns // unit_ns, symbol,
            _legs(self._lists.orders(found), symbol))

    def reports(self, found: OrderList, unit_ns: int) -> list[OrderState]:
        """Its legs as order.status shows them."""
        instrument = self._catalog.by_id[found.instrument]
        return [order_state(order, instrument, unit_ns) for order in self._lists.orders(found)]
