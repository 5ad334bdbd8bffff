"""One command to the function that carries it out."""
from engine.core.state cimport State
from engine.core.types cimport Command

cdef void dispatch(State* state, Command* command) noexcept nogil
