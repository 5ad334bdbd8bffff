"""The functions the judge calls. One message in, its commands applied by the core, their events out as reports.

Everything here is C without Python: the library is linked without an interpreter, so the linker proves it.
"""
from libc.stdint cimport INT64_MAX, INT64_MIN, int64_t, uint8_t, uint32_t, uint64_t

from engine.core.ladder cimport FAN_BITS, FAN_MASK, NO_KEY, Ladder, ladder_find_leaf
from engine.core.plain cimport cancel, place_plain
from engine.core.state cimport MAX_TICKS, side_key
from engine.core.types cimport ACCEPTED, BUY, CANCEL, CANCELED, GTC, IOC, PLACE, SELL, TRADE, Event, TradeEvent
from referee.abi cimport (
    CANCEL_ACK, CANCEL_REJECT, MODIFY_ACK, MODIFY_REJECT, ORDER_ACK, CancelOrder, ModifyOrder, NewOrder, Transport)
from referee.desk cimport Entry, desk_add, desk_find, desk_remove
from referee.order_line cimport command, write_order_line
from referee.outbox cimport outbox_flush, outbox_open, send_answer, send_trade
from referee.ring cimport ring_transport
from referee.venue cimport (
    ACCOUNTS, FIRST_ACCOUNT, INSTRUMENT_ID, Venue, give_up, venue_close, venue_grow, venue_open)

cdef Venue venue


cdef public const Transport* engine_get_transport() noexcept nogil:
    return ring_transport()


cdef public void engine_init(uint64_t seed, const Transport* transport, void* queue) noexcept nogil:
    """The seed is not used: nothing here is left to chance."""
    if not venue_open(&venue):
        give_up("out of memory")
    outbox_open(&venue.outbox, transport, queue)


cdef public void engine_shutdown() noexcept nogil:
    venue_close(&venue)


cdef public void engine_on_new_order(const NewOrder* order) noexcept nogil:
    _place(order.order_id, order.sequence, order.side, order.price_ticks, order.qty_lots,
           IOC if order.immediate else GTC, ORDER_ACK)


cdef public void engine_on_cancel(const CancelOrder* order) noexcept nogil:
    cdef Event* event = _cancel(order.order_id, order.sequence)
    if event.kind == CANCELED:
        send_answer(&venue.outbox, CANCEL_ACK, order.sequence, order.order_id, event.side, event.price_ticks,
                    event.qty_lots)
    else:
        send_answer(&venue.outbox, CANCEL_REJECT, order.sequence, order.order_id, 0, 0, 0)


cdef public void engine_on_modify(const ModifyOrder* order) noexcept nogil:
    """Cancels and places anew, behind all others at its price, on the side the order had."""
    cdef Event* event = _cancel(order.order_id, order.sequence)
    if event.kind == CANCELED:
        _place(order.order_id, order.sequence, event.side, order.price_ticks, order.qty_lots, GTC, MODIFY_ACK)
    else:
        send_answer(&venue.outbox, MODIFY_REJECT, order.sequence, order.order_id, 0, 0, 0)


cdef public void engine_flush() noexcept nogil:
    outbox_flush(&venue.outbox)


cdef public int64_t engine_query_best_bid() noexcept nogil:
    cdef int64_t key = venue.state.books[<int>INSTRUMENT_ID].ladders[<int>BUY].best_key
    return INT64_MIN if key == NO_KEY else side_key(BUY, key)


cdef public int64_t engine_query_best_ask() noexcept nogil:
    cdef int64_t key = venue.state.books[<int>INSTRUMENT_ID].ladders[<int>SELL].best_key
    return INT64_MAX if key == NO_KEY else side_key(SELL, key)


