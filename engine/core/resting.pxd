"""Putting an order into the book and taking it out: price level, its account's list and the client index together."""
from libc.stdint cimport int64_t, uint32_t

from engine.core.bits cimport instead
from engine.core.iceberg cimport drop_extra
from engine.core.index cimport index_add, index_remove
from engine.core.ladder cimport Ladder, ladder_level, ladder_push, ladder_unlink
from engine.core.pool cimport EXTRA, NAMED, TIMED, Details, Links, Node, pool_give
from engine.core.purse cimport purse_find
from engine.core.state cimport Account, State
from engine.core.tags cimport tag_order, untag
from engine.core.taker cimport Taker
from engine.core.types cimport GTD, TEXT_BYTES, Command
from libc.string cimport memcpy


cdef inline void rest(State* state, Taker* taker) noexcept nogil:
    """Rests what is left of an incoming order, behind all others at its price."""
    cdef Command* command = taker.command
    cdef uint32_t slot = taker.slot
    cdef Node* node = &state.pool.nodes[slot]
    cdef Ladder* ladder = &taker.book.ladders[taker.side]
    node.account = command.account
    node.order_id = command.seq
    node.price_ticks = command.price_ticks
    node.left_lots = taker.left_lots
    node.quote_filled = taker.quote_filled
    node.instrument = command.instrument
    node.pay_wallet = taker.pay_wallet
    node.receive_wallet = purse_find(state, command.account, taker.book.pay_asset[taker.side ^ 1])
    # side, order type and time in force, one after the other in both; then the flags
    (<uint32_t*>&node.side)[0] = (<uint32_t*>command)[0] >> 8 | <uint32_t>(command.text[0] != 0) << 24
    describe(state, taker)
    if state.tags != NULL or command.slot != 0 or command.time_in_force >= GTD:
        tag_order(state, command, slot)
    list_append(state, command.account, slot)
    node.level = ladder_level(&state.shelf, ladder, taker.key)
    if node.level == 0:
        state.failed = True
        return
    ladder_push(&state.shelf, ladder, &state.pool, slot, taker.key)
    taker.book.update_id += 1


cdef inline void describe(State* state, Taker* taker) noexcept nogil:
    cdef Command* command = taker.command
    cdef Details* details = &state.pool.details[taker.slot]
    memcpy(details.text, command.text, TEXT_BYTES)
    details.qty_lots = command.qty_lots
    details.time_ns = details.update_ns = command.time_ns
    if command.text[0] != 0:
        details.hash = state.text_hash
        if not index_add(&state.clients, details.hash, taker.slot):
            state.failed = True


cdef inline void retire(State* state, Ladder* ladder, uint32_t slot) noexcept nogil:
    """Removes an order from everywhere and frees its slot. Its level's quantity no longer counts it."""
    ladder_unlink(&state.shelf, ladder, &state.pool, slot)
    leave(state, slot)


cdef inline void leave(State* state, uint32_t slot) noexcept nogil:
    """The end of an order that stands in no queue any more."""
    cdef Node* node = &state.pool.nodes[slot]
    list_remove(state, node.account, slot)
    forget(state, slot)
    pool_give(&state.pool, slot)


cdef inline void forget(State* state, uint32_t slot) noexcept nogil:
    """Takes an order out of the client index and gives up its Extra and deadline, where it has them."""
    cdef int flags = state.pool.nodes[slot].flags
    if flags & NAMED:
        index_remove(&state.clients, state.pool.details[slot].hash, slot)
    if flags & (EXTRA | TIMED):
        if flags & EXTRA:
            drop_extra(state, slot)
        if flags & TIMED:
            untag(state, slot)


cdef inline void list_append(State* state, uint32_t account, uint32_t slot) noexcept nogil:
    """Appending keeps the list in order of order_id, because order ids only rise."""
    cdef Account* owner = &state.accounts[account]
    cdef Links* links = state.pool.links
    links[slot].next = 0
    links[slot].prev = owner.last_order
    links[owner.last_order].next = slot  # slot 0 is the sink
    owner.last_order = slot
    owner.first_order = instead(owner.first_order, 0, slot)
    owner.open_orders += 1


cdef inline void list_remove(State* state, uint32_t account, uint32_t slot) noexcept nogil:
    cdef Account* owner = &state.accounts[account]
    cdef Links* links = state.pool.links
    links[links[slot].prev].next = links[slot].next
    links[links[slot].next].prev = links[slot].prev
    owner.first_order = instead(owner.first_order, slot, links[slot].next)
    owner.last_order = instead(owner.last_order, slot, links[slot].prev)
    owner.open_orders -= 1
