"""Commands about open orders: cancel, reduce keeping the place in the queue, cancel all of an account."""
from libc.stdint cimport int64_t, uint32_t

from engine.core.state cimport State
from engine.core.types cimport Command

cdef void cancel(State* state, Command* command) noexcept nogil
cdef void reduce(State* state, Command* command) noexcept nogil
cdef void cancel_all(State* state, Command* command) noexcept nogil
# Takes an open order off the book, gives its money back and reports CANCELED with that reason.
cdef void take_off(State* state, Command* command, uint32_t slot, int reason) noexcept nogil
# Takes lots, fewer than are open, off an order's quantity and reports REDUCED; it keeps its place.
cdef void lower(State* state, Command* command, uint32_t slot, int64_t lots) noexcept nogil
# Slot of the open order a command means, 0 if there is none; and then the refusal that says why.
cdef uint32_t find_order(State* state, Command* command) noexcept nogil
cdef int why_unknown(State* state, Command* command) noexcept nogil
