"""The loop over what is due."""
from libc.stdint cimport uint32_t

from engine.core.deadlines cimport Deadline, deadline_first
from engine.core.orders cimport take_off
from engine.core.timers cimport end_timer
from engine.core.types cimport EXPIRED


cdef void tick(State* state, Command* command) noexcept nogil:
    cdef Deadline* due
    cdef uint32_t handle
    for _ in range(TICK_ENDS_MAX):
        handle = deadline_first(&state.deadlines)
        if handle == 0:
            return
        due = &state.deadlines.items[handle]
        if due.time_ns > command.time_ns:
            return
        if due.timer:
            end_timer(state, command, due.subject)
        else:
            take_off(state, command, due.subject, EXPIRED)
