"""The day's end is counted from the epoch in whole days of UTC, shifted by the instrument's day_end_s."""
from libc.stdint cimport INT64_MAX, uint64_t

from engine.core.deadlines cimport deadline_add, deadline_remove
from engine.core.memory cimport block_grow
from engine.core.pool cimport TIMED
from engine.core.state cimport Tag
from engine.core.types cimport GTD, PLACE

cdef enum:
    NS_PER_S = 1000000000


cdef void tag_order(State* state, Command* command, uint32_t slot) noexcept nogil:
    cdef uint32_t session = command.slot if command.kind == PLACE else state.session
    cdef int64_t expires_ns = 0
    if command.time_in_force >= GTD:
        expires_ns = expiry_of(&state.books[command.instrument], command)
    put_tag(state, slot, session, expires_ns)


cdef void put_tag(State* state, uint32_t slot, uint32_t session, int64_t expires_ns) noexcept nogil:
    cdef uint32_t handle = 0
    cdef void* tags
    if slot >= state.tags_capacity:
        tags = block_grow(state.tags, <size_t>state.pool.capacity * sizeof(Tag))
        if tags == NULL:
            state.failed = True
            return
        state.tags = <Tag*>tags
        state.tags_capacity = state.pool.capacity
    if expires_ns != 0:
        state.pool.nodes[slot].flags |= TIMED
        handle = deadline_add(&state.deadlines, expires_ns, state.pool.nodes[slot].order_id, slot, False)
        state.failed |= handle == 0
    state.tags[slot].session = session
    state.tags[slot].deadline = handle


cdef void untag(State* state, uint32_t slot) noexcept nogil:
    deadline_remove(&state.deadlines, state.tags[slot].deadline)
    state.tags[slot].deadline = 0


cdef int64_t expiry_of(Book* book, Command* command) noexcept nogil:
    cdef uint64_t day = <uint64_t>DAY_S * NS_PER_S
    cdef uint64_t shift = <uint64_t>book.day_end_s * NS_PER_S
    cdef uint64_t now = <uint64_t>command.time_ns if command.time_ns > 0 else 0
    cdef uint64_t end
    if command.expires_ns != 0:
        return command.expires_ns
    end = (now + day - shift) / day * day + shift
    return <int64_t>end if end < <uint64_t>INT64_MAX else INT64_MAX
