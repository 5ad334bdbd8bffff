"""Sections of the resting orders and of the free slots."""
from libc.stdint cimport uint64_t

from engine.core.state cimport State

cdef bytes dump_orders(State* state)
cdef bytes dump_free_slots(State* state)
cdef int load_orders(State* state, const char* data, uint64_t count, size_t item_bytes) except -1
cdef int load_free_slots(State* state, const char* data, uint64_t count, size_t item_bytes) except -1
