"""Asks the cache for what the commands a little further on will touch. Reads only; never changes a result.

A command costs more waiting for memory than computing: its account, wallet, order and queue lie anywhere. Each command
is looked at twice: FAR ahead for what its own bytes name, NEAR for what those records name in turn.
"""
from libc.stdint cimport uint32_t

from engine.core.bits cimport prefetch
from engine.core.clients cimport client_hash
from engine.core.pool cimport Node
from engine.core.state cimport PURSE_SIZE, Account, Book, State
from engine.core.types cimport PLACE, SELL, Command

cdef enum:
    FAR = 8
    NEAR = 4
    RING = 16   # hashes kept between looking far ahead and applying; a power of two above FAR


cdef inline uint32_t look_far(State* state, Command* command) noexcept nogil:
    """Returns the hash of the command's account and text, 0 without text."""
    cdef uint32_t hashed = 0
    if command.account < state.accounts_capacity:
        prefetch(&state.accounts[command.account])
    if command.text[0] != 0:
        hashed = client_hash(command.account, command.text)
        prefetch(&state.clients.entries[hashed & state.clients.mask])
    if command.slot != 0 and command.slot < state.pool.fresh:
        look_at_order(state, command.slot)
    return hashed


cdef inline void look_near(State* state, Command* command, uint32_t hashed) noexcept nogil:
    cdef Account* owner
    cdef Node* node
    if command.account >= state.accounts_capacity or command.instrument >= state.books_capacity:
        return
    if command.kind == PLACE:
        owner = &state.accounts[command.account]
        prefetch(&state.wallets.items[owner.purse_wallet[
            state.books[command.instrument].pay_asset[command.side & SELL] % PURSE_SIZE]])
        prefetch(&state.pool.links[owner.last_order])
    elif command.order_id == 0:
        look_at_order(state, state.clients.entries[hashed & state.clients.mask].slot)
    elif command.slot < state.pool.fresh:
        node = &state.pool.nodes[command.slot]
        prefetch(&state.shelf.levels[node.level])
        prefetch(&state.wallets.items[node.pay_wallet])
        prefetch(&state.pool.nodes[node.next])
        prefetch(&state.pool.nodes[node.prev])


cdef inline void look_at_order(State* state, uint32_t slot) noexcept nogil:
    prefetch(&state.pool.nodes[slot])
    prefetch(&state.pool.details[slot])
    prefetch(&state.pool.links[slot])
