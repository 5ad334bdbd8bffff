"""Hashing takes time in proportion to the state: a mark is passed over by a state larger than marks_max."""
from libc.stdint cimport uint64_t

from engine.core.digest cimport DIGEST_VERSION, state_digest
from engine.core.reports cimport echo
from engine.core.types cimport CONFIGURED, Event


cdef void checkpoint(State* state, Command* command) noexcept nogil:
    if command.order_id == 0:
        _mark(state)
    elif (state.mark.known and command.order_id == state.mark.seq and command.qty_lots == DIGEST_VERSION):
        state.mark.told = <uint64_t>command.amount
        state.mark.refuted = state.mark.told != state.mark.hash
        state.mark.proven += not state.mark.refuted
    cdef Event* event = echo(state, command, CONFIGURED)
    event.qty_lots = 0
    event.flags = command.kind


cdef void _mark(State* state) noexcept nogil:
    state.mark.seq = state.seq
    state.mark.known = <uint64_t>state.pool.open + state.wallets.count <= state.marks_max
    if state.mark.known:
        state.failed |= not state_digest(state, &state.mark.hash)
