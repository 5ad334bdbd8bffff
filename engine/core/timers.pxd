"""Dead man's timers: orders of an account that end unless somebody renews the promise in time.

A timer is one per (account, session, instrument), 0 meaning all; setting it again moves its time, a countdown of 0
takes it away. It ends at a TICK: the orders it names are canceled with code TIMER and the timer is gone.
"""
from libc.stdint cimport int64_t, uint32_t, uint64_t

from engine.core.state cimport State
from engine.core.types cimport Command, ControlCommand

cdef enum:
    TIMERS_MAX = 64         # of an account

cdef void set_timer(State* state, ControlCommand* command) noexcept nogil
cdef void end_timer(State* state, Command* command, uint32_t timer) noexcept nogil
# Sets a timer; seq orders those of the same time. state.failed when memory ran out.
cdef void keep_timer(
    State* state, uint32_t account, uint32_t session, uint32_t instrument, int64_t time_ns, uint64_t seq
) noexcept nogil
