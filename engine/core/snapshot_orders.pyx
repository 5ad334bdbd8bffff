"""Orders come back at their own slots and in their own queues; price levels, client index and money follow from them.

Loading asks the ladder once a price level, not once an order. O(orders).
"""
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport int64_t, uint32_t
from libc.string cimport memcpy, memset

from engine.core.bits cimport prefetch
from engine.core.clients cimport client_hash
from engine.core.index cimport index_add, index_reserve
from engine.core.ladder cimport Ladder, ladder_below, ladder_level, ladder_push
from engine.core.pool cimport NAMED, Node, pool_reserve
from engine.core.purse cimport purse_find
from engine.core.sections cimport OrderItem, read_item
from engine.core.state cimport MAX_TICKS, account_known, book_known, side_key
from engine.core.types cimport TEXT_BYTES

cdef enum:
    AHEAD = 12              # orders: so far before its turn an order's memory is asked for

cdef enum Found:
    SOUND
    NO_BOOK
    CONTRADICTS
    NO_MEMORY


cdef bytes dump_orders(State* state):
    cdef bytes items = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>state.pool.open * sizeof(OrderItem))
    cdef OrderItem* item = <OrderItem*>PyBytes_AS_STRING(items)
    cdef uint32_t instrument
    cdef int side
    for instrument in range(1, state.books_capacity):
        if state.books[instrument].known:
            for side in range(2):
                item = _dump_side(state, &state.books[instrument].ladders[side], item)
    return items[:<char*>item - PyBytes_AS_STRING(items)]


cdef OrderItem* _dump_side(State* state, Ladder* ladder, OrderItem* item) noexcept nogil:
    cdef uint32_t level = ladder.best_level
    cdef uint32_t slot
    while level != 0:
        slot = state.shelf.levels[level].head
        while slot != 0:
            fill_item(state, slot, item)
            item += 1
            slot = state.pool.nodes[slot].next
        level = ladder_below(&state.shelf, ladder, level)
    return item


cdef void fill_item(State* state, uint32_t slot, OrderItem* item) noexcept nogil:
    cdef Node* node = &state.pool.nodes[slot]
    memset(item, 0, sizeof(OrderItem))
    item.order_id, item.price_ticks, item.left_lots = node.order_id, node.price_ticks, node.left_lots
    item.qty_lots, item.quote_filled = node.qty_lots, node.quote_filled
    item.time_ns, item.update_ns = node.time_ns, node.update_ns
    item.slot, item.account, item.instrument = slot, node.account, node.instrument
    item.side, item.order_type, item.time_in_force = node.side, node.order_type, node.time_in_force
    item.list_next, item.list_prev = state.pool.links[slot].next, state.pool.links[slot].prev
    memcpy(item.text, node.text, TEXT_BYTES)


cdef int load_orders(State* state, const char* data, uint64_t count, size_t item_bytes) except -1:
    """Holds no GIL: a start imports modules meanwhile."""
    cdef OrderItem item
    cdef uint64_t index = 0
    cdef int found
    if not (pool_reserve(&state.pool, state.pool.fresh) and index_reserve(&state.clients, count)):
        raise MemoryError("no memory for the orders")
    with nogil:
        found = _fill_books(state, data, count, item_bytes, &index)
    if found == NO_MEMORY:
        raise MemoryError("no memory for the price levels")
    if found != SOUND:
        read_item(&item, sizeof(item), data, index, item_bytes)
        raise ValueError(f"order {item.order_id}: instrument {item.instrument}, side {item.side} do not exist"
                         if found == NO_BOOK else
                         f"order {item.order_id} at slot {item.slot} contradicts the other sections")
    return 0


