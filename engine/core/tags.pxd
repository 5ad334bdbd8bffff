"""What few orders have: the session that placed them, and a time at which they end.

One Tag per slot, beside the pool. The table is made by the first order that needs one; from then on every resting order
writes its own, so that none is left over from an order before it in the slot. Until then an order pays one test.
"""
from libc.stdint cimport int64_t, uint32_t

from engine.core.state cimport Book, State
from engine.core.types cimport Command

cdef enum:
    DAY_S = 86400

# Tags the order that this command leaves in the slot; state.failed when memory ran out.
cdef void tag_order(State* state, Command* command, uint32_t slot) noexcept nogil
cdef void put_tag(State* state, uint32_t slot, uint32_t session, int64_t expires_ns) noexcept nogil
# Of an order that has a deadline: forgets it.
cdef void untag(State* state, uint32_t slot) noexcept nogil
# When the order of a GTD or DAY command ends: as it says, else with the day.
cdef int64_t expiry_of(Book* book, Command* command) noexcept nogil


cdef inline uint32_t session_of(State* state, uint32_t slot) noexcept nogil:
    return state.tags[slot].session if slot < state.tags_capacity else 0


cdef inline int64_t expires_of(State* state, uint32_t slot) noexcept nogil:
    """0 if it does not expire."""
    cdef uint32_t handle = state.tags[slot].deadline if slot < state.tags_capacity else 0
    return state.deadlines.items[handle].time_ns if handle != 0 else 0
