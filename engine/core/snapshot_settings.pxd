"""Sections of counters, assets, instruments, books, accounts and wallets."""
from libc.stdint cimport uint64_t

from engine.core.state cimport State

cdef bytes dump_counters(State* state)
cdef bytes dump_assets(State* state)
cdef bytes dump_instruments(State* state)
cdef bytes dump_books(State* state)
cdef bytes dump_accounts(State* state)
cdef bytes dump_wallets(State* state)
cdef int load_counters(State* state, const char* data, uint64_t count, size_t item_bytes) except -1
cdef int load_assets(State* state, const char* data, uint64_t count, size_t item_bytes) except -1
cdef int load_instruments(State* state, const char* data, uint64_t count, size_t item_bytes) except -1
cdef int load_books(State* state, const char* data, uint64_t count, size_t item_bytes) except -1
cdef int load_accounts(State* state, const char* data, uint64_t count, size_t item_bytes) except -1
cdef int load_wallets(State* state, const char* data, uint64_t count, size_t item_bytes) except -1
