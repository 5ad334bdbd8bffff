"""A batch of commands, each to the function that carries it out."""
from libc.stdint cimport uint64_t

from engine.core.state cimport State

# Applies commands from any address; returns their number, fewer when a seq does not follow or memory ran out. The
# events of all of them stand in state.events afterwards.
cdef uint64_t apply_commands(State* state, const char* data, uint64_t count) noexcept nogil
