"""The one caller."""
from libc.stdint cimport uint32_t

from engine.core.matching cimport place_as
from engine.core.orders cimport find_order, take_off, why_unknown
from engine.core.reports cimport report_refused
from engine.core.types cimport REQUESTED


cdef void place_plain(State* state, Command* command) noexcept nogil:
    place_as(state, command, True)


cdef void cancel(State* state, Command* command) noexcept nogil:
    cdef uint32_t slot = find_order(state, command)
    if slot == 0:
        report_refused(state, command, why_unknown(state, command))
        return
    take_off(state, command, slot, REQUESTED)
