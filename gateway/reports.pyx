"""executionReports of ordinary orders, written natively when the change happens: placed, and traded.

The same bytes as user_events.py makes of all others (its twin in tests). A report is written in microseconds; who wants
milliseconds gets it with the last three digits of its four times left out.
"""
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memcpy, strlen

from engine.core.types cimport ACCEPTED, BUY, FOK, IOC, TRADE
from engine.core.unpack cimport Event
from gateway.order_store cimport Order
from gateway.terms cimport Terms, TermsTable
from gateway.text_buffer cimport TextBuffer, wide_of

from gateway.order_store import execution_id
from gateway.protocol import ORDER_TYPES, SIDES, STP_MODES, TIMES_IN_FORCE

__all__ = ["Report", "ReportWriter"]

cdef enum:
    TIMES = 4
    CUT = 3            # digits of microseconds that milliseconds have not
    NS_PER_US = 1000

cdef tuple SIDE_TEXTS = tuple(text.encode() for text in SIDES)
cdef tuple TYPE_TEXTS = tuple(text.encode() for text in ORDER_TYPES)
cdef tuple TIME_TEXTS = tuple(text.encode() for text in TIMES_IN_FORCE)
cdef tuple STP_TEXTS = tuple(text.encode() for text in STP_MODES)


cdef class Report:
    """One report: `exact` in microseconds, `usual()` in milliseconds."""
    cdef readonly object execution_id
    cdef readonly bytes exact
    cdef Py_ssize_t[TIMES] _ends     # of the times in it that are above 0, in order; the others are 0

    def usual(self):
        """The same with times in milliseconds."""
        cdef Py_ssize_t size = len(self.exact), begin = 0, written = 0, count = 0, place
        cdef const char* data = PyBytes_AS_STRING(self.exact)
        cdef bytes text
        cdef char* out
        for place in range(TIMES):
            count += self._ends[place] != 0
        text = PyBytes_FromStringAndSize(NULL, size - CUT * count)
        out = PyBytes_AS_STRING(text)
        for place in range(TIMES):
            if self._ends[place]:
                memcpy(out + written, data + begin, <size_t>(self._ends[place] - CUT - begin))
                written += self._ends[place] - CUT - begin
                begin = self._ends[place]
        memcpy(out + written, data + begin, <size_t>(size - begin))
        return text


