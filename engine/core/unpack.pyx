"""Events as Python objects, for readers that handle them one by one. Bulk readers use numpy on the same bytes."""
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport uint64_t
from libc.string cimport memcpy

cimport cython

from engine.core.types cimport TEXT_BYTES, TOP
from engine.core.types cimport Event as Record

__all__ = ["Event", "split_events", "unpack_events"]

cdef tuple _FIELDS = (
    "side", "order_type", "time_in_force", "account", "instrument", "slot", "time_ns", "order_id", "price_ticks",
    "qty_lots", "left_lots", "text", "amount", "maker_order_id", "maker_left_lots", "trade_id", "fill_id",
    "quote_amount", "taker_fee", "maker_fee", "maker_account", "update_id", "bid_ticks", "bid_lots", "ask_ticks",
    "ask_lots", "code", "flags", "stp", "trailing_bps", "trigger_ticks")


@cython.freelist(256)
cdef class Event:
    """One event: a copy of its 128 bytes. Every field can be read on every kind; it is 0 where it does not apply."""
    def __repr__(self):
        fields = ", ".join([f"{name}={getattr(self, name)}" for name in _FIELDS if getattr(self, name)])
        return f"Event(kind={self.kind}, seq={self.seq}, {fields})"

    @property
    def kind(self):
        return self.record.kind

    @property
    def side(self):
        return self.record.side

    @property
    def order_type(self):
        return self.record.order_type

    @property
    def time_in_force(self):
        return self.record.time_in_force

    @property
    def account(self):
        return self.record.account

    @property
    def instrument(self):
        return self.record.instrument

    @property
    def slot(self):
        return self.record.slot

    @property
    def seq(self):
        return self.record.seq

    @property
    def time_ns(self):
        return self.record.time_ns

    @property
    def order_id(self):
        return 0 if self.record.kind == TOP else self.record.order_id

    @property
    def price_ticks(self):
        return 0 if self.record.kind == TOP else self.record.price_ticks

    @property
    def qty_lots(self):
        return 0 if self.record.kind == TOP else self.record.qty_lots

    @property
    def left_lots(self):
        return 0 if self.record.kind == TOP else self.record.left_lots

    @property
    def text(self):
        """Client order id, reference or name, without padding."""
        if self._is_trade() or self.record.kind == TOP:
            return b""
        cdef Py_ssize_t length = TEXT_BYTES
        while length > 0 and self.record.text[length - 1] == 0:
            length -= 1
        return PyBytes_FromStringAndSize(self.record.text, length)

    @property
    def amount(self):
        return 0 if self._is_trade() or self.record.kind == TOP else self.record.amount

    @property
    def code(self):
        return self.record.code

    @property
    def flags(self):
        return self.record.flags

    @property
    def stp(self):
        """The SelfTrade of an accepted order."""
        return 0 if self._is_trade() or self.record.kind == TOP else self.record.stp

    @property
    def trailing_bps(self):
        """Of an accepted order."""
        return 0 if self._is_trade() or self.record.kind == TOP else self.record.trailing_bps

    @property
    def trigger_ticks(self):
        """ACCEPTED: the stop price; TRIGGERED: the trigger that was reached."""
        return 0 if self._is_trade() or self.record.kind == TOP else self.record.trigger_ticks

    @property
    def maker_order_id(self):
        return self._trade().maker_order_id if self._is_trade() else 0

    @property
    def maker_left_lots(self):
        return self._trade().maker_left_lots if self._is_trade() else 0

    @property
    def trade_id(self):
        return self._trade().trade_id if self._is_trade() else 0

    @property
    def fill_id(self):
        return self._trade().fill_id if self._is_trade() else 0

    @property
    def quote_amount(self):
        return self._trade().quote_amount if self._is_trade() else 0

    @property
    def taker_fee(self):
        return self._trade().taker_fee if self._is_trade() else 0

    @property
    def maker_fee(self):
        return self._trade().maker_fee if self._is_trade() else 0

    @property
    def maker_account(self):
        return self._trade().maker_account if self._is_trade() else 0

    @property
    def update_id(self):
        return self._top().update_id if self.record.kind == TOP else 0

    @property
    def bid_ticks(self):
        return self._top().bid_ticks if self.record.kind == TOP else 0

    @property
    def bid_lots(self):
        return self._top().bid_lots if self.record.kind == TOP else 0

    @property
    def ask_ticks(self):
        return self._top().ask_ticks if self.record.kind == TOP else 0

    @property
    def ask_lots(self):
        return self._top().ask_lots if self.record.kind == TOP else 0


def unpack_events(buffer):
    """list[Event] of a buffer of events; ValueError if its length is not a multiple of 128."""
    cdef Py_buffer view
    cdef Event event
    cdef list events = []
    cdef Py_ssize_t offset
    PyObject_GetBuffer(buffer, &view, PyBUF_SIMPLE)
    try:
        if view.len % sizeof(Record):
            raise ValueError(f"{view.len} bytes of events: not a multiple of {sizeof(Record)}")
        for offset in range(0, view.len, sizeof(Record)):
            event = Event.__new__(Event)
            memcpy(&event.record, <char*>view.buf + offset, sizeof(Record))
            events.append(event)
    finally:
        PyBuffer_Release(&view)
    return events


def split_events(list events not None, uint64_t first_seq, list counts not None):
    """(first_seq, events) of each submission of a frame, given how many commands each has; events are in order."""
    cdef list shares = []
    cdef Py_ssize_t begin = 0, end = 0, total = len(events)
    cdef uint64_t next_seq
    for count in counts:
        next_seq = first_seq + <uint64_t>count
        while end < total and (<Event?>events[end]).record.seq < next_seq:
            end += 1
        shares.append((first_seq, events[begin:end]))
        first_seq, begin = next_seq, end
    return shares
