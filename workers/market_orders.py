"""Order by order: what happens to each order in one instrument's book, made from the core's events alone.

Told are orders as the book shows them: of an iceberg the part shown (its next part as a new order of the same id behind
all others), of an order that waits (stops, pending legs) nothing, and never an account. An incoming order trades first
and is told when it comes to rest. The events say this of every order but the waiting ones and the icebergs, which are
therefore remembered: memory grows with them, not with the book.
"""
from collections import deque

from engine.core.codes import EventKind, ListType, OrderType, TimeInForce
from engine.core.exchange import Exchange
from engine.core.unpack import Event
from engine.instruments import Instrument

_RESTS = (TimeInForce.GTC, TimeInForce.GTD, TimeInForce.DAY)
_EXECUTING = 1                            # flags of a LIST that begins
_SIDES = "BS"                             # by Side


class Incoming:
    """An order that may come to rest, not yet in the book."""

    __slots__ = ("display_lots", "event", "left_lots")

    def __init__(self, event: Event, left_lots: int, display_lots: int) -> None:
        self.event, self.left_lots, self.display_lots = event, left_lots, display_lots


class Iceberg:
    """One that rests."""

    __slots__ = ("display_lots", "price_ticks", "shown_lots", "side")

    def __init__(self, side: int, price_ticks: int, display_lots: int, shown_lots: int) -> None:
        self.side, self.price_ticks, self.display_lots, self.shown_lots = side, price_ticks, display_lots, shown_lots


