"""Sections of what the venue's own commands leave behind: fee schedules, sessions, expiries, timers."""
from libc.stdint cimport uint64_t

from engine.core.state cimport State

cdef bytes dump_fees(State* state)
cdef bytes dump_tags(State* state)
cdef int load_tags(State* state, const char* data, uint64_t count, size_t item_bytes) except -1
cdef bytes dump_timers(State* state)
cdef int load_timers(State* state, const char* data, uint64_t count, size_t item_bytes) except -1
cdef bytes dump_busts(State* state)
cdef int load_busts(State* state, const char* data, uint64_t count, size_t item_bytes) except -1
cdef int load_fees(State* state, const char* data, uint64_t count, size_t item_bytes) except -1
