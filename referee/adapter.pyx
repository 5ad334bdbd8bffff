"""The functions the judge calls. One message in, its commands applied by the core, their events out as reports.

Everything here is C without Python: the library is linked without an interpreter, so the linker proves it.
"""
from libc.stdint cimport INT64_MAX, INT64_MIN, int64_t, uint8_t, uint32_t, uint64_t

from engine.core.ladder cimport FAN_BITS, FAN_MASK, NO_KEY, Ladder, ladder_find_leaf
from engine.core.plain cimport cancel, place_plain
from engine.core.state cimport MAX_TICKS, side_key
from engine.core.types cimport ACCEPTED, BUY, CANCELED, GTC, IOC, SELL, TRADE, Event, TradeEvent
from referee.abi cimport (
    CANCEL_ACK, CANCEL_REJECT, MODIFY_ACK, MODIFY_REJECT, ORDER_ACK, CancelOrder, ModifyOrder, NewOrder, Transport)
from referee.desk cimport Entry, desk_add, desk_find, desk_remove
from referee.order_line cimport command, write_cancel, write_order
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
    if event != NULL:
        send_answer(&venue.outbox, CANCEL_ACK, order.sequence, order.order_id, event.side, event.price_ticks,
                    event.qty_lots)
    else:
        send_answer(&venue.outbox, CANCEL_REJECT, order.sequence, order.order_id, 0, 0, 0)


cdef public void engine_on_modify(const ModifyOrder* order) noexcept nogil:
    """Cancels and places anew, behind all others at its price, on the side the order had."""
    cdef Event* event = _cancel(order.order_id, order.sequence)
    if event != NULL:
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
    uint64_t name, uint64_t sequence, uint64_t side, int64_t price_ticks, uint64_t qty_lots, uint64_t time_in_force,
    int answer
) noexcept nogil:
    """An order the core refuses gets no report: the interface has none for it."""
    cdef uint64_t seq = _begin(sequence)
    if seq >= venue.names_capacity:
        venue_grow(&venue)
    venue.names[seq] = name
    write_order(side, time_in_force, _account(name), INSTRUMENT_ID, seq, sequence, price_ticks, qty_lots)
    place_plain(&venue.state, command)
    _check()
    if venue.state.events.items[0].kind == ACCEPTED:
        send_answer(&venue.outbox, answer, sequence, name, <int>side, price_ticks, qty_lots)
        if venue.state.events.count > 1:
            _report_more(name, sequence, time_in_force == GTC)
        else:
            _remember(name, venue.state.events.items)


cdef inline Event* _cancel(uint64_t name, uint64_t sequence) noexcept nogil:
    """By order_id and slot, as the member knows them; both 0 if it knows of none. NULL: the core has refused it."""
    cdef Entry* entry = desk_find(&venue.desk, name)
    write_cancel(_account(name), INSTRUMENT_ID, entry.slot, _begin(sequence), sequence, entry.order_id)
    cancel(&venue.state, command)
    _check()
    if venue.state.events.items[0].kind != CANCELED:
        return NULL
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


cdef inline uint64_t _account(uint64_t name) noexcept nogil:
    return FIRST_ACCOUNT + name % ACCOUNTS


cdef void _report_more(uint64_t name, uint64_t sequence, bint may_rest) noexcept nogil:
    """Trades, and what is taken off at the end."""
    cdef Event* first = venue.state.events.items
    cdef Event* event = first + 1
    cdef Event* end = first + venue.state.events.count
    cdef int64_t left_lots = 0
    while event != end:
        if event.kind == TRADE:
            _report_trade(name, sequence, <TradeEvent*>event)
            left_lots = event.left_lots
        elif event.kind == CANCELED:
            send_answer(&venue.outbox, CANCEL_ACK, sequence, name, event.side, event.price_ticks, event.qty_lots)
            left_lots = 0
        event += 1
    if left_lots > 0 and may_rest:
        _remember(name, first)


cdef inline void _remember(uint64_t name, Event* accepted) noexcept nogil:
    if not desk_add(&venue.desk, name, <uint32_t>accepted.order_id, accepted.slot):
        give_up("out of memory")


cdef inline void _report_trade(uint64_t name, uint64_t sequence, TradeEvent* event) noexcept nogil:
    cdef uint64_t maker = venue.names[event.maker_order_id]
    cdef Entry* entry
    send_trade(&venue.outbox, sequence, name, maker, event.price_ticks, event.qty_lots)
    if event.maker_left_lots == 0:
        entry = desk_find(&venue.desk, maker)
        if entry.order_id == event.maker_order_id:
            desk_remove(&venue.desk, entry)
