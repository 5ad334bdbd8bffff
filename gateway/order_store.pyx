"""Every open order and the most recent closed ones, with what they have executed: what order.status can answer.

Fed with the events of every applied frame, those of the replay at start-up included, so it knows after a restart what
it knew before. Open orders are all here; of the closed ones the last `closed_orders_max`: older ones are forgotten,
their status is then "Order does not exist.". Each operation is O(1) per event.

An order is shown to `changed` after each event, but only if its account is in `watched` (user data subscriptions).
"""
from collections import deque

cimport cython
from libc.stdint cimport int64_t, uint32_t, uint64_t

from engine.core.list_table cimport LEGS_MAX
from engine.core.pool cimport ARMED, PENDING
from engine.core.records cimport OrderRecord
from engine.core.types cimport (
    ACCEPTED, DISCONNECTED, KILL_REASON, MARKET, MASS_CANCEL, MONEY, PREVENTED, REDUCED, REQUESTED, STP, TEXT_BYTES,
    TIMER_REASON, TRADE, TRIGGER_REFUSED, TRIGGERED)
from engine.core.types cimport CANCELED as CANCELED_EVENT
from engine.core.unpack cimport Event
from gateway.following cimport is_canceled, is_orders_last, is_pending_leg, is_taker_done
from gateway.restored_orders cimport RestoredOrders

from gateway.trailing_starts import TrailingStarts, waits_above

NEW, PARTIALLY_FILLED, FILLED = "NEW", "PARTIALLY_FILLED", "FILLED"
PENDING_NEW = "PENDING_NEW"     # a leg that waits until its list's first is filled
CANCELED, EXPIRED, EXPIRED_IN_MATCH = "CANCELED", "EXPIRED", "EXPIRED_IN_MATCH"


@cython.no_gc   # it refers to texts and an Event, which refers to nothing: the collector need not walk the orders
cdef class Order:
    """One order as last heard of; quantities in lots, amounts in quote minor units."""

    @property
    def quote_filled(self):
        """What its trades came to."""
        cdef object high = self.quote_high   # a Python integer: the shift must not lose it
        return high << 64 | self.quote_low

    @property
    def total_lots(self):
        """The quantity it was placed with or amended to; 0 for a market order by quote amount."""
        return self.qty_lots + self.decremented_lots

    def __repr__(self):
        return f"Order({self.id}, {self.text!r}, {self.status}, {self.executed_lots} of {self.qty_lots} lots)"


def _nobody(order, event, is_maker):
    """For a store that nobody watches."""


