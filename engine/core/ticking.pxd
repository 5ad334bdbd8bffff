"""TICK: the sequencer's clock as a command. What has ended by its time goes, earliest first; nothing ends otherwise.

So an order trades until the TICK that ends it is sequenced, and a replica needs no clock. At most TICK_ENDS_MAX orders
and timers end at one TICK: while next_deadline_ns is not after the clock, send another. A TICK with nothing to end has
no event. O(log n) for each that ends.
"""
from engine.core.state cimport State
from engine.core.types cimport Command

cdef enum:
    TICK_ENDS_MAX = 1000

cdef void tick(State* state, Command* command) noexcept nogil
