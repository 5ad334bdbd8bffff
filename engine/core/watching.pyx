"""One trade sets off, at its price, first the RISING then the FALLING triggers, each by price, then time armed."""
from libc.stdint cimport int64_t, uint32_t

from engine.core.entering cimport enter
from engine.core.extras cimport extra_of
from engine.core.lists cimport leg_acted, settle_lists
from engine.core.pool cimport LISTED
from engine.core.reports cimport report_resting
from engine.core.state cimport Book, side_key
from engine.core.stops cimport FALLING, RISING, disarm
from engine.core.trailing cimport is_starting, start_trailing, trail
from engine.core.types cimport TRADE, TRIGGERED, Event


cdef void watch(State* state, Command* cause, uint64_t first_event) noexcept nogil:
    cdef uint64_t position = first_event
    cdef uint32_t slot
    while not state.failed:
        settle_lists(state, cause)
        position = _look(state, cause, position)
        settle_lists(state, cause)
        slot = state.entering_first
        if slot == 0:
            if position == state.events.count:
                return
            continue
        state.entering_first = state.pool.nodes[slot].next
        enter(state, cause, slot)


cdef uint64_t _look(State* state, Command* cause, uint64_t position) noexcept nogil:
    """Sets off what the trades from that event on reach; returns where to go on."""
    cdef Book* book
    cdef Event* event
    while position < state.events.count:
        event = &state.events.items[position]
        position += 1
        if event.kind == TRADE:
            book = &state.books[event.instrument]
            if book.armed != 0:
                _fire(state, cause, book, event.price_ticks)
    return position


cdef void _fire(State* state, Command* cause, Book* book, int64_t price_ticks) noexcept nogil:
    cdef uint32_t level
    if book.trails[0] | book.trails[1] != 0:
        trail(state, book, price_ticks)
    while not state.failed:
        level = _reached(book, price_ticks)
        if level == 0:
            return
        _reach(state, cause, state.shelf.levels[level].head, price_ticks)


cdef uint32_t _reached(Book* book, int64_t price_ticks) noexcept nogil:
    if book.triggers[<int>RISING].best_key >= side_key(RISING, price_ticks):
        return book.triggers[<int>RISING].best_level
    if book.triggers[<int>FALLING].best_key >= side_key(FALLING, price_ticks):
        return book.triggers[<int>FALLING].best_level
    return 0


cdef void _reach(State* state, Command* cause, uint32_t slot, int64_t price_ticks) noexcept nogil:
    if is_starting(extra_of(&state.extras, slot)):
        disarm(state, slot)
        start_trailing(state, slot, price_ticks)
    else:
        _set_off(state, cause, slot)


cdef void _set_off(State* state, Command* cause, uint32_t slot) noexcept nogil:
    """Out of the triggers, told, in the queue of those that enter. The other leg of a pair ends now: it may be next."""
    cdef Event* event
    disarm(state, slot)
    state.pool.nodes[slot].next = 0
    if state.entering_first == 0:
        state.entering_first = slot
    else:
        state.pool.nodes[state.entering_last].next = slot
    state.entering_last = slot
    event = report_resting(state, cause, slot, TRIGGERED, 0)
    event.left_lots = event.qty_lots
    event.trigger_ticks = extra_of(&state.extras, slot).trigger_ticks
    if state.pool.nodes[slot].flags & LISTED:
        leg_acted(state, slot)
        settle_lists(state, cause)
