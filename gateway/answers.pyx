"""The replies to ordinary orders and cancels, written natively: the same bytes as order_replies.py makes, faster.

An Answer is made when its command is read and remembers what the request wanted; AnswerWriter writes the frames of all
the answers of one connection that became due together into one piece. Refusals, failures and very large answers are
left to the caller, who gets the answer's `tag` and its `body` to do it the general way.
"""
from libc.stdint cimport int64_t, uint64_t
from libc.string cimport strlen


from gateway.refusals import of_core

from engine.core.types cimport (
    BUY, CANCELED, MARKET, REJECTED, TEXT_BYTES, TRADE)
from engine.core.types cimport Event as Record
from engine.core.unpack cimport Event
from gateway.order_store cimport Order
from gateway.terms cimport Terms
from gateway.text_buffer cimport TextBuffer, wide_of

cdef enum:
    WRITE_BYTES_MAX = 256 * 1024     # of frames before the caller has to take them
    DIRECT_BYTES_MAX = 64 * 1024     # a longer answer is the caller's, who knows the limit

cdef tuple SIDES = (b"BUY", b"SELL")
cdef tuple TYPES = (
    b"LIMIT", b"LIMIT_MAKER", b"MARKET", b"STOP_LOSS", b"STOP_LOSS_LIMIT", b"TAKE_PROFIT", b"TAKE_PROFIT_LIMIT")
cdef tuple TIMES = (b"GTC", b"IOC", b"FOK", b"GTD", b"DAY")
cdef tuple STP_MODES = (b"NONE", b"EXPIRE_TAKER", b"EXPIRE_MAKER", b"EXPIRE_BOTH", b"DECREMENT")


cdef class Desk:
    """What answers read: the instruments, the orders, who subscribed. One per process."""

    def __init__(self, catalog, OrderStore store not None, streams, tag, dict expiry_reasons not None):
        self.terms = TermsTable(catalog)
        self.store, self.streams, self.subscribers, self.tag = store, streams, streams.subscribers, tag
        self.expiry_reasons = {code: reason.encode() for code, reason in expiry_reasons.items()}


cdef class Answer:
    """A reply that waits for its command."""

    @property
    def tag(self):
        """Where a reply belongs, for the general way."""
        return self.desk.tag(self.id, self.show_limits)

    def body(self, list events not None):
        """The JSON of the result from the command's events. Raises Refusal."""
        cdef TextBuffer out = TextBuffer()
        cdef Event first = events[0]
        if first.record.kind == REJECTED:
            raise of_core(first.record.code)
        self.write_body(out, events, 0, len(events))
        return out.taken()

    cdef int write_body(self, TextBuffer out, list events, Py_ssize_t begin, Py_ssize_t end) except -1:
        raise NotImplementedError


