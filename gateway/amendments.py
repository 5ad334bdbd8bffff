"""Amendments of orders (order.amend.keepPriority), for order.amendments: the latest `most` of the venue.

Fed with the events of every applied frame, before the order store is, so that it can ask it what a quantity was before.
Older ones are forgotten. Orders that self-trade prevention or a lack of money made smaller were not amended.
"""
from collections import deque
from itertools import islice

from msgspec import Struct

from engine.core.codes import EventKind
from engine.core.unpack import Event
from engine.event_kinds import events_of_kind
from engine.instruments import Catalog
from gateway.order_store import OrderStore, execution_id
from gateway.order_terms import Params, find_instrument, needed, order_id
from gateway.protocol import encode
from gateway.ranges import limit
from gateway.small_shapes import Amendment

_REDUCED, _ACCEPTED = int(EventKind.REDUCED), int(EventKind.ACCEPTED)


class _Amended(Struct, gc=False):
    """Quantities in lots, what self-trade prevention took off included."""

    account: int
    instrument: int
    order_id: int
    execution_id: int
    text: str
    before_lots: int
    after_lots: int
    time_ns: int


class Amendments:
    """`most` is a number of amendments. Looking one order's up is O(amendments kept)."""

    def __init__(self, store: OrderStore, most: int) -> None:
        self._store = store
        self._found: deque[_Amended] = deque(maxlen=most)

    def apply(self, events: list[Event]) -> None:
        """Take the amendments out of a frame's events."""
        if not events_of_kind(events, _REDUCED):
            return
        lots: dict[int, int] = {}    # quantities that this frame gave orders
        seq, amends = 0, True        # of a command; whether all it did until now was to make orders smaller
        for event in events:
            if event.seq != seq:
                seq, amends = event.seq, True
            if event.kind == _REDUCED:
                if amends:
                    self._amended(event, lots)
                lots[event.order_id] = event.qty_lots
            else:
                amends = False
                if event.kind == _ACCEPTED:
                    lots[event.order_id] = event.qty_lots

    def find(self, catalog: Catalog, account: int, params: Params, unit_ns: int) -> bytes:
        """order.amendments: of one order, oldest first. Raises Refusal."""
        instrument = find_instrument(params, catalog.by_symbol)
        needed(params, "orderId")
        wanted, first = order_id(params), order_id(params, "fromExecutionId") or 0
        found = (Amendment(
            instrument.symbol, row.order_id, row.execution_id, row.text, row.text, instrument.qty_text(row.before_lots),
            instrument.qty_text(row.after_lots), row.time_ns // unit_ns) for row in self._found
            if (row.account, row.instrument, row.order_id) == (account, instrument.id, wanted)
            and row.execution_id >= first)
        return encode(list(islice(found, limit(params))))

    def _amended(self, event: Event, lots: dict[int, int]) -> None:
        order = self._store.find_open(event.order_id)
        off_lots = order.decremented_lots if order is not None else 0
        before = lots.get(event.order_id, order.qty_lots if order is not None else event.qty_lots)
        self._found.append(_Amended(
            event.account, event.instrument, event.order_id, execution_id(event, False), event.text.decode("ascii"),
            before + off_lots, event.qty_lots + off_lots, event.time_ns))
