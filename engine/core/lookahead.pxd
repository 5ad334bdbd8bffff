"""Asks the cache for what the commands a little further on will touch. Reads only; never changes a result.

A command costs more waiting for memory than computing: its account, wallet, order, queue and book lie anywhere. Each is
looked at three times: FAR ahead for what its own bytes name, BETWEEN for where in the book's trie its price lies, NEAR
for what those records name in turn; the last two are left out while the books are few and their orders fit the nearer
caches. No branch depends on a command: commands come in no order, and
a wrong guess costs more than asking for lines that are not needed. Ids out of range become 0, where nothing lives; only
asking needs no check.
"""
from libc.stdint cimport int64_t, uint32_t, uint64_t

from engine.core.bits cimport equal8, low_bit, prefetch
from engine.core.clients cimport client_hash
from engine.core.index cimport Bucket
from engine.core.ladder cimport FAN_BITS, FAN_MASK, Ladder
from engine.core.pool cimport Links, Node
from engine.core.state cimport PURSE_SIZE, Account, Book, State, side_key
from engine.core.types cimport SELL, Command

cdef enum:
    STREAM = 24         # the batch itself lies far away: lines of the command so many places on
    FAR = 12
    BETWEEN = 9
    NEAR = 6
    RING = 16           # hashes kept between looking far ahead and applying; a power of two above FAR
    FEW_BOOKS = 16
    FEW_ORDERS = 8192


cdef inline bint is_wide(State* state) noexcept nogil:
    """Is there more than the nearer caches hold?"""
    return state.books_capacity > FEW_BOOKS or state.pool.fresh > FEW_ORDERS


cdef inline uint32_t look_far(State* state, Command* command, bint wide) noexcept nogil:
    """Returns the hash of the command's account and text."""
    cdef uint32_t hashed = client_hash(command.account, command.text)
    prefetch(<char*>(command + STREAM))
    prefetch(<char*>(command + STREAM) + 64)
    prefetch(&state.accounts[command.account])
    prefetch(&state.clients.table.buckets[hashed & state.clients.table.mask])
    prefetch(&state.pool.nodes[command.slot])
    prefetch(&state.pool.details[command.slot])
    prefetch(&state.pool.links[command.slot])
    if wide:
        prefetch(&state.books[command.instrument])
        prefetch(<char*>&state.books[command.instrument] + 64)
        prefetch(<char*>&state.books[command.instrument] + 128)
    return hashed


cdef inline void look_between(State* state, Command* command) noexcept nogil:
    """The branch of its price, both sides' best, and the slot after the next one to be taken."""
    cdef Book* book = &state.books[command.instrument if command.instrument < state.books_capacity else 0]
    cdef uint64_t side = command.side & SELL
    cdef Ladder* ladder = &book.ladders[side]
    cdef int64_t key = side_key(<int>side, command.price_ticks)
    prefetch(&state.shelf.branches[upper(ladder)].children[(key >> (FAN_BITS * ladder.height)) & FAN_MASK])
    prefetch(&state.shelf.leaves[ladder.best_level >> FAN_BITS])
    prefetch(&state.shelf.levels[book.ladders[side ^ 1].best_level])
    look_at_order(state, state.pool.nodes[state.pool.free].next)


cdef inline uint32_t upper(Ladder* ladder) noexcept nogil:
    """The branch that is its root, 0 where a leaf is."""
    return ladder.root & -<uint32_t>(ladder.height != 0)


cdef inline void look_near(State* state, Command* command, uint32_t hashed) noexcept nogil:
    cdef uint32_t slot = command.slot if command.slot < state.pool.fresh else 0
    cdef Account* owner = &state.accounts[command.account if command.account < state.accounts_capacity else 0]
    cdef Book* book = &state.books[command.instrument if command.instrument < state.books_capacity else 0]
    cdef int side = command.side & SELL
    prefetch(&state.wallets.items[owner.purse_wallet[book.pay_asset[side] % PURSE_SIZE]])
    prefetch(&state.wallets.items[state.pool.nodes[slot].pay_wallet])
    prefetch(&state.clients.table.buckets[state.pool.details[slot].hash & state.clients.table.mask])
    prefetch(&state.pool.links[owner.last_order])
    look_at_queue(state, slot)
    look_at_levels(state, book, side, command.price_ticks)
    look_at_named(state, hashed)


cdef inline void look_at_queue(State* state, uint32_t slot) noexcept nogil:
    """An open order's level and its neighbours in both lists."""
    cdef Node* node = &state.pool.nodes[slot]
    cdef Links* links = &state.pool.links[slot]
    prefetch(&state.shelf.levels[node.level])
    prefetch(&state.pool.nodes[node.next])
    prefetch(&state.pool.nodes[node.prev])
    prefetch(&state.pool.links[links.next])
    prefetch(&state.pool.links[links.prev])


cdef inline void look_at_levels(State* state, Book* book, int side, int64_t price_ticks) noexcept nogil:
    """The level of a price, if the ladder is at most one branch high, and the first maker of the opposite side."""
    cdef Ladder* ladder = &book.ladders[side]
    cdef int64_t key = side_key(side, price_ticks)
    cdef uint32_t branch = upper(ladder)
    cdef uint32_t leaf = state.shelf.branches[branch].children[(key >> (FAN_BITS * ladder.height)) & FAN_MASK]
    leaf ^= (leaf ^ ladder.root) & -<uint32_t>(branch == 0)
    prefetch(&state.shelf.levels[(<uint64_t>leaf << FAN_BITS) + (key & FAN_MASK)])
    prefetch(&state.shelf.leaves[leaf])
    look_at_order(state, state.shelf.levels[book.ladders[1 - side].best_level].head)


cdef inline void look_at_named(State* state, uint32_t hashed) noexcept nogil:
    """The order of that client order id, if there is one where it should be."""
    cdef Bucket* bucket = &state.clients.table.buckets[hashed & state.clients.table.mask]
    cdef uint32_t found = equal8(bucket.hashes, hashed)
    look_at_order(state, bucket.items[low_bit(found | 128)] & -<uint32_t>(found != 0))


cdef inline void look_at_order(State* state, uint32_t slot) noexcept nogil:
    prefetch(&state.pool.nodes[slot])
    prefetch(&state.pool.details[slot])
    prefetch(&state.pool.links[slot])


cdef inline void look_at_maker(State* state, uint32_t slot) noexcept nogil:
    """What the next trade will touch, and the order behind it: its own node was asked for one trade ago."""
    cdef Node* maker = &state.pool.nodes[slot]
    prefetch(&state.pool.nodes[maker.next])
    prefetch(&state.pool.details[slot])
    prefetch(&state.pool.links[slot])
    prefetch(&state.accounts[maker.account])
    prefetch(&state.wallets.items[maker.pay_wallet])
    prefetch(&state.wallets.items[maker.receive_wallet])
