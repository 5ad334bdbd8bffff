"""An incoming order's whole way: admit, take its money, trade by price then time, rest or cancel what is left."""
from engine.core.state cimport State
from engine.core.types cimport Command

cdef void place(State* state, Command* command) noexcept nogil
