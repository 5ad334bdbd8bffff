"""The section of client order ids that are remembered (engine.core.once)."""
from libc.stdint cimport uint64_t

from engine.core.state cimport State

cdef bytes dump_placed_ids(State* state)
cdef int load_placed_ids(State* state, const char* data, uint64_t count, size_t item_bytes) except -1
