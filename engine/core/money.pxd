"""Credits and debits: money enters and leaves through account 0, so that every asset always sums to 0."""
from engine.core.state cimport State
from engine.core.types cimport Command

cdef void credit(State* state, Command* command) noexcept nogil
cdef void debit(State* state, Command* command) noexcept nogil
