"""The price levels of one side of a book, for prices anywhere in 1..2**53 ticks.

A side is seen through keys: key = price for BUY, MAX_TICKS - price for SELL, so the highest key is best on both sides
and one path serves both. Levels stand in leaves of 64 with an occupancy bitmap; leaves hang in a radix trie of 64-way
branches that is only as high as the spread of the keys needs (0 branches while all fit one leaf, at most 8); a root no
higher than LOW_ROOT stays until the side is empty, as the far price that needed it often comes back. The best level is
cached: reading it is O(1), finding the next best is one bit scan inside a leaf and O(height) across leaves.
A level is addressed as leaf * 64 + (key mod 64), a number that stays true when memory moves. Leaf 0 and branch 0 are
none.
"""
from libc.stdint cimport int64_t, uint32_t, uint64_t

from engine.core.bits cimport instead, top_bit
from engine.core.pool cimport Node, Pool

cdef enum:
    FAN_BITS = 6
    FAN_MASK = 63

cdef enum:
    NO_KEY = -1
    LOW_ROOT = 2            # spans 2**18 ticks

cdef struct Level:          # 16 bytes; all zero while no order rests at its price
    int64_t qty_lots        # sum of its orders; fits, because what they hold fits
    uint32_t head           # first in time: the next to trade
    uint32_t tail

cdef struct Leaf:
    uint64_t bits           # bit i: level i holds orders
    int64_t prefix          # key >> 6 of its levels
    uint32_t parent         # branch above, 0: it is the root; in a free leaf: the next free one
    uint32_t reserved

cdef struct Branch:
    uint64_t bits           # bit i: child i exists
    uint32_t parent         # in a free branch: the next free one
    uint32_t reserved
    uint32_t[64] children   # leaves at height 1, branches above; only those with their bit set mean anything

cdef struct Ladder:
    int64_t best_key        # NO_KEY while the side is empty
    int64_t prefix          # key >> 6 * (height + 1) of everything under the root
    uint32_t best_level
    uint32_t root
    uint32_t height         # branches above a leaf
    uint32_t reserved

cdef struct Shelf:          # memory of the ladders of all books
    Level* levels           # 64 for each leaf
    Leaf* leaves
    Branch* branches
    uint32_t leaf_free
    uint32_t leaf_fresh
    uint32_t leaf_capacity
    uint32_t branch_free
    uint32_t branch_fresh
    uint32_t branch_capacity

# Room for so many leaves, and for the branches above them.
cdef bint shelf_reserve(Shelf* shelf, uint32_t leaves) noexcept nogil
cdef bint shelf_init(Shelf* shelf, size_t leaves) noexcept nogil
cdef void shelf_free(Shelf* shelf) noexcept nogil
cdef void ladder_init(Ladder* ladder) noexcept nogil
# The leaf of a key, made if missing; 0 when memory ran out.
cdef uint32_t ladder_add_leaf(Shelf* shelf, Ladder* ladder, int64_t key) noexcept nogil
# Takes off a leaf whose bits are 0, with the branches it leaves empty; finds the next best if it was the best.
cdef void ladder_drop_leaf(Shelf* shelf, Ladder* ladder, uint32_t leaf) noexcept nogil
# The level next below in key order, 0 if none. Reads only.
cdef uint32_t ladder_below(Shelf* shelf, Ladder* ladder, uint32_t level) noexcept nogil


cdef inline int64_t level_key(Shelf* shelf, uint32_t level) noexcept nogil:
    return (shelf.leaves[level >> FAN_BITS].prefix << FAN_BITS) | (level & FAN_MASK)


cdef inline uint32_t ladder_find_leaf(Shelf* shelf, Ladder* ladder, int64_t key) noexcept nogil:
    """The leaf of a key or 0. O(height), O(1) when it is the best level's leaf."""
    cdef uint32_t place = ladder.best_level >> FAN_BITS
    cdef uint32_t height
    cdef uint64_t child
    if ladder.best_key >= 0 and shelf.leaves[place].prefix == key >> FAN_BITS:
        return place
    if ladder.root == 0 or key >> (FAN_BITS * (ladder.height + 1)) != ladder.prefix:
        return 0
    place = ladder.root
    for height in range(ladder.height, 0, -1):
        child = (key >> (FAN_BITS * height)) & FAN_MASK
        if not (shelf.branches[place].bits >> child) & 1:
            return 0
        place = shelf.branches[place].children[child]
    return place