cdef public uint64_t engine_query_depth_at(int64_t price_ticks, uint8_t side) noexcept nogil:
    cdef Ladder* ladder = &venue.state.books[<int>INSTRUMENT_ID].ladders[side & 1]
    cdef int64_t key = side_key(side & 1, price_ticks)
    cdef uint32_t leaf = 0
    if 1 <= price_ticks <= MAX_TICKS:
        leaf = ladder_find_leaf(&venue.state.shelf, ladder, key)
    return 0 if leaf == 0 else <uint64_t>venue.state.shelf.levels[leaf << FAN_BITS | (key & FAN_MASK)].qty_lots


cdef inline void _place(
    uint64_t name, uint64_t sequence, int side, int64_t price_ticks, int64_t qty_lots, int time_in_force, int answer
) noexcept nogil:
    """An order the core refuses gets no report: the interface has none for it."""
    cdef uint64_t seq = _begin(sequence)
    cdef int64_t left_lots = qty_lots
    cdef Event* event
    if seq >= venue.names_capacity:
        venue_grow(&venue)
    venue.names[seq] = name
    write_order_line(PLACE, side, time_in_force, _account(name), INSTRUMENT_ID, 0, seq, sequence, 0, price_ticks,
                     qty_lots)
    place_plain(&venue.state, command)
    _check()
    event = venue.state.events.items
    if event.kind != ACCEPTED:
        return
    send_answer(&venue.outbox, answer, sequence, name, side, price_ticks, qty_lots)
    if venue.state.events.count > 1:
        left_lots = _report_more(name, sequence)
    if left_lots > 0 and time_in_force == GTC and not desk_add(&venue.desk, name, <uint32_t>seq, event.slot):
        give_up("out of memory")


cdef inline Event* _cancel(uint64_t name, uint64_t sequence) noexcept nogil:
    """By order_id and slot, as the member knows them; both 0, which the core refuses, if it knows of none."""
    cdef Entry* entry = desk_find(&venue.desk, name)
    cdef uint64_t seq = _begin(sequence)
    write_order_line(CANCEL, 0, 0, _account(name), INSTRUMENT_ID, entry.slot, seq, sequence, entry.order_id, 0, 0)
    cancel(&venue.state, command)
    _check()
    if venue.state.events.items[0].kind == CANCELED:
        desk_remove(&venue.desk, entry)
    return venue.state.events.items


cdef inline uint64_t _begin(uint64_t sequence) noexcept nogil:
    """What engine.core.dispatch does before each command. Returns its number."""
    venue.state.events.count = 0
    venue.state.seq += 1
    venue.state.time_ns = <int64_t>sequence
    return venue.state.seq


cdef inline void _check() noexcept nogil:
    """And after it: no stop, list or TOP event is ever asked for here, so only memory can have run out."""
    if venue.state.failed | venue.state.events.failed:
        give_up("out of memory")


cdef inline uint32_t _account(uint64_t name) noexcept nogil:
    return FIRST_ACCOUNT + <uint32_t>(name % ACCOUNTS)


cdef int64_t _report_more(uint64_t name, uint64_t sequence) noexcept nogil:
    """Trades, and what is taken off at the end. Returns the quantity still open."""
    cdef Event* event = venue.state.events.items + 1
    cdef Event* end = venue.state.events.items + venue.state.events.count
    cdef int64_t left_lots = 0
    while event != end:
        if event.kind == TRADE:
            _report_trade(name, sequence, <TradeEvent*>event)
            left_lots = event.left_lots
        elif event.kind == CANCELED:
            send_answer(&venue.outbox, CANCEL_ACK, sequence, name, event.side, event.price_ticks, event.qty_lots)
            left_lots = 0
        event += 1
    return left_lots


cdef inline void _report_trade(uint64_t name, uint64_t sequence, TradeEvent* event) noexcept nogil:
    cdef uint64_t maker = venue.names[event.maker_order_id]
    cdef Entry* entry
    send_trade(&venue.outbox, sequence, name, maker, event.price_ticks, event.qty_lots)
    if event.maker_left_lots == 0:
        entry = desk_find(&venue.desk, maker)
        if entry.order_id == event.maker_order_id:
            desk_remove(&venue.desk, entry)
