"""Sections of the orders that wait for a trigger, and of what they and those set off have beyond plain ones."""
from libc.stdint cimport uint64_t

from engine.core.state cimport State

cdef bytes dump_waiting(State* state)
cdef bytes dump_extras(State* state)
cdef int load_waiting(State* state, const char* data, uint64_t count, size_t item_bytes) except -1
# Comes after all orders: arms those that are in no book.
cdef int load_extras(State* state, const char* data, uint64_t count, size_t item_bytes) except -1