cdef int _fill_books(
    State* state, const char* data, uint64_t count, size_t item_bytes, uint64_t* index
) noexcept nogil:
    """A Found; index stays at the order that is not sound."""
    cdef OrderItem item
    cdef Ladder* ladder = NULL
    cdef Ladder* before = NULL
    cdef int64_t key = -1
    cdef int64_t key_before = -1
    cdef uint32_t level = 0
    while index[0] < count:
        if item_bytes == sizeof(item) and index[0] + AHEAD < count:
            _look_ahead(state, <OrderItem*>(data + (index[0] + AHEAD) * item_bytes))
        read_item(&item, sizeof(item), data, index[0], item_bytes)
        if not (book_known(state, item.instrument) and item.side <= 1):
            return NO_BOOK
        ladder = &state.books[item.instrument].ladders[<int>item.side]
        key = side_key(item.side, item.price_ticks)
        if not keep_order(state, &item) or not 0 < item.price_ticks <= MAX_TICKS:
            return CONTRADICTS
        if ladder != before or key != key_before:
            level = ladder_level(&state.shelf, ladder, key)
        if level == 0:
            return NO_MEMORY
        before, key_before = ladder, key
        state.pool.nodes[item.slot].level = level
        ladder_push(&state.shelf, ladder, &state.pool, item.slot, key)
        index[0] += 1
    return SOUND


cdef inline void _look_ahead(State* state, const OrderItem* item) noexcept nogil:
    """Slots come in no order: without this nearly every order waits for memory several times."""
    cdef uint32_t hashed = client_hash(item.account, item.text)
    prefetch(&state.pool.nodes[item.slot])
    prefetch(state.pool.nodes[item.slot].text)
    prefetch(&state.pool.links[item.slot])
    prefetch(&state.accounts[item.account])
    prefetch(&state.clients.table.buckets[hashed & state.clients.table.mask])


cdef bint keep_order(State* state, OrderItem* item) noexcept nogil:
    """Puts an order at its slot and into the client index, but into no queue; false when it cannot be right."""
    cdef uint32_t slot = item.slot
    cdef uint32_t wallet
    if (slot == 0 or slot >= state.pool.fresh or state.pool.nodes[slot].order_id != 0 or item.order_id == 0
            or item.list_next >= state.pool.fresh or item.list_prev >= state.pool.fresh
            or not account_known(state, item.account)):
        return False
    wallet = purse_find(state, item.account, state.books[item.instrument].pay_asset[<int>item.side])
    cdef Node* node = &state.pool.nodes[slot]
    node.order_id, node.price_ticks, node.left_lots = item.order_id, item.price_ticks, item.left_lots
    node.quote_filled, node.account, node.instrument = item.quote_filled, item.account, item.instrument
    node.side, node.order_type, node.time_in_force = item.side, item.order_type, item.time_in_force
    node.pay_wallet, node.receive_wallet = wallet, 0
    node.flags = NAMED if item.text[0] != 0 else 0
    memcpy(node.text, item.text, TEXT_BYTES)
    node.qty_lots, node.time_ns, node.update_ns = item.qty_lots, item.time_ns, item.update_ns
    state.pool.links[slot].next, state.pool.links[slot].prev = item.list_next, item.list_prev
    state.pool.open += 1
    if node.flags & NAMED:
        node.hash = client_hash(item.account, node.text)
        index_add(&state.clients, node.hash, slot)
    return wallet != 0


cdef bytes dump_free_slots(State* state):
    """From the next one to be taken on."""
    cdef Py_ssize_t count = state.pool.fresh - 1 - state.pool.open
    cdef bytes items = PyBytes_FromStringAndSize(NULL, count * sizeof(uint32_t))
    cdef uint32_t* item = <uint32_t*>PyBytes_AS_STRING(items)
    cdef uint32_t slot = state.pool.free
    while slot != 0:
        item[0] = slot
        item += 1
        slot = state.pool.nodes[slot].next
    return items


cdef int load_free_slots(State* state, const char* data, uint64_t count, size_t item_bytes) except -1:
    """Comes after all sections with orders: together they are all slots below pool.fresh."""
    cdef uint32_t* below = &state.pool.free
    cdef uint32_t slot = 0
    cdef uint64_t index
    if not pool_reserve(&state.pool, state.pool.fresh):
        raise MemoryError("no memory for the orders")
    if count + state.pool.open != state.pool.fresh - 1:
        raise ValueError(f"{count} free slots and {state.pool.open} orders, expected {state.pool.fresh - 1} together")
    for index in range(count):
        read_item(&slot, sizeof(slot), data, index, item_bytes)
        if slot == 0 or slot >= state.pool.fresh or state.pool.nodes[slot].order_id != 0:
            raise ValueError(f"slot {slot} is not free")
        below[0] = slot
        below = &state.pool.nodes[slot].next
    below[0] = 0
    return 0
