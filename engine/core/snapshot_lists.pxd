"""Sections of the order lists: the open ones at their places, the free places, and one that is only half here."""
from libc.stdint cimport uint64_t

from engine.core.state cimport State

cdef bytes dump_lists(State* state)
cdef bytes dump_free_lists(State* state)
cdef bytes dump_gathered(State* state)
cdef int load_lists(State* state, const char* data, uint64_t count, size_t item_bytes) except -1
cdef int load_free_lists(State* state, const char* data, uint64_t count, size_t item_bytes) except -1
cdef int load_gathered(State* state, const char* data, uint64_t count, size_t item_bytes) except -1
