"""PROTECTION: limits of an instrument that INSTRUMENT_LIMITS has no room for."""
from engine.core.state cimport State
from engine.core.types cimport ControlCommand

cdef void set_protection(State* state, ControlCommand* command) noexcept nogil
