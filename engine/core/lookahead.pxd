"""Asks the cache for what the commands a little further on will touch. Reads only; never changes a result.

A command costs more waiting for memory than computing: its account, wallet, order, queue and book lie anywhere. Each is
looked at three times: FAR ahead for what its own bytes name, MIDDLE for what those records name, NEAR for what these
name in turn. No branch depends on a command: commands come in no order, and a wrong guess costs more than asking for
lines that are not needed. Ids out of range become 0, where nothing lives.
"""
from libc.stdint cimport int64_t, uint32_t, uint64_t

from engine.core.bits cimport prefetch
from engine.core.clients cimport client_hash
from engine.core.ladder cimport FAN_BITS, FAN_MASK, Ladder
from engine.core.pool cimport Node
from engine.core.state cimport PURSE_SIZE, Account, Book, State, side_key
from engine.core.types cimport SELL, Command

cdef enum:
    FAR = 12
    MIDDLE = 8
    NEAR = 4
    RING = 16   # hashes kept between looking far ahead and applying; a power of two above FAR


cdef inline uint32_t look_far(State* state, Command* command) noexcept nogil:
    """Returns the hash of the command's account and text."""
    cdef uint32_t hashed = client_hash(command.account, command.text)
    cdef Book* book = look_book(state, command)
    prefetch(look_account(state, command))
    prefetch(book)
    prefetch(<char*>book + 64)
    prefetch(<char*>book + 128)
    prefetch(&state.clients.entries[hashed & state.clients.mask])
    look_order(state, look_slot(state, command))
    return hashed


cdef inline void look_middle(State* state, Command* command, uint32_t hashed) noexcept nogil:
    cdef Account* owner = look_account(state, command)
    cdef Book* book = look_book(state, command)
    cdef int side = command.side & SELL
    cdef Ladder* ladder = &book.ladders[side]
    prefetch(&state.wallets.items[owner.purse_wallet[book.pay_asset[side] % PURSE_SIZE]])
    prefetch(&state.pool.links[owner.last_order])
    prefetch(look_child(state, ladder, command))
    prefetch(&state.shelf.levels[book.ladders[1 - side].best_level])
    look_order(state, state.clients.entries[hashed & state.clients.mask].slot)


cdef inline void look_near(State* state, Command* command) noexcept nogil:
    cdef uint32_t slot = look_slot(state, command)
    cdef Book* book = look_book(state, command)
    cdef int side = command.side & SELL
    cdef Ladder* ladder = &book.ladders[side]
    cdef Node* node = &state.pool.nodes[slot]
    cdef uint32_t leaf = look_child(state, ladder, command)[0]
    leaf = leaf if ladder.height != 0 else ladder.root
    prefetch(&state.shelf.levels[(<uint64_t>leaf << FAN_BITS) + (side_key(side, command.price_ticks) & FAN_MASK)])
    prefetch(&state.shelf.leaves[leaf])
    prefetch(&state.shelf.levels[node.level])
    prefetch(&state.wallets.items[node.pay_wallet])
    prefetch(&state.pool.nodes[node.next])
    prefetch(&state.pool.nodes[node.prev])
    prefetch(&state.pool.links[state.pool.links[slot].next])
    prefetch(&state.pool.links[state.pool.links[slot].prev])
    prefetch(&state.clients.entries[state.pool.details[slot].hash & state.clients.mask])
    look_order(state, state.shelf.levels[book.ladders[1 - side].best_level].head)


cdef inline Account* look_account(State* state, Command* command) noexcept nogil:
    return &state.accounts[command.account if command.account < state.accounts_capacity else 0]


cdef inline Book* look_book(State* state, Command* command) noexcept nogil:
    return &state.books[command.instrument if command.instrument < state.books_capacity else 0]


cdef inline uint32_t look_slot(State* state, Command* command) noexcept nogil:
    return command.slot if command.slot < state.pool.fresh else 0


cdef inline uint32_t* look_child(State* state, Ladder* ladder, Command* command) noexcept nogil:
    """Where the root keeps the way to a price: to its leaf in a ladder of height 1. Branch 0 if the root is a leaf."""
    cdef int64_t key = side_key(command.side & SELL, command.price_ticks)
    return &state.shelf.branches[ladder.root if ladder.height != 0 else 0].children[
        (key >> (FAN_BITS * ladder.height)) & FAN_MASK]


cdef inline void look_order(State* state, uint32_t slot) noexcept nogil:
    prefetch(&state.pool.nodes[slot])
    prefetch(&state.pool.details[slot])
    prefetch(&state.pool.links[slot])
