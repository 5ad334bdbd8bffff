"""Money that the canceled half frees is there for the new one, and so is its client order id."""
from libc.stdint cimport uint8_t, uint32_t, uint64_t

from engine.core.once cimport once_code
from engine.core.orders cimport find_order, take_off, why_unknown
from engine.core.rare cimport place
from engine.core.reports cimport report_refused
from engine.core.tags cimport session_of
from engine.core.types cimport (
    ALLOW_FAILURE, BAD_COMMAND, CANCEL_HALF, NONE, ONCE, PLACE_HALF, REJECTED, REQUESTED, STOP_ON_FAILURE, Code,
    Event)


cdef void replace(State* state, Command* command) noexcept nogil:
    cdef uint32_t slot = find_order(state, command)
    cdef uint8_t mode = command.mode & ~<uint8_t>ONCE
    cdef uint64_t order_id = command.order_id
    cdef Code code
    if command.mode & ONCE and command.order_id != 0:
        code = once_code(state, command, &order_id)
        if code != NONE:
            report_refused(state, command, code)
            state.events.items[state.events.count - 1].order_id = order_id
            return
    if mode > ALLOW_FAILURE or (command.mode & ONCE and command.order_id == 0):
        report_refused(state, command, BAD_COMMAND)
        _mark(state, CANCEL_HALF)
        return
    state.session = session_of(state, slot)
    if slot != 0:
        take_off(state, command, slot, REQUESTED)
    else:
        report_refused(state, command, why_unknown(state, command))
        _mark(state, CANCEL_HALF)
        if mode == STOP_ON_FAILURE:
            return
    place(state, command)
    _mark(state, PLACE_HALF)


cdef void _mark(State* state, int half) noexcept nogil:
    """The last event, if it is a refusal: a refused half has no other."""
    cdef Event* event = &state.events.items[state.events.count - 1]
    if event.kind == REJECTED:
        event.flags |= half