cdef class OrderStore:
    """See the module's text. `apply` takes events in engine order, whole commands at a time.

    closed: orders by id; changed_ns: time of the last event of each account; quote_at_reduction: by seq, what the
    orders that this frame reduced had filled then. All for reading.
    """

    def __init__(self, Py_ssize_t closed_orders_max, watched=(), changed=_nobody):
        self._open, self.closed, self.changed_ns, self.quote_at_reduction = {}, {}, {}, {}
        self._restored = RestoredOrders(b"")
        self._closed_by_text = {}       # account: client order id: the latest of that name
        self._closed_orders_max = closed_orders_max
        self._by_end = deque()          # closed orders, first closed first
        self._watched = watched
        self._changed = changed
        self._starts, self._any_starts = TrailingStarts(), False

    def restore(self, records not None):
        """Begin with these ORDER records of open orders, as they stand before the first event that will be applied.

        What the core does not keep is not known of them: what self-trade prevention took off, a mode without a trigger,
        since when one trails that had a stop price: its last change stands for that.
        """
        self._restored = RestoredOrders(records)
        self.changed_ns.update(self._restored.last_updates())
        for number in self._restored.trailing_ids():
            self._restore(self._restored.take(number))

    @property
    def open(self):
        """All open orders by id. O(orders) the first time after a start."""
        cdef uint32_t place
        for place in range(self._restored.count if self._restored.left != 0 else 0):
            self._restore(self._restored.take_at(place))
        return self._open

    cpdef Order find_open(self, uint64_t order_id):
        """The open order of that id, None if there is none."""
        order = self._open.get(order_id)
        if order is None and self._restored.left != 0:
            order = self._restore(self._restored.take(order_id))
        return order

    cdef Order _of(self, uint64_t order_id):
        """The open order of that id, which the core says there is."""
        cdef Order order = self.find_open(order_id)
        if order is None:
            raise KeyError(order_id)
        return order

    cdef Order _restore(self, OrderRecord* record):
        if record == NULL:
            return None
        cdef Order order = Order.__new__(Order)
        cdef Py_ssize_t size = TEXT_BYTES
        while size > 0 and record.text[size - 1] == 0:
            size -= 1
        order.id, order.slot, order.account = record.order_id, record.slot, record.account
        order.instrument, order.side, order.order_type = record.instrument, record.side, record.order_type
        order.time_in_force, order.stp = record.time_in_force, record.stp
        order.price_ticks, order.qty_lots = record.price_ticks, record.qty_lots
        order.executed_lots = record.qty_lots - record.left_lots
        order.quote_low = <uint64_t>record.quote_filled
        order.stop_ticks, order.trailing_bps, order.list_id = record.stop_ticks, record.trailing_bps, record.list_id
        order.time_ns, order.update_ns, order.display_lots = record.time_ns, record.update_ns, record.display_lots
        if record.trailing_bps != 0 and (record.flags & ARMED or not record.flags & PENDING):
            self._resume_trailing(order, record)
        if not record.flags & (ARMED | PENDING):
            order.working_ns = record.working_ns if record.working_ns != 0 else record.time_ns
        order.text = record.text[:size].decode("ascii")
        order.status = PARTIALLY_FILLED if order.executed_lots else PENDING_NEW if record.flags & PENDING else NEW
        self._open[order.id] = order
        return order

    def get(self, account, order_id):
        """This account's order of that id, None if it is not known (any more)."""
        order = self.find_open(order_id) or self.closed.get(order_id)
        return order if order is not None and order.account == account else None

    def last_closed(self, account, text):
        """The account's latest closed order with that client order id."""
        return self._closed_by_text.get(account, {}).get(text)

    def apply(self, list events not None):
        """Take the events of one frame. What they close stays known at least until the next call."""
        cdef Event event
        cdef Py_ssize_t index, last = len(events) - 1
        cdef int kind
        self._forget_oldest()
        self.quote_at_reduction.clear()
        self._prevented = None
        for index in range(last + 1):
            event = <Event?>events[index]
            kind = event.record.kind
            if kind == ACCEPTED:
                self._accepted(event, <Event?>events[index - 1] if index else None, is_pending_leg(events, index))
            elif kind == TRADE:
                self._traded(event, index == last or is_taker_done(event, <Event?>events[index + 1]))
                if self._begun is not None:
                    self._tell_begun(events, index)
            elif kind == CANCELED_EVENT:
                self._canceled(event)
            elif kind == REDUCED:
                self._reduced(event)
            elif kind == TRIGGERED:
                self._triggered(event)
            elif kind == PREVENTED:
                self._prevent(event, is_orders_last(events, index))
            elif kind == MONEY:
                self.changed_ns[event.record.account] = event.record.time_ns

    cdef int _accepted(self, Event event, Event before, bint pends) except -1:
        cdef Order order = Order.__new__(Order)
        cdef Py_ssize_t size = TEXT_BYTES
        while size > 0 and event.record.text[size - 1] == 0:
            size -= 1
        order.id, order.slot = event.record.order_id, event.record.slot
        order.account, order.instrument = event.record.account, event.record.instrument
        order.side, order.order_type = event.record.side, event.record.order_type
        order.time_in_force = event.record.time_in_force
        order.price_ticks, order.qty_lots = event.record.price_ticks, event.record.qty_lots
        order.amount, order.stp = event.record.amount, event.record.stp
        order.time_ns = order.update_ns = order.working_ns = event.record.time_ns
        order.stop_ticks, order.trailing_bps = event.record.trigger_ticks, event.record.trailing_bps
        if event.record.left_lots < order.qty_lots:
            order.display_lots = event.record.left_lots
        if order.order_type > MARKET:
            order.working_ns = 0
        if before is not None and before.record.kind == ACCEPTED and before.record.seq == event.record.seq:
            order.list_id = self._of(before.record.order_id).list_id   # legs come together
        elif event.record.order_id != event.record.seq:
            order.list_id = event.record.order_id - 1
        if order.list_id != 0 and pends:
            order.working_ns = 0
        order.text, order.status = event.record.text[:size].decode("ascii"), PENDING_NEW if pends else NEW
        self._open[order.id] = order
        if order.trailing_bps != 0 and not pends:
            self._begin_trailing(order, order.time_ns)
        self._tell(order, event, False)
        return 0

    cdef int _triggered(self, Event event) except -1:
        cdef Order order = self._of(event.record.order_id)
        order.working_ns = order.update_ns = event.record.time_ns
        order.triggered_seq = event.record.seq
        if order.trailing_bps != 0 and order.trailing_ns == 0:
            order.trailing_ns = event.record.time_ns
        self._tell(order, event, False)
        return 0

    cdef int _traded(self, Event event, bint ends_command) except -1:
        cdef Order taker = self._of(event.record.order_id)
        cdef Order maker = self._of(event._trade().maker_order_id)
        cdef bint by_amount = taker.amount != 0 and taker.order_type == MARKET
        if self._any_starts:
            self._start_trailing(event)
        self._filled(taker, event, ends_command if by_amount else event.record.left_lots == 0)
        self._tell(taker, event, False)
        self._filled(maker, event, event._trade().maker_left_lots == 0)
        self._tell(maker, event, True)
        return 0

    cdef int _filled(self, Order order, Event event, bint is_full) except -1:
        cdef uint64_t quote = <uint64_t>event._trade().quote_amount
        order.executed_lots += event.record.qty_lots
        order.quote_low += quote
        order.quote_high += order.quote_low < quote
        order.update_ns = event.record.time_ns
        if is_full:
            self._close(order, FILLED)
            if order.list_id != 0:
                self._begin_pending(order)
        else:
            order.status = PARTIALLY_FILLED
        return 0

    # trailing stops

    cdef int _begin_trailing(self, Order order, int64_t time_ns) except -1:
        """It waits for its stop price from now on, or trails if it has none."""
        if order.stop_ticks == 0:
            order.trailing_ns = time_ns
            return 0
        self._any_starts = True
        self._starts.add(order.instrument, waits_above(order.side, order.order_type), order.stop_ticks, order.id,
                         self._open)
        return 0

    cdef int _start_trailing(self, Event trade) except -1:
        cdef Order order
        for number in self._starts.reached(trade.record.instrument, trade.record.price_ticks):
            order = self._open.get(number)
            if order is not None and order.trailing_ns == 0:
                order.trailing_ns = trade.record.time_ns
        return 0

    cdef int _begin_pending(self, Order working) except -1:
        """The legs behind a list's first, which is filled."""
        cdef Order order
        cdef int leg
        for leg in range(1, LEGS_MAX if working.id == working.list_id + 1 else 1):
            order = self.find_open(working.id + leg)
            if order is None or order.list_id != working.list_id:
                continue
            if order.status is PENDING_NEW:
                order.status = NEW
                if order.order_type > MARKET:
                    self._begun = [*(self._begun or ()), order]
            if order.trailing_bps and not order.trailing_ns:
                self._begin_trailing(order, working.update_ns)
        return 0

    cdef int _tell_begun(self, list events, Py_ssize_t index) except -1:
        """Legs that wait for their price from this trade on: no event of their own says so. Refused ones do not."""
        begun, self._begun = self._begun, None
        for order in begun:
            if not is_canceled(events, index, order.id):
                self._tell(order, <Event>events[index], False)
        return 0

    cdef int _resume_trailing(self, Order order, OrderRecord* record) except -1:
        """Once one trails, its trigger is not its stop price."""
        cdef bint starts = record.flags & ARMED and record.stop_ticks != 0 and record.trigger_ticks == record.stop_ticks
        self._open[order.id] = order
        if starts or record.stop_ticks == 0:
            return self._begin_trailing(order, record.time_ns)
        order.trailing_ns = record.update_ns
        return 0

    # what takes orders down

    cdef int _prevent(self, Event event, bint is_last) except -1:
        """What it means for the two orders follows as events of theirs; but a market order by amount may just end."""
        cdef Order taker = self._of(event.record.order_id)
        cdef Order maker = self._of(event._trade().maker_order_id)
        self._prevented = taker.prevention = maker.prevention = event
        if is_last and taker.order_type == MARKET and taker.amount != 0:
            taker.update_ns, taker.code = event.record.time_ns, STP
            self._close(taker, FILLED if taker.executed_lots else EXPIRED_IN_MATCH)
            self._tell(taker, event, False)
        return 0

    cdef int _canceled(self, Event event) except -1:
        cdef Order order = self._of(event.record.order_id)
        cdef bint asked_for = event.record.code in (REQUESTED, MASS_CANCEL, DISCONNECTED, TIMER_REASON, KILL_REASON)
        order.update_ns, order.code = event.record.time_ns, event.record.code
        if order.code == TRIGGER_REFUSED:
            order.refusal = event.record.flags
        if order.code == STP:
            order.prevented_lots += event.record.qty_lots
            self._close(order, EXPIRED_IN_MATCH)
        else:
            self._close(order, CANCELED if asked_for else EXPIRED)
        self._tell(order, event, False)
        return 0

    cdef int _reduced(self, Event event) except -1:
        cdef Order order = self._of(event.record.order_id)
        cdef int64_t lots = order.qty_lots - event.record.qty_lots
        if self._prevented is not None and self._prevented.record.seq == event.record.seq:
            order.prevented_lots += lots
            order.decremented_lots += lots
        order.qty_lots, order.update_ns = event.record.qty_lots, event.record.time_ns
        self.quote_at_reduction[event.record.seq] = order.quote_filled
        if event.record.left_lots == 0:
            self._close(order, FILLED)
        self._tell(order, event, False)
        return 0

    cdef int _close(self, Order order, str status) except -1:
        cdef dict names = self._closed_by_text.get(order.account)
        if names is None:
            names = self._closed_by_text[order.account] = {}
        order.status = status
        number = order.id
        del self._open[number]
        self.closed[number] = order
        names[order.text] = order
        self._by_end.append(order)
        return 0

    cdef int _tell(self, Order order, Event event, bint is_maker) except -1:
        self.changed_ns[order.account] = event.record.time_ns
        if order.account in self._watched:
            self._changed(order, event, is_maker)
        return 0

    cdef int _forget_oldest(self) except -1:
        cdef Order order
        cdef dict names
        while len(self._by_end) > self._closed_orders_max:
            order = self._by_end.popleft()   # a dict finds its own first key ever slower
            del self.closed[order.id]
            names = self._closed_by_text[order.account]
            if names.get(order.text) is order:
                del names[order.text]
                if not names:
                    del self._closed_by_text[order.account]
        return 0


