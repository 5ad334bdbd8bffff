"""Commands of the operator and of the shell that are neither orders nor money: the kinds from TICK to PROTECTION."""
from engine.core.state cimport State
from engine.core.types cimport ControlCommand

# False if the kind is none of these.
cdef bint control(State* state, ControlCommand* command) noexcept nogil
