"""The one caller."""
from engine.core.matching cimport place_as


cdef void place_plain(State* state, Command* command) noexcept nogil:
    place_as(state, command, True)
