"""Writes the events of orders. Every byte of an event is written, as its place holds an old one."""
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from engine.core.events cimport event_next
from engine.core.pool cimport Node
from engine.core.state cimport State
from engine.core.taker cimport Taker
from engine.core.types cimport (
    ACCEPTED, CANCELED, NONE, PREVENTED, REDUCED, REJECTED, TRADE, Command, ControlCommand, Event,
    TradeEvent)


cdef inline Event* echo(State* state, Command* command, int kind) noexcept nogil:
    """An event that repeats the command's fields; slot, order_id, left_lots and the last 28 bytes are zero."""
    return echo_with(state, command, kind, 0, 0, 0, 0, 0)


cdef inline Event* echo_with(
    State* state, Command* command, int kind, uint32_t slot, uint64_t order_id, int64_t left_lots, int64_t amount,
    uint8_t stp
) noexcept nogil:
    """The same with these fields set.

    Written in words and pairs of words at their own alignment, each once: a copy of the whole, mended afterwards, made
    the compiler shift it by a byte, across the cache line.
    """
    cdef Event* event = event_next(&state.events)
    cdef uint64_t* words = <uint64_t*>event
    words[0] = ((<uint64_t*>command)[0] & ~<uint64_t>0xFF) | <uint64_t>kind
    words[1] = command.instrument | <uint64_t>slot << 32
    memcpy(&event.seq, &command.seq, 16)  # and time_ns
    event.order_id = order_id
    memcpy(&event.price_ticks, &command.price_ticks, 16)  # and qty_lots
    event.left_lots = left_lots
    memcpy(event.text, command.text, 32)
    words[12] = (<uint32_t*>command)[24] | <uint64_t>stp << 32  # the end of the text
    event.amount = amount
    words[14] = words[15] = 0
    return event


cdef inline void report_accepted(State* state, Taker* taker, bint plain) noexcept nogil:
    """Plain as engine.core.admission has it: neither by amount nor apart."""
    cdef Command* command = taker.command
    cdef int64_t amount = 0 if plain else command.amount
    cdef int stp = 0 if plain else command.stp
    echo_with(state, command, ACCEPTED, taker.slot, command.seq, command.qty_lots, amount, <uint8_t>stp)


cdef inline void report_refused(State* state, Command* command, int code) noexcept nogil:
    """REJECTED for any command laid out as Command; flags names its kind."""
    cdef Event* event = echo(state, command, REJECTED)
    event.order_id = command.order_id
    event.amount = command.amount
    event.code = code
    event.flags = command.kind


cdef inline Event* report_control(State* state, ControlCommand* command, int kind, int code) noexcept nogil:
    """An event of that kind about whom a ControlCommand names, or REJECTED; flags names the command's kind."""
    cdef Event* event = event_next(&state.events)
    memset(event, 0, sizeof(Event))
    event.kind = kind if code == NONE else REJECTED
    event.account = command.account
    event.instrument = command.instrument
    event.seq = command.seq
    event.time_ns = command.time_ns
    event.code = code
    event.flags = command.kind
    return event


cdef inline void report_trade(
    State* state, Taker* taker, Node* maker, int64_t lots, int64_t quote, int64_t taker_fee, int64_t maker_fee
) noexcept nogil:
    cdef Command* command = taker.command
    cdef TradeEvent* event = <TradeEvent*>event_next(&state.events)
    cdef uint64_t* words = <uint64_t*>event
    words[0] = ((<uint64_t*>command)[0] & ~<uint64_t>0xFF) | <uint64_t>TRADE
    words[1] = command.instrument | <uint64_t>taker.slot << 32
    memcpy(&event.seq, &command.seq, 16)  # and time_ns
    event.order_id = command.seq
    event.price_ticks = maker.price_ticks
    event.qty_lots = lots
    event.left_lots = 0 if taker.by_amount else taker.left_lots
    event.maker_order_id = maker.order_id
    event.maker_left_lots = maker.left_lots
    event.trade_id = taker.book.trade_id
    event.fill_id = state.fill_id
    event.quote_amount = quote
    event.taker_fee = taker_fee
    event.maker_fee = maker_fee
    event.maker_account = maker.account
    event.code = event.flags = 0


cdef inline void report_prevented(
    State* state, Taker* taker, Node* maker, int64_t lots, int64_t left_lots, int64_t maker_left_lots
) noexcept nogil:
    """left_lots and maker_left_lots are what stays open after the events that follow."""
    cdef TradeEvent* event = <TradeEvent*>event_next(&state.events)
    memcpy(event, taker.command, 32)  # kind .. time_ns
    event.kind = PREVENTED
    event.slot = taker.slot
    event.order_id = taker.command.seq
    event.price_ticks = maker.price_ticks
    event.qty_lots = lots
    event.left_lots = 0 if taker.by_amount else left_lots
    event.maker_order_id = maker.order_id
    event.maker_left_lots = maker_left_lots
    event.trade_id = taker.book.prevented_id
    event.fill_id = 0
    event.quote_amount = lots * maker.price_ticks * taker.book.tick_value
    event.taker_fee = event.maker_fee = 0
    event.maker_account = maker.account
    event.code = 0
    event.flags = taker.command.stp


cdef inline void report_decremented(State* state, Taker* taker) noexcept nogil:
    """REDUCED for an incoming order."""
    cdef Event* event = echo(state, taker.command, REDUCED)
    event.slot = taker.slot
    event.order_id = taker.command.seq
    event.qty_lots = taker.command.qty_lots - taker.prevented_lots
    event.left_lots = taker.left_lots


cdef inline void report_unfilled(State* state, Taker* taker, int code) noexcept nogil:
    """CANCELED for the rest of an incoming order."""
    cdef Event* event = echo(state, taker.command, CANCELED)
    event.slot = taker.slot
    event.order_id = taker.command.seq
    event.qty_lots = 0 if taker.by_amount else taker.left_lots
    event.amount = taker.amount_left
    event.code = code


cdef inline Event* report_resting(State* state, Command* command, uint32_t slot, int kind, int code) noexcept nogil:
    """CANCELED or REDUCED for an open order; the caller sets qty_lots and left_lots."""
    return report_of(state, command, &state.pool.nodes[slot], slot, kind, code)


cdef inline Event* report_of(
    State* state, Command* command, Node* node, uint32_t slot, int kind, int code
) noexcept nogil:
    cdef Event* event = event_next(&state.events)
    cdef uint64_t* words = <uint64_t*>event
    # side, order type and time in force, one after the other in both
    words[0] = <uint64_t>kind | <uint64_t>((<uint32_t*>&node.side)[0] << 8) | <uint64_t>node.account << 32
    words[1] = node.instrument | <uint64_t>slot << 32
    memcpy(&event.seq, &command.seq, 16)  # and time_ns
    memcpy(&event.order_id, &node.order_id, 16)  # and price_ticks
    event.qty_lots = node.left_lots
    event.left_lots = 0
    memcpy(event.text, node.text, 32)
    words[12] = (<uint32_t*>node.text)[8]  # the end of the text
    words[13] = words[14] = 0
    words[15] = <uint64_t>code << 32
    return event
