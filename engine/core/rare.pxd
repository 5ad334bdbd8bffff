"""Any PLACE, also what needs more than matching: stops, trailing stops, icebergs, client order ids that count once.

Kept out of line, so that plain orders (engine.core.plain) pay one test of a few fields of the command for all of it.
"""
from engine.core.state cimport State
from engine.core.types cimport Command

cdef void place(State* state, Command* command) noexcept nogil