cdef class ReportWriter:
    """For the instruments of one catalog."""
    cdef TermsTable _terms
    cdef TextBuffer _out

    def __init__(self, catalog):
        self._terms, self._out = TermsTable(catalog), TextBuffer()

    def write(self, Order order not None, Event event not None, bint is_maker):
        """The Report of this change, None when it is no ordinary one. The order has taken the event."""
        cdef Terms terms
        cdef Report report
        if not _is_ordinary(order, event, is_maker):
            return None
        terms = self._terms.by_id(order.instrument)
        if terms is None:
            return None
        report = Report.__new__(Report)
        report.execution_id = execution_id(event, is_maker)
        self._out.size = 0
        self._head(report, terms, order, event)
        self._change(report, terms, order, event, is_maker)
        self._tail(report, terms, order, event)
        report.exact = self._out.taken()
        return report

    cdef int _head(self, Report report, Terms terms, Order order, Event event) except -1:
        """What was ordered."""
        cdef TextBuffer out = self._out
        cdef int64_t total = order.qty_lots + order.decremented_lots
        _put(out, b'{"e":"executionReport","E":')
        self._time(report, 0, event.record.time_ns)
        _put(out, b',"s":')
        out.add_bytes(terms.symbol)
        _put(out, b',"c":"')
        out.add_bytes(order.text.encode("ascii"))
        _put(out, b'","S":"')
        out.add_bytes(SIDE_TEXTS[order.side])
        _put(out, b'","o":"')
        out.add_bytes(TYPE_TEXTS[order.order_type])
        _put(out, b'","f":"')
        out.add_bytes(TIME_TEXTS[order.time_in_force])
        _put(out, b'","q":"')
        terms.add_qty(out, total if total else order.executed_lots)
        _put(out, b'","p":"')
        terms.add_price(out, order.price_ticks)
        _put(out, b'","P":"')
        terms.add_price(out, order.stop_ticks)
        _put(out, b'","F":"')
        terms.add_qty(out, order.display_lots)
        return _put(out, b'","g":')

    cdef int _change(self, Report report, Terms terms, Order order, Event event, bint is_maker) except -1:
        """What happened to it."""
        cdef TextBuffer out = self._out
        cdef bint traded = event.record.kind == TRADE
        if order.list_id:
            out.add_int(order.list_id)
        else:
            _put(out, b"-1")
        _put(out, b',"C":"","x":"TRADE","X":"' if traded else b',"C":"","x":"NEW","X":"')
        out.add_bytes(order.status.encode("ascii"))
        _put(out, b'","r":"NONE","i":')
        out.add_int(order.id)
        _put(out, b',"l":"')
        terms.add_qty(out, event.record.qty_lots if traded else 0)
        _put(out, b'","z":"')
        terms.add_qty(out, order.executed_lots)
        _put(out, b'","L":"')
        terms.add_price(out, event.record.price_ticks if traded else 0)
        _put(out, b'","n":"')
        if traded:
            out.add_amount(wide_of(0, <uint64_t>_fee(event, is_maker)),
                           terms.base_scale if order.side == BUY else terms.quote_scale)
            _put(out, b'","N":')
            out.add_bytes(terms.base if order.side == BUY else terms.quote)
        else:
            _put(out, b'0","N":null')
        _put(out, b',"T":')
        self._time(report, 1, event.record.time_ns)
        _put(out, b',"t":')
        if traded:
            out.add_int(event._trade().trade_id)
        else:
            _put(out, b"-1")
        _put(out, b',"I":')
        out.add_int(report.execution_id)
        _put(out, b',"w":true,"m":' if _is_on_book(order) else b',"w":false,"m":')
        return _put(out, b'true,"M":false,"O":' if traded and is_maker else b'false,"M":false,"O":')

    cdef int _tail(self, Report report, Terms terms, Order order, Event event) except -1:
        """Amounts and times."""
        cdef TextBuffer out = self._out
        cdef bint traded = event.record.kind == TRADE
        self._time(report, 2, order.time_ns)
        _put(out, b',"Z":"')
        out.add_amount(wide_of(order.quote_high, order.quote_low), terms.quote_scale)
        _put(out, b'","Y":"')
        out.add_amount(wide_of(0, <uint64_t>event._trade().quote_amount if traded else 0), terms.quote_scale)
        _put(out, b'","Q":"')
        out.add_amount(wide_of(0, <uint64_t>order.amount), terms.quote_scale)
        _put(out, b'","W":')
        if order.working_ns:
            self._time(report, 3, order.working_ns)
        else:
            _put(out, b"-1")
        _put(out, b',"V":"')
        out.add_bytes(STP_TEXTS[order.stp])
        return _put(out, b'"}')

    cdef int _time(self, Report report, int place, int64_t time_ns) except -1:
        self._out.add_int(<uint64_t>(time_ns // NS_PER_US))
        report._ends[place] = self._out.size
        return 0


cdef bint _is_ordinary(Order order, Event event, bint is_maker) noexcept:
    """Placed or traded; nothing of what only few orders have, and times long enough to be cut."""
    if order.prevention is not None or order.trailing_bps or order.code or order.refusal:
        return False
    if order.time_ns < NS_PER_US * NS_PER_US or 0 < order.working_ns < NS_PER_US * NS_PER_US:
        return False
    return event.record.kind == ACCEPTED or (
        event.record.kind == TRADE and order.working_ns != 0 and _fee(event, is_maker) >= 0)


cdef int64_t _fee(Event event, bint is_maker) noexcept:
    return event._trade().maker_fee if is_maker else event._trade().taker_fee


cdef bint _is_on_book(Order order) noexcept:
    """Open, with a price, not to be done at once, and at work."""
    return (order.status in ("NEW", "PARTIALLY_FILLED") and order.price_ticks != 0
            and order.time_in_force != IOC and order.time_in_force != FOK and order.working_ns != 0)


cdef inline int _put(TextBuffer out, const char* text) except -1:
    """A literal: its length is known to the compiler."""
    return out.add(text, <Py_ssize_t>strlen(text))
