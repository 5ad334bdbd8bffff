"""Orders that need more than matching: stops, trailing stops, icebergs, and those whose client order id counts once.

Kept out of line, so that plain orders pay one test of a few fields of the command for all of it.
"""
from engine.core.state cimport State
from engine.core.types cimport Command

cdef void place_rare(State* state, Command* command) noexcept nogil
