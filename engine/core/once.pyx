"""Terms are compared by a hash of 64 bits: of all that is said of the order, not of
when, by which session, nor in place of which other order."""
from libc.string cimport memcpy, memset

from engine.core.id_ring cimport PlacedId, ring_add, ring_find, ring_resize
from engine.core.reports cimport report_control
from engine.core.types cimport (
    BAD_COMMAND, CAPACITY, CLIENT_ID_REUSED, CONFIGURED, NONE, REPEATED, TEXT_BYTES)


cdef Code once_code(State* state, Command* command, uint64_t* order_id) noexcept nogil:
    cdef PlacedId* found
    if command.text[0] == 0:
        return BAD_COMMAND
    if state.placed_ids.max == 0:
        return CAPACITY
    found = ring_find(&state.placed_ids, command.account, command.text)
    if found == NULL:
        return NONE
    order_id[0] = found.order_id
    return REPEATED if found.terms == _terms(command) else CLIENT_ID_REUSED


cdef void once_keep(State* state, Command* command) noexcept nogil:
    if not once_restore(state, command.seq, _terms(command), command.account, command.text):
        state.failed = True


cdef bint once_restore(
    State* state, uint64_t order_id, uint64_t terms, uint32_t account, const char* text
) noexcept nogil:
    cdef PlacedId placed
    memset(&placed, 0, sizeof(placed))
    placed.order_id, placed.terms, placed.account = order_id, terms, account
    memcpy(placed.text, text, TEXT_BYTES)
    return ring_add(&state.placed_ids, &placed)


cdef uint64_t once_find(State* state, uint32_t account, const char* text) noexcept nogil:
    cdef PlacedId* found = ring_find(&state.placed_ids, account, text)
    return found.order_id if found != NULL else 0


cdef void set_remembered(State* state, ControlCommand* command) noexcept nogil:
    cdef Code code = NONE
    if command.remembered > REMEMBERED_MAX:
        code = BAD_COMMAND
    elif not once_resize(state, <uint32_t>command.remembered):
        state.failed = True
        return
    report_control(state, command, CONFIGURED, code)


cdef bint once_resize(State* state, uint32_t most) noexcept nogil:
    return most == state.placed_ids.max or ring_resize(&state.placed_ids, most)


cdef uint64_t _terms(Command* command) noexcept nogil:
    cdef uint64_t[8] words
    cdef uint64_t digest = command.instrument
    cdef int place
    words[0] = <uint64_t>command.side << 16 | <uint64_t>command.order_type << 8 | command.time_in_force
    words[1] = <uint64_t>command.price_ticks
    words[2] = <uint64_t>command.qty_lots
    words[3] = <uint64_t>command.amount
    words[4] = <uint64_t>command.stp << 16 | command.trailing_bps
    words[5] = <uint64_t>command.trigger_ticks
    words[6] = <uint64_t>command.display_lots
    words[7] = <uint64_t>command.expires_ns
    for place in range(8):
        digest = (digest ^ words[place]) * <uint64_t>0x9E3779B97F4A7C15
        digest ^= digest >> 29
    return digest