cdef inline uint32_t ladder_level(Shelf* shelf, Ladder* ladder, int64_t key) noexcept nogil:
    """The level of a key, its leaf made if missing; 0 when memory ran out."""
    cdef uint32_t leaf = ladder_find_leaf(shelf, ladder, key)
    if leaf == 0:
        leaf = ladder_add_leaf(shelf, ladder, key)
        if leaf == 0:
            return 0
    return (leaf << FAN_BITS) | <uint32_t>(key & FAN_MASK)


cdef inline void ladder_push(Shelf* shelf, Ladder* ladder, Pool* pool, uint32_t slot, int64_t key) noexcept nogil:
    """Puts an order at the tail of its price's queue. node.level must be the key's level; node.left_lots is set."""
    ladder_stand(shelf, ladder, pool.nodes, &pool.nodes[slot], slot, pool.nodes[slot].level, key)


cdef inline void ladder_stand(
    Shelf* shelf, Ladder* ladder, Node* nodes, Node* node, uint32_t slot, uint32_t place, int64_t key
) noexcept nogil:
    """The same where the caller has all at hand."""
    cdef Level* level = &shelf.levels[place]
    cdef Leaf* leaf = &shelf.leaves[place >> FAN_BITS]
    cdef uint32_t tail = level.tail
    cdef int64_t better
    level.qty_lots += node.left_lots
    level.head = instead(level.head, 0, slot)
    level.tail = slot
    node.next = 0
    node.prev = tail
    nodes[tail].next = slot  # slot 0, the sink, when the queue is empty
    leaf.bits |= <uint64_t>1 << (place & FAN_MASK)
    better = -<int64_t>(key > ladder.best_key)  # no branch: one guess in five was wrong
    ladder.best_key ^= (ladder.best_key ^ key) & better
    ladder.best_level ^= (ladder.best_level ^ place) & <uint32_t>better


cdef inline void ladder_unlink(Shelf* shelf, Ladder* ladder, Pool* pool, uint32_t slot) noexcept nogil:
    """Takes an order off its queue. The level's quantity is the caller's, and must be right before the last goes."""
    ladder_leave(shelf, ladder, pool.nodes, &pool.nodes[slot], slot)


cdef inline void ladder_leave(Shelf* shelf, Ladder* ladder, Node* nodes, Node* node, uint32_t slot) noexcept nogil:
    """The same where the caller has all at hand."""
    cdef uint32_t place = node.level
    cdef uint32_t after = node.next
    cdef uint32_t before = node.prev
    cdef Level* level = &shelf.levels[place]
    nodes[before].next = after  # slot 0, the sink, at either end
    nodes[after].prev = before
    level.head = instead(level.head, slot, after)
    level.tail = instead(level.tail, slot, before)
    if level.head == 0:
        ladder_vacate(shelf, ladder, place)


cdef inline void ladder_shift(
    Shelf* shelf, Ladder* ladder, Level* level, Node* nodes, uint32_t after
) noexcept nogil:
    """ladder_unlink for the first order of the best level, which another one comes after, or none.

    Whether that was its last one is no branch either: the best level is looked for again in any case.
    """
    cdef uint32_t place = ladder.best_level
    cdef Leaf* leaf = &shelf.leaves[place >> FAN_BITS]
    cdef uint64_t bits = leaf.bits ^ <uint64_t>(after == 0) << (place & FAN_MASK)
    nodes[after].prev = 0
    level.head = after
    level.tail &= -<uint32_t>(after != 0)
    leaf.bits = bits
    if bits == 0:
        ladder_drop_leaf(shelf, ladder, place >> FAN_BITS)
    else:
        ladder.best_level = (place & ~<uint32_t>FAN_MASK) | <uint32_t>top_bit(bits)
        ladder.best_key = (leaf.prefix << FAN_BITS) | top_bit(bits)


cdef inline void ladder_vacate(Shelf* shelf, Ladder* ladder, uint32_t level) noexcept nogil:
    """Marks a level empty and moves the cached best on. O(1) inside a leaf."""
    cdef uint32_t leaf = level >> FAN_BITS
    cdef uint64_t bits = shelf.leaves[leaf].bits & ~(<uint64_t>1 << (level & FAN_MASK))
    shelf.leaves[leaf].bits = bits
    if bits == 0:
        ladder_drop_leaf(shelf, ladder, leaf)
    elif level == ladder.best_level:
        ladder.best_level = (leaf << FAN_BITS) | <uint32_t>top_bit(bits)
        ladder.best_key = level_key(shelf, ladder.best_level)
