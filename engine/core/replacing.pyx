"""Money that the canceled half frees is there for the new one, and so is its client order id."""
from libc.stdint cimport uint32_t

from engine.core.matching cimport place
from engine.core.orders cimport find_order, take_off, why_unknown
from engine.core.reports cimport report_refused
from engine.core.tags cimport session_of
from engine.core.types cimport (
    ALLOW_FAILURE, BAD_COMMAND, CANCEL_HALF, PLACE_HALF, REJECTED, REQUESTED, STOP_ON_FAILURE, Event)


cdef void replace(State* state, Command* command) noexcept nogil:
    cdef uint32_t slot = find_order(state, command)
    if command.mode > ALLOW_FAILURE:
        report_refused(state, command, BAD_COMMAND)
        _mark(state, CANCEL_HALF)
        return
    state.session = session_of(state, slot)
    if slot != 0:
        take_off(state, command, slot, REQUESTED)
    else:
        report_refused(state, command, why_unknown(state, command))
        _mark(state, CANCEL_HALF)
        if command.mode == STOP_ON_FAILURE:
            return
    place(state, command)
    _mark(state, PLACE_HALF)


cdef void _mark(State* state, int half) noexcept nogil:
    """The last event, if it is a refusal: a refused half has no other."""
    cdef Event* event = &state.events.items[state.events.count - 1]
    if event.kind == REJECTED:
        event.flags |= half
