"""Sections of what the venue's own commands leave behind: fee schedules."""
from libc.stdint cimport uint64_t

from engine.core.state cimport State

cdef bytes dump_fees(State* state)
cdef int load_fees(State* state, const char* data, uint64_t count, size_t item_bytes) except -1
