"""Every open order and the most recent closed ones, with what they have executed: what order.status can answer.

Fed with the events of every applied frame, those of the replay at start-up included, so it knows after a restart what
it knew before. Open orders are all here; of the closed ones the last `closed_orders_max`: older ones are forgotten,
their status is then "Order does not exist.". Each operation is O(1) per event.

An order is shown to `changed` after each event, but only if its account is in `watched` (user data subscriptions).
"""
from collections import deque
from collections.abc import Callable, Container

from msgspec import Struct

from engine.core.codes import Code, EventKind, OrderType
from engine.core.unpack import Event

NEW, PARTIALLY_FILLED, FILLED = "NEW", "PARTIALLY_FILLED", "FILLED"
CANCELED, EXPIRED = "CANCELED", "EXPIRED"

_ACCEPTED, _TRADE, _CANCELED, _REDUCED = (
    int(kind) for kind in (EventKind.ACCEPTED, EventKind.TRADE, EventKind.CANCELED, EventKind.REDUCED))
_MONEY, _MARKET = int(EventKind.MONEY), int(OrderType.MARKET)
_ASKED_FOR = frozenset((int(Code.REQUESTED), int(Code.MASS_CANCEL)))


class Order(Struct, gc=False):
    """One order as last heard of; quantities in lots, amounts in quote minor units."""

    id: int
    slot: int
    account: int
    instrument: int
    side: int
    order_type: int
    time_in_force: int
    price_ticks: int
    qty_lots: int
    amount: int             # market order by quote amount, else 0
    text: str               # client order id
    time_ns: int
    update_ns: int
    executed_lots: int = 0
    quote_filled: int = 0
    status: str = NEW
    code: int = 0           # why it ended, if not by trading


Changed = Callable[[Order, Event, bool], None]   # the order, the event, whether the order was the maker of a trade


def _nobody(order: Order, event: Event, is_maker: bool) -> None:
    """For a store that nobody watches."""


class OrderStore:
    """See the module's text. `apply` takes events in engine order, whole commands at a time."""

    def __init__(self, closed_orders_max: int, watched: Container[int] = (), changed: Changed = _nobody) -> None:
        self.open: dict[int, Order] = {}
        self.closed: dict[int, Order] = {}
        self.changed_ns: dict[int, int] = {}                      # account: time of its last event
        self.quote_at_reduction: dict[int, int] = {}              # seq of this frame's reductions: quote_filled then
        self._closed_by_text: dict[tuple[int, str], int] = {}     # the latest of that client order id
        self._closed_orders_max = closed_orders_max
        self._by_end: deque[int] = deque()                        # ids of closed orders, first closed first
        self._watched = watched
        self._changed = changed

    def get(self, account: int, order_id: int) -> Order | None:
        """This account's order of that id, None if it is not known (any more)."""
        order = self.open.get(order_id) or self.closed.get(order_id)
        return order if order is not None and order.account == account else None

    def last_closed(self, account: int, text: str) -> Order | None:
        """The account's latest closed order with that client order id."""
        order_id = self._closed_by_text.get((account, text))
        return None if order_id is None else self.closed[order_id]

    def apply(self, events: list[Event]) -> None:
        """Take the events of one frame. What they close stays known at least until the next call."""
        self._forget_oldest()
        self.quote_at_reduction.clear()
        last = len(events) - 1
        for index, event in enumerate(events):
            kind = event.kind
            if kind == _ACCEPTED:
                self._accepted(event)
            elif kind == _TRADE:
                self._traded(event, index == last or _ends_command(event, events[index + 1]))
            elif kind == _CANCELED:
                self._canceled(event)
            elif kind == _REDUCED:
                self._reduced(event)
            elif kind == _MONEY:
                self.changed_ns[event.account] = event.time_ns

    def _accepted(self, event: Event) -> None:
        order = self.open[event.order_id] = Order(
            event.order_id, event.slot, event.account, event.instrument, event.side, event.order_type,
            event.time_in_force, event.price_ticks, event.qty_lots, event.amount, event.text.decode("ascii"),
            event.time_ns, event.time_ns)
        self._tell(order, event, False)

    def _traded(self, event: Event, ends_command: bool) -> None:
        taker, maker = self.open[event.order_id], self.open[event.maker_order_id]
        by_amount = taker.amount != 0 and taker.order_type == _MARKET
        self._filled(taker, event, ends_command if by_amount else event.left_lots == 0)
        self._tell(taker, event, False)
        self._filled(maker, event, event.maker_left_lots == 0)
        self._tell(maker, event, True)

    def _filled(self, order: Order, event: Event, is_full: bool) -> None:
        order.executed_lots += event.qty_lots
        order.quote_filled += event.quote_amount
        order.update_ns = event.time_ns
        if is_full:
            self._close(order, FILLED)
        else:
            order.status = PARTIALLY_FILLED

    def _canceled(self, event: Event) -> None:
        order = self.open[event.order_id]
        order.update_ns, order.code = event.time_ns, event.code
        self._close(order, CANCELED if event.code in _ASKED_FOR else EXPIRED)
        self._tell(order, event, False)

    def _reduced(self, event: Event) -> None:
        order = self.open[event.order_id]
        order.qty_lots, order.update_ns = event.qty_lots, event.time_ns
        self.quote_at_reduction[event.seq] = order.quote_filled
        if event.left_lots == 0:
            self._close(order, FILLED)
        self._tell(order, event, False)

    def _close(self, order: Order, status: str) -> None:
        order.status = status
        del self.open[order.id]
        self.closed[order.id] = order
        self._by_end.append(order.id)
        self._closed_by_text[order.account, order.text] = order.id

    def _tell(self, order: Order, event: Event, is_maker: bool) -> None:
        self.changed_ns[order.account] = event.time_ns
        if order.account in self._watched:
            self._changed(order, event, is_maker)

    def _forget_oldest(self) -> None:
        while len(self._by_end) > self._closed_orders_max:
            order = self.closed.pop(self._by_end.popleft())   # a dict finds its own first key ever slower
            if self._closed_by_text.get((order.account, order.text)) == order.id:
                del self._closed_by_text[order.account, order.text]


def _ends_command(event: Event, following: Event) -> bool:
    """Whether the order is done after `event`: no further trade or end of it follows in the same command."""
    return following.seq != event.seq or following.kind not in (_TRADE, _CANCELED)


# Execution ids: unique over the whole venue and the same after a replay. An order has one beginning and one end, a
# trade two sides, and the seq of a reduction is no order's id.

def execution_id(event: Event, is_maker: bool) -> int:
    """The id of the change that `event` made to an order."""
    kind = event.kind
    if kind == _TRADE:
        return 4 * event.fill_id + (2 if is_maker else 1)
    if kind == _CANCELED:
        return 4 * event.order_id + 3
    return 4 * event.seq