cdef class PlaceAnswer(Answer):
    """To order.place without self-trade prevention: ACK, RESULT or FULL; the order right after its own command."""

    cdef int write_body(self, TextBuffer out, list events, Py_ssize_t begin, Py_ssize_t end) except -1:
        cdef Record* accepted = &(<Event?>events[begin]).record
        cdef Terms terms = self.desk.terms.by_id(accepted.instrument)
        cdef uint64_t time = <uint64_t>(accepted.time_ns // self.unit_ns)
        _put(out, b'{"symbol":')
        out.add_bytes(terms.symbol)
        _put(out, b',"orderId":')
        out.add_int(accepted.order_id)
        _put(out, b',"orderListId":-1,"clientOrderId":"')
        _add_text(out, accepted)
        _put(out, b'","transactTime":')
        out.add_int(time)
        if self.detail != ACK_DETAIL:
            self._result(out, terms, events, begin, end, time)
            if self.detail == FULL_DETAIL:
                _fills(out, terms, accepted.side, events, begin, end)
        return _put(out, b"}")

    cdef int _result(
        self, TextBuffer out, Terms terms, list events, Py_ssize_t begin, Py_ssize_t end, uint64_t time
    ) except -1:
        cdef Record* accepted = &(<Event>events[begin]).record
        cdef Event event, last = _last_of(events, begin, end)
        cdef int64_t executed = 0
        cdef uint64_t quote, low = 0, high = 0
        cdef Py_ssize_t index
        for index in range(begin + 1, end):
            event = <Event?>events[index]
            if event.record.kind == TRADE and event.record.order_id == accepted.order_id:
                executed += event.record.qty_lots
                quote = <uint64_t>event._trade().quote_amount
                low += quote
                high += low < quote
        _put(out, b',"price":"')
        terms.add_price(out, accepted.price_ticks)
        _put(out, b'","origQty":"')
        terms.add_qty(out, accepted.qty_lots if accepted.qty_lots else executed)
        _put(out, b'","executedQty":"')
        terms.add_qty(out, executed)
        _add_quotes(out, terms, accepted.amount, high, low)
        out.add_bytes(_status(accepted, &last.record))
        _add_kind(out, accepted.time_in_force, accepted.order_type, accepted.side)
        _put(out, b',"workingTime":')
        out.add_int(time)
        _put(out, b',"selfTradePreventionMode":"NONE"')
        if last.record.kind == CANCELED:
            _put(out, b',"expiryReason":"')
            out.add_bytes(self.desk.expiry_reasons[last.record.code])
            _put(out, b'"')
        return 0


cdef class CancelAnswer(Answer):
    """To order.cancel: the order that it took off the book."""

    cdef int write_body(self, TextBuffer out, list events, Py_ssize_t begin, Py_ssize_t end) except -1:
        cdef Event canceled = <Event?>events[begin]
        cdef Order order = self.desk.store.get(canceled.record.account, canceled.record.order_id)
        cdef Terms terms = self.desk.terms.by_id(order.instrument)
        cdef bytes text = order.text.encode("ascii")
        if canceled.record.account in self.desk.subscribers:
            self.desk.streams.name_cancel(
                canceled.record.account, canceled.record.seq, self.cancel_id.decode("ascii"))
        _put(out, b'{"symbol":')
        out.add_bytes(terms.symbol)
        _put(out, b',"origClientOrderId":"')
        out.add_bytes(text)
        _put(out, b'","orderId":')
        out.add_int(order.id)
        if order.list_id:
            _put(out, b',"orderListId":')
            out.add_int(order.list_id)
            _put(out, b',"clientOrderId":"')
        else:
            _put(out, b',"orderListId":-1,"clientOrderId":"')
        out.add_bytes(self.cancel_id)
        _put(out, b'","transactTime":')
        out.add_int(<uint64_t>(canceled.record.time_ns // self.unit_ns))
        _put(out, b',"price":"')
        terms.add_price(out, order.price_ticks)
        _put(out, b'","origQty":"')
        terms.add_qty(out, order.qty_lots + order.decremented_lots)
        _put(out, b'","executedQty":"')
        terms.add_qty(out, order.executed_lots)
        _add_quotes(out, terms, order.amount, order.quote_high, order.quote_low)
        _put(out, b"CANCELED")
        _add_kind(out, order.time_in_force, order.order_type, order.side)
        _put(out, b',"selfTradePreventionMode":"')
        out.add_bytes(STP_MODES[order.stp])
        if order.stop_ticks:
            _put(out, b'","stopPrice":"')
            terms.add_price(out, order.stop_ticks)
        _put(out, b'"')
        if order.trailing_bps:
            _put(out, b',"trailingDelta":')
            out.add_int(order.trailing_bps)
            _put(out, b',"trailingTime":')
            if order.trailing_ns:
                out.add_int(<uint64_t>(order.trailing_ns // self.unit_ns))
            else:
                _put(out, b'-1')
        if order.display_lots:
            _put(out, b',"icebergQty":"')
            terms.add_qty(out, order.display_lots)
            _put(out, b'"')
        if order.prevented_lots:
            _put(out, b',"preventedMatchId":')
            out.add_int(order.prevention._trade().trade_id)
            _put(out, b',"preventedQuantity":"')
            terms.add_qty(out, order.prevented_lots)
            _put(out, b'"')
        return _put(out, b'}')


cdef class AnswerWriter:
    """Of one connection."""

    def __init__(self):
        self._out = TextBuffer()

    cpdef tuple write(self, list items, Py_ssize_t index, list events, Py_ssize_t begin):
        """Write the frames of the answers from items[index] on, whose events are those from `begin` on.

        Returns (index, begin) of the first item that is left to the caller: no Answer, or one that has to be refused or
        could not be written; or that comes when enough is written, then call again after `taken`.
        """
        cdef Py_ssize_t count = len(items), end
        cdef Answer answer
        while index < count and isinstance(items[index], Answer) and self._out.size < WRITE_BYTES_MAX:
            answer = <Answer>items[index]
            end = end_of_command(events, begin)
            if end == begin or not self._write(answer, events, begin, end):
                break
            index, begin = index + 1, end
        return index, begin

    cpdef bytes taken(self):
        """The frames written since the last call."""
        return self._out.taken() if self._out.size else b""

    cdef bint _write(self, Answer answer, list events, Py_ssize_t begin, Py_ssize_t end) except -1:
        cdef TextBuffer out = self._out
        cdef Py_ssize_t frame = out.size
        cdef Py_ssize_t body
        if (<Event?>events[begin]).record.kind == REJECTED:
            return False
        try:
            out.open_frame()
            _put(out, b'{"id":')
            out.add_bytes(answer.id)
            _put(out, b',"status":200,"result":')
            body = out.size
            answer.write_body(out, events, begin, end)
            if out.size - body > DIRECT_BYTES_MAX:
                out.size = frame
                return False
            if answer.show_limits:
                _put(out, b',"rateLimits":[]')
            _put(out, b"}")
            out.close_frame(frame)
        except Exception:
            out.size = frame
            return False
        return True


cdef inline int _put(TextBuffer out, const char* text) except -1:
    """A literal: its length is known to the compiler."""
    return out.add(text, <Py_ssize_t>strlen(text))


cpdef Py_ssize_t end_of_command(list events, Py_ssize_t begin) except -1:
    """Behind the events of the command whose first event is at `begin`."""
    cdef Py_ssize_t count = len(events)
    cdef Py_ssize_t end = begin + 1
    cdef uint64_t seq
    if begin >= count:
        return begin
    seq = (<Event?>events[begin]).record.seq
    while end < count and (<Event?>events[end]).record.seq == seq:
        end += 1
    return end


cdef Event _last_of(list events, Py_ssize_t begin, Py_ssize_t end):
    """The last event of the order that the one at `begin` is about."""
    cdef uint64_t number = (<Event?>events[begin]).record.order_id
    end -= 1
    while (<Event?>events[end]).record.order_id != number:
        end -= 1
    return <Event>events[end]


cdef int _add_text(TextBuffer out, Record* record) except -1:
    cdef Py_ssize_t size = TEXT_BYTES
    while size > 0 and record.text[size - 1] == 0:
        size -= 1
    return out.add(record.text, size)


cdef int _add_quotes(TextBuffer out, Terms terms, int64_t amount, uint64_t high, uint64_t low) except -1:
    _put(out, b'","origQuoteOrderQty":"')
    out.add_amount(wide_of(0, <uint64_t>amount), terms.quote_scale)
    _put(out, b'","cummulativeQuoteQty":"')
    out.add_amount(wide_of(high, low), terms.quote_scale)
    return _put(out, b'","status":"')


cdef int _add_kind(TextBuffer out, int time_in_force, int order_type, int side) except -1:
    _put(out, b'","timeInForce":"')
    out.add_bytes(TIMES[time_in_force])
    _put(out, b'","type":"')
    out.add_bytes(TYPES[order_type])
    _put(out, b'","side":"')
    out.add_bytes(SIDES[side])
    return _put(out, b'"')


cdef bytes _status(Record* accepted, Record* last):
    if last.kind == CANCELED:
        return b"EXPIRED"
    if last.kind != TRADE:
        return b"NEW"
    if last.left_lots == 0 or (accepted.order_type == MARKET and accepted.amount != 0):
        return b"FILLED"
    return b"PARTIALLY_FILLED"


cdef int _fills(TextBuffer out, Terms terms, int side, list events, Py_ssize_t begin, Py_ssize_t end) except -1:
    cdef Event event
    cdef Py_ssize_t index
    cdef uint64_t number = (<Event>events[begin]).record.order_id
    cdef bint first = True
    _put(out, b',"fills":[')
    for index in range(begin + 1, end):
        event = <Event>events[index]
        if event.record.kind != TRADE or event.record.order_id != number:
            continue
        _put(out, b'{"price":"' if first else b',{"price":"')
        first = False
        terms.add_price(out, event.record.price_ticks)
        _put(out, b'","qty":"')
        terms.add_qty(out, event.record.qty_lots)
        _put(out, b'","commission":"')
        out.add_amount(wide_of(0, <uint64_t>event._trade().taker_fee),
                       terms.base_scale if side == BUY else terms.quote_scale)
        _put(out, b'","commissionAsset":')
        out.add_bytes(terms.base if side == BUY else terms.quote)
        _put(out, b',"tradeId":')
        out.add_int(event._trade().trade_id)
        _put(out, b"}")
    return _put(out, b"]")