# Execution ids: unique over the whole venue and the same after a replay. An order has one beginning and one end, a
# trade two sides, and the seq of a reduction is no order's id; a list's id is neither, so two legs may begin by it.
# What self-trade prevention does to an order that goes on is numbered above all of these, by instrument, prevented
# match and side; what sets one off, by order.

PREVENTED_FROM, PREVENTED_BITS = 2**52, 30
TRIGGERED_FROM = 2**52 + 2**51


def execution_id(event, bint is_maker):
    """The id of the change that `event` made to an order."""
    kind = event.kind
    if kind == PREVENTED:
        return PREVENTED_FROM + ((event.instrument << PREVENTED_BITS | event.trade_id) << 1 | is_maker)
    if kind == TRIGGERED:
        return TRIGGERED_FROM + 2 * event.order_id
    if kind == TRADE:
        return 4 * event.fill_id + (2 if is_maker else 1)
    if kind == CANCELED_EVENT:
        return 4 * event.order_id + 3
    return 4 * (event.order_id if kind == ACCEPTED else event.seq)


def begins(Order order not None, event):
    """Whether this trade filled another leg of the order's list, and the order waits for its price from then on."""
    return event.kind == TRADE and order.id != event.order_id and order.id != event.maker_order_id


def begin_id(Order order not None):
    """The execution id of that; of a list's second or third leg."""
    return 4 * order.list_id + 3 * (order.id - order.list_id - 2)
