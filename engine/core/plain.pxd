"""The two commands that come all the time: the common order, which has a way of its own through the same code
(engine.core.admission says how), and cancel.

Written inline, for loops over many commands to draw in whole, so that the taker stays in registers; out of line for
whoever does one now and then.
"""
from libc.stdint cimport uint32_t

from engine.core.admission cimport admit
from engine.core.matching cimport rest_whole, work
from engine.core.orders cimport find_order, take_off, why_unknown
from engine.core.reports cimport report_refused
from engine.core.state cimport State
from engine.core.taker cimport Taker
from engine.core.types cimport GTC, NONE, PLACE, REQUESTED, Code, Command

cdef enum:
    PLAIN_MASK = 0xFEFFFEFF     # kind, side, order type, time in force; BUY or SELL and GTC or IOC are all the same

cdef inline bint is_plain(Command* command) noexcept nogil:
    """PLACE of a limit order, GTC or IOC, with nothing in the fields that few orders use."""
    return (((<uint32_t*>command)[0] & PLAIN_MASK) ^ PLACE | command.amount | (<uint32_t*>command)[25]
            | command.trigger_ticks | command.display_lots | command.expires_ns) == 0


# A PLACE that is_plain.
cdef void place_plain(State* state, Command* command) noexcept nogil
cdef void cancel(State* state, Command* command) noexcept nogil


cdef inline void place_plain_here(State* state, Command* command) noexcept nogil:
    """One that meets nobody and may rest goes straight, without the fields that trading needs."""
    cdef Taker taker
    cdef Code code = admit(state, command, &taker, True)
    if code != NONE:
        report_refused(state, command, code)
    elif taker.against.best_key < taker.limit_key and command.time_in_force == GTC:
        rest_whole(state, &taker)
    else:
        work(state, &taker, True)


cdef inline void cancel_here(State* state, Command* command) noexcept nogil:
    cdef uint32_t slot = find_order(state, command)
    if slot == 0:
        report_refused(state, command, why_unknown(state, command))
        return
    take_off(state, command, slot, REQUESTED)
