"""After a command: its trades set off the stops whose trigger they reached, and those enter the book one by one.

Trades are looked at in the order in which they happened, those of the orders set off included, so a cascade is a queue
and no recursion: each order is set off once, and the number of armed orders bounds it.
"""
from libc.stdint cimport uint64_t

from engine.core.state cimport State
from engine.core.types cimport Command

cdef void watch(State* state, Command* cause, uint64_t first_event) noexcept nogil
