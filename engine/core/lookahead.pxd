"""Asks the cache for what the commands a little further on will touch. Reads only; never changes a result.

A command costs more waiting for memory than computing: its account, wallet, order, queue and book lie anywhere. Each is
looked at FAR ahead for what its own bytes name, and where there is more than the nearer caches hold three times more,
each time for what the records asked for before name in turn. No branch depends on a command: commands come in no order,
and a wrong guess costs more than asking for lines that are not needed. Ids out of range become 0, where nothing lives;
only asking needs no check. What is asked for too early has left the nearest cache again when it is used.
"""
from libc.stdint cimport int64_t, uint32_t, uint64_t

from engine.core.bits cimport equal8, low_bit, prefetch
from engine.core.clients cimport client_hash
from engine.core.index cimport Bucket
from engine.core.ladder cimport FAN_BITS, FAN_MASK, Branch, Ladder
from engine.core.pool cimport Links, Node
from engine.core.state cimport MAX_TICKS, PURSE_SIZE, Account, Book, State, side_key
from engine.core.types cimport SELL, Command

cdef enum:
    STREAM = 24         # the batch itself lies far away: lines of the command so many places on
    FAR = 12
    BETWEEN = 9
    NEAR = 6
    LAST = 3
    RING = 16           # commands remembered between looking far ahead and applying; a power of two above FAR
    FEW_BOOKS = 16
    FEW_ORDERS = 8192
    BRANCH = sizeof(Branch) / sizeof(uint32_t)
    CHILDREN = BRANCH - FAN_MASK - 1    # a branch ends with its children

cdef struct Seen:           # of a command on its way; numbers, not addresses, as tables may move meanwhile
    int64_t limit_key       # lowest key of the opposite side it trades with
    uint32_t hashed         # of its account and text
    uint32_t instrument
    uint32_t child          # where its price's branch says what is below, in numbers of 32 bits from the first branch
    uint32_t leaf           # of its price if the ladder has no branch, else 0
    uint32_t level          # of its price; until look_near() the key's part of it


cdef inline bint is_wide(State* state) noexcept nogil:
    """Is there more than the nearer caches hold?"""
    return state.books_capacity > FEW_BOOKS or state.pool.fresh > FEW_ORDERS


cdef inline void look_far(State* state, Command* command, Seen* seen, bint wide) noexcept nogil:
    seen.hashed = client_hash(command.account, command.text)
    prefetch(<char*>(command + STREAM))
    prefetch(<char*>(command + STREAM) + 64)
    prefetch(&state.accounts[command.account])
    prefetch(&state.clients.table.buckets[seen.hashed & state.clients.table.mask])
    look_at_order(state, command.slot)
    if wide:
        prefetch(&state.books[command.instrument])
        prefetch(<char*>&state.books[command.instrument] + 64)
        prefetch(<char*>&state.books[command.instrument] + 128)


cdef inline void look_between(State* state, Command* command, Seen* seen) noexcept nogil:
    """Its wallet, its account's last order, the branch of its price, both sides' best; an open order's neighbours."""
    cdef Account* owner = &state.accounts[command.account if command.account < state.accounts_capacity else 0]
    cdef uint32_t instrument = command.instrument if command.instrument < state.books_capacity else 0
    cdef Book* book = &state.books[instrument]
    cdef uint64_t side = command.side & SELL
    cdef Ladder* ladder = &book.ladders[side]
    cdef int64_t key = side_key(<int>side, command.price_ticks & (2 * MAX_TICKS - 1))   # whatever it says, no overflow
    cdef uint32_t branched = -<uint32_t>(ladder.height != 0)
    seen.instrument = instrument
    seen.level = key & FAN_MASK
    seen.limit_key = MAX_TICKS - key
    seen.leaf = ladder.root & ~branched
    seen.child = (ladder.root & branched) * BRANCH + CHILDREN + ((key >> (FAN_BITS * ladder.height)) & FAN_MASK)
    prefetch(&state.wallets.items[owner.purse_wallet[book.pay_asset[side] % PURSE_SIZE]])
    prefetch(&state.pool.links[owner.last_order])
    prefetch(&(<uint32_t*>state.shelf.branches)[seen.child])
    prefetch(&state.shelf.leaves[ladder.best_level >> FAN_BITS])
    prefetch(&state.shelf.levels[book.ladders[side ^ 1].best_level])
    look_around(state, command.slot if command.slot < state.pool.fresh else 0)


cdef inline void look_around(State* state, uint32_t slot) noexcept nogil:
    """An open order's wallet, its name's place, its level, and its neighbours in both lists."""
    cdef Node* node = &state.pool.nodes[slot]
    cdef Links* links = &state.pool.links[slot]
    prefetch(&state.wallets.items[node.pay_wallet])
    prefetch(&state.clients.table.buckets[node.hash & state.clients.table.mask])
    prefetch(&state.shelf.levels[node.level])
    prefetch(&state.pool.nodes[node.next])
    prefetch(&state.pool.nodes[node.prev])
    prefetch(&state.pool.links[links.next])
    prefetch(&state.pool.links[links.prev])


cdef inline void look_near(State* state, Command* command, Seen* seen, bint named) noexcept nogil:
    """The level of its price, if the ladder is at most one branch high, and the first maker it will meet."""
    cdef Ladder* against = &state.books[seen.instrument].ladders[(command.side & SELL) ^ <uint64_t>1]
    cdef uint32_t below = (<uint32_t*>state.shelf.branches)[seen.child]
    cdef uint32_t leaf = seen.leaf if seen.leaf != 0 else below
    leaf = leaf if leaf < state.shelf.leaf_fresh else 0     # what a branch no longer holds may be any number
    seen.level += leaf << FAN_BITS
    prefetch(&state.shelf.levels[seen.level])
    prefetch(&state.shelf.leaves[leaf])
    look_at_order(state, state.shelf.levels[against.best_level].head & -<uint32_t>(against.best_key >= seen.limit_key))
    if named:
        look_at_named(state, seen.hashed)


cdef inline void look_last(State* state, Seen* seen) noexcept nogil:
    """The order behind which it will stand."""
    prefetch(&state.pool.nodes[state.shelf.levels[seen.level].tail])


cdef inline void look_at_named(State* state, uint32_t hashed) noexcept nogil:
    """The order of that client order id, if there is one where it should be."""
    cdef Bucket* bucket = &state.clients.table.buckets[hashed & state.clients.table.mask]
    cdef uint32_t found = equal8(bucket.hashes, hashed)
    look_at_order(state, bucket.items[low_bit(found | 128)] & -<uint32_t>(found != 0))


cdef inline void look_at_order(State* state, uint32_t slot) noexcept nogil:
    prefetch(&state.pool.nodes[slot])
    prefetch(state.pool.nodes[slot].text)
    prefetch(&state.pool.links[slot])


cdef inline void look_at_maker(State* state, uint32_t slot) noexcept nogil:
    """What the next trade will touch, and the order behind it: its own node was asked for one trade ago."""
    cdef Node* maker = &state.pool.nodes[slot]
    prefetch(&state.pool.nodes[maker.next])
    prefetch(maker.text)
    prefetch(&state.pool.links[slot])
    prefetch(&state.accounts[maker.account])
    prefetch(&state.wallets.items[maker.pay_wallet])
    prefetch(&state.wallets.items[maker.receive_wallet])
