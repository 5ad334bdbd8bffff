"""The functions the judge calls. One message in, its commands applied by the core, their events out as reports.

Everything here is C without Python: the library is linked without an interpreter, so the linker proves it.
"""
from libc.stdint cimport INT64_MAX, INT64_MIN, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport abort
from libc.string cimport memcpy, memset

from engine.core.dispatch cimport apply_commands
from engine.core.ladder cimport FAN_BITS, FAN_MASK, NO_KEY, Ladder, ladder_find_leaf
from engine.core.state cimport MAX_TICKS, side_key
from engine.core.types cimport (
    ACCEPTED, BUY, CANCEL, CANCELED, GTC, IOC, PLACE, SELL, TRADE, Event, TradeEvent)
from referee.abi cimport (
    CANCEL_ACK, CANCEL_REJECT, MODIFY_ACK, MODIFY_REJECT, ORDER_ACK, CancelOrder, ModifyOrder, NewOrder, Transport)
from referee.outbox cimport outbox_flush, outbox_open, send_answer, send_trade
from referee.ring cimport ring_transport
from referee.venue cimport (
    ACCOUNTS, FIRST_ACCOUNT, IDS_MAX, INSTRUMENT_ID, Venue, venue_close, venue_grow, venue_open)

cdef Venue venue


cdef public const Transport* engine_get_transport() noexcept nogil:
    return ring_transport()


cdef public void engine_init(uint64_t seed, const Transport* transport, void* queue) noexcept nogil:
    """The seed is not used: nothing here is left to chance."""
    if not venue_open(&venue):
        abort()
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
    if name >= venue.known_capacity or venue.state.seq + 1 >= venue.names_capacity:
        venue_grow(&venue, name)
    _address(name, sequence)
    venue.command.kind = PLACE
    venue.command.side = side
    venue.command.time_in_force = time_in_force
    venue.command.order_id = 0
    venue.command.slot = 0
    venue.command.price_ticks = price_ticks
    venue.command.qty_lots = qty_lots
    venue.names[venue.command.seq] = name
    _apply()
    _report(name, sequence, answer)


cdef inline Event* _cancel(uint64_t name, uint64_t sequence) noexcept nogil:
    """By order_id and slot as the member knows them; by client order id where the id is too long for its table."""
    _address(name, sequence)
    venue.command.kind = CANCEL
    venue.command.order_id = venue.command.slot = 0
    if name < venue.known_capacity:
        venue.command.order_id = venue.known[name].order_id
        venue.command.slot = venue.known[name].slot
    _apply()
    return &venue.state.events.items[0]


cdef inline void _address(uint64_t name, uint64_t sequence) noexcept nogil:
    """What every command carries: the number, the time, the account, and the client order id if there must be one."""
    venue.command.seq = venue.state.seq + 1
    venue.command.time_ns = <int64_t>sequence
    venue.command.account = FIRST_ACCOUNT + <uint32_t>(name % ACCOUNTS)
    if name >= IDS_MAX or venue.command.text[0] != 0:
        _name(name)


cdef void _name(uint64_t name) noexcept nogil:
    memset(venue.command.text, 0, 9)
    if name >= IDS_MAX:
        venue.command.text[0] = c"#"
        memcpy(venue.command.text + 1, &name, sizeof(uint64_t))


cdef inline void _apply() noexcept nogil:
    if apply_commands(&venue.state, <char*>&venue.command, 1) != 1:
        abort()


cdef inline void _report(uint64_t name, uint64_t sequence, int answer) noexcept nogil:
    """The events of a placed order. An order the core refuses gets no report: the interface has none for it."""
    cdef Event* event = venue.state.events.items
    cdef Event* end = event + venue.state.events.count
    while event != end:
        if event.kind == TRADE:
            _report_trade(name, sequence, <TradeEvent*>event)
        elif event.kind == ACCEPTED:
            if name < IDS_MAX:
                venue.known[name].order_id = event.order_id
                venue.known[name].slot = event.slot
            send_answer(&venue.outbox, answer, sequence, name, event.side, event.price_ticks, event.qty_lots)
        elif event.kind == CANCELED:
            send_answer(&venue.outbox, CANCEL_ACK, sequence, name, event.side, event.price_ticks, event.qty_lots)
        event += 1


cdef inline void _report_trade(uint64_t name, uint64_t sequence, TradeEvent* event) noexcept nogil:
    send_trade(&venue.outbox, sequence, name, venue.names[event.maker_order_id], event.price_ticks, event.qty_lots)
