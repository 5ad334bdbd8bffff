"""Commands about open orders: cancel, reduce keeping the place in the queue, cancel all of an account."""
from engine.core.state cimport State
from engine.core.types cimport Command

cdef void cancel(State* state, Command* command) noexcept nogil
cdef void reduce(State* state, Command* command) noexcept nogil
cdef void cancel_all(State* state, Command* command) noexcept nogil
