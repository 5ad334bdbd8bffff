"""Both keep to what happens most: a common order that rests at once, and a cancel of one."""
from libc.stdint cimport uint32_t

from engine.core.admission cimport admit
from engine.core.matching cimport rest_whole, work
from engine.core.orders cimport find_order, take_off, why_unknown
from engine.core.reports cimport report_refused
from engine.core.taker cimport Taker
from engine.core.types cimport GTC, NONE, REQUESTED, Code


cdef void place_plain(State* state, Command* command) noexcept nogil:
    cdef Taker taker
    cdef Code code = admit(state, command, &taker, True)
    if code != NONE:
        report_refused(state, command, code)
    elif taker.against.best_key < taker.limit_key and command.time_in_force == GTC:
        rest_whole(state, &taker)
    else:
        work(state, &taker, True)


cdef void cancel(State* state, Command* command) noexcept nogil:
    cdef uint32_t slot = find_order(state, command)
    if slot == 0:
        report_refused(state, command, why_unknown(state, command))
        return
    take_off(state, command, slot, REQUESTED)