class MarketOrders:
    """One instrument's orders; `take` gives what happened since it was called last."""

    def __init__(self, core: Exchange, instrument: Instrument) -> None:
        self._core, self.instrument = core, instrument
        self.restart()

    def restart(self) -> None:
        """Go on from the book as it is now."""
        self._waiting: dict[int, int] = {}            # by order id: what it will show at most, 0: all
        self._icebergs: dict[int, Iceberg] = {}       # by order id
        for order_id, side, price_ticks, display_lots, shown_lots in self._core.unseen(self.instrument.id):
            if shown_lots:
                self._icebergs[order_id] = Iceberg(side, price_ticks, display_lots, shown_lots)
            else:
                self._waiting[order_id] = display_lots
        self._seq = 0
        self._legs: list[Event] = []                  # accepted by this command
        self._current: Incoming | None = None         # trading now
        self._next: deque[Incoming] = deque()         # set off, and their turn has not come
        self._told: list[str] = []

    def take(self) -> list[str]:
        """All commands so far are over: what they did, as JSON texts."""
        self._finish()
        told, self._told = self._told, []
        return told

    def event(self, event: Event) -> None:
        """Take the next event of this instrument."""
        if event.seq != self._seq:
            self._finish()
            self._seq = event.seq
        kind = event.kind
        if kind == EventKind.TRADE:
            self._trade(event)
        elif kind == EventKind.ACCEPTED:
            self._accepted(event)
        elif kind == EventKind.CANCELED:
            self._canceled(event)
        elif kind == EventKind.REDUCED:
            self._reduced(event)
        elif kind == EventKind.TRIGGERED:
            self._triggered(event)
        elif kind == EventKind.LIST and event.flags == _EXECUTING:
            self._list(event)

    # events

    def _accepted(self, order: Event) -> None:
        """Of an iceberg the event tells what it shows, and of any other order all."""
        self._legs.append(order)
        display_lots = order.left_lots if order.left_lots < order.qty_lots else 0
        if order.order_type > OrderType.MARKET:
            self._waiting[order.order_id] = display_lots
        else:
            self._current = Incoming(order, order.qty_lots, display_lots)

    def _list(self, event: Event) -> None:
        """Its legs were told as accepted, and wait; the one that works at once begins now."""
        self._current = None
        for leg in self._legs:
            self._waiting[leg.order_id] = leg.left_lots if leg.left_lots < leg.qty_lots else 0
        if event.order_type == ListType.OCO:
            working = [leg for leg in self._legs if leg.order_type == OrderType.LIMIT_MAKER]
        else:
            working = self._legs[:1]
        for leg in working:
            self._current = Incoming(leg, leg.qty_lots, self._waiting.pop(leg.order_id))

    def _triggered(self, order: Event) -> None:
        """A stop waits for those set off before it; a leg whose turn has come (no trigger price) begins at once."""
        self._rest()
        incoming = Incoming(order, order.left_lots, self._waiting.pop(order.order_id, 0))
        if order.trigger_ticks:
            self._next.append(incoming)
        else:
            self._current = incoming

    def _trade(self, trade: Event) -> None:
        taker = self._incoming(trade.order_id)
        self._executed(trade, trade.maker_order_id, trade.maker_left_lots)
        if taker is not None:
            taker.left_lots = trade.left_lots
        else:
            self._executed(trade, trade.order_id, trade.left_lots)   # two resting orders: an auction's end

    def _executed(self, trade: Event, order_id: int, left_lots: int) -> None:
        """A part of a resting order traded; an iceberg whose part is eaten up shows the next."""
        iceberg = self._icebergs.get(order_id)
        shown = left_lots if iceberg is None else iceberg.shown_lots - trade.qty_lots
        qty = self.instrument.qty_text
        self._told.append(f'["e",{order_id},"{qty(trade.qty_lots)}","{qty(shown)}",{trade.trade_id}]')
        if iceberg is None:
            return
        if left_lots == 0:
            del self._icebergs[order_id]
        elif shown == 0:
            shown = min(iceberg.display_lots, left_lots)
            self._add(order_id, iceberg.side, iceberg.price_ticks, shown)
        iceberg.shown_lots = shown

    def _canceled(self, order: Event) -> None:
        order_id = order.order_id
        if self._incoming(order_id) is not None:
            self._current = None
        elif self._waiting.pop(order_id, None) is None:
            self._icebergs.pop(order_id, None)
            self._told.append(f'["d",{order_id}]')

    def _reduced(self, order: Event) -> None:
        order_id, left_lots = order.order_id, order.left_lots
        incoming = self._incoming(order_id)
        if incoming is not None:
            incoming.left_lots = left_lots
            return
        if order_id in self._waiting:
            return
        iceberg = self._icebergs.get(order_id)
        if iceberg is not None:
            if left_lots >= iceberg.shown_lots:
                return      # less is hidden
            iceberg.shown_lots = left_lots
        self._told.append(f'["m",{order_id},"{self.instrument.qty_text(left_lots)}"]')

    # orders on their way

    def _incoming(self, order_id: int) -> Incoming | None:
        """The order on its way of that id; those whose turn was before it have had it."""
        while self._current is None or self._current.event.order_id != order_id:
            if not any(order.event.order_id == order_id for order in self._next):
                return None
            self._rest()
            self._current = self._next.popleft()
        return self._current

    def _rest(self) -> None:
        """The current order's way is over: what is left of it rests, or was told as canceled."""
        incoming, self._current = self._current, None
        if incoming is None or not incoming.left_lots:
            return
        order = incoming.event
        if order.price_ticks == 0 or order.time_in_force not in _RESTS:
            return
        shown = incoming.left_lots
        if incoming.display_lots:
            shown = min(incoming.display_lots, shown)
            self._icebergs[order.order_id] = Iceberg(order.side, order.price_ticks, incoming.display_lots, shown)
        self._add(order.order_id, order.side, order.price_ticks, shown)

    def _finish(self) -> None:
        """The command is over."""
        self._rest()
        while self._next:
            self._current = self._next.popleft()
            self._rest()
        self._legs.clear()

    def _add(self, order_id: int, side: int, price_ticks: int, lots: int) -> None:
        price, qty = self.instrument.price_text(price_ticks), self.instrument.qty_text(lots)
        self._told.append(f'["a",{order_id},"{_SIDES[side]}","{price}","{qty}"]')
