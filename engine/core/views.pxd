"""Reads the state for Python: copies, never views into the core's memory."""
from libc.stdint cimport int64_t, uint32_t

from engine.core.state cimport State

cdef list view_depth(State* state, uint32_t instrument, int side, int64_t limit)
cdef int64_t view_level(State* state, uint32_t instrument, int side, int64_t price_ticks) except -1
cdef list view_queue(State* state, uint32_t instrument, int side, int64_t limit)
cdef list view_unseen(State* state, uint32_t instrument)
cdef bytes view_order(State* state, uint32_t slot)
cdef bytes view_open_orders(State* state, uint32_t account, uint32_t instrument)
cdef object view_all_orders(State* state)
cdef bytes view_order_lists(State* state)
cdef bytes view_wallets(State* state)
cdef list view_account_wallets(State* state, uint32_t account)
cdef list view_assets(State* state)
cdef bytes view_instruments(State* state)
cdef list view_timers(State* state, uint32_t account)
# Indices of all wallets, ordered by account, then asset.
cdef list sorted_wallets(State* state)
