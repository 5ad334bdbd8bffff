"""The pool owns every open order; an order is a slot, 0 means none.

A slot is a Node of 128 bytes, two cache lines side by side: the first holds what matching touches, the second what an
order says when it leaves. Links (8 bytes, the list of its account) stand apart: eight slots share a line. Slots freed
last are used first, which keeps the live set in the cache however long the run. Slot 0 is a sink: unlinking writes to
it instead of testing for an end of the queue.
"""
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

cdef enum NodeFlag:             # flags of a node; those above NAMED are rare (engine.core.marked)
    NAMED = 1               # has a client order id, and so an entry in the client index
    ARMED = 2               # waits for its trigger price in its book's triggers, not among the orders that trade
    EXTRA = 4               # has an Extra
    LISTED = 8              # is a leg of an order list
    PENDING = 16            # a leg that waits for the list's first, in no queue
    UNFUNDED = 32           # waits and holds nothing
    TIMED = 64              # ends by itself: its Tag has a deadline
    ICEBERG = 128           # rests and shows a part of itself (engine.core.iceberg)
    MARKED = 136            # LISTED, ICEBERG: a trade has consequences for it

cdef struct Node:
    uint32_t next           # towards the tail of the price level's queue; in a free slot: the next free one
    uint32_t prev
    uint32_t level          # the price level it rests in
    uint32_t account
    uint64_t order_id       # 0: the slot is free; so (order_id, slot) can never name the wrong order
    int64_t price_ticks
    int64_t left_lots       # of an iceberg what it shows
    int64_t quote_filled    # quote minor units traded so far
    uint32_t instrument
    uint32_t pay_wallet     # holds what the order pays with
    uint32_t receive_wallet  # 0: it had none when the order came to rest
    uint8_t side
    uint8_t order_type
    uint8_t time_in_force
    uint8_t flags           # NodeFlags
    char[36] text           # here the second line begins
    uint32_t hash           # of (account, text)
    int64_t qty_lots        # original, or as reduced
    int64_t time_ns
    int64_t update_ns

cdef struct Links:          # all open orders of one account, in order of order_id
    uint32_t next
    uint32_t prev

cdef struct Pool:
    Node* nodes
    Links* links
    uint32_t free           # last freed slot; 0: none
    uint32_t fresh          # lowest slot never used
    uint32_t capacity
    uint32_t open           # slots in use
    uint32_t open_max       # part of the rules: every replica must use the same

cdef bint pool_init(Pool* pool, size_t capacity, uint32_t open_max) noexcept nogil
cdef void pool_free(Pool* pool) noexcept nogil
cdef bint pool_grow(Pool* pool) noexcept nogil
# Room for slots below `fresh`.
cdef bint pool_reserve(Pool* pool, uint32_t fresh) noexcept nogil


cdef inline uint32_t pool_take(Pool* pool) noexcept nogil:
    """A slot to fill, or 0 when memory ran out. O(1); growth copies or remaps once per doubling."""
    cdef uint32_t slot = pool.free
    if slot != 0:
        pool.free = pool.nodes[slot].next
    else:
        if pool.fresh == pool.capacity and not pool_grow(pool):
            return 0
        slot = pool.fresh
        pool.fresh += 1
    pool.open += 1
    return slot


cdef inline void pool_give(Pool* pool, uint32_t slot) noexcept nogil:
    """Frees a slot; it is the next one taken."""
    pool_take_back(pool, &pool.nodes[slot], slot)


cdef inline void pool_take_back(Pool* pool, Node* node, uint32_t slot) noexcept nogil:
    """The same where the caller has the node at hand."""
    node.order_id = 0
    node.next = pool.free
    pool.free = slot
    pool.open -= 1
