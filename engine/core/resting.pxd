"""Putting an order into the book and taking it out: price level, its account's list and the client index together."""
from libc.stdint cimport int64_t, uint32_t

from engine.core.bits cimport instead
from engine.core.iceberg cimport drop_extra
from engine.core.index cimport index_add, index_enter, index_remove
from engine.core.ladder cimport Ladder, ladder_leave, ladder_level, ladder_stand
from engine.core.pool cimport EXTRA, NAMED, TIMED, Links, Node, pool_take_back
from engine.core.purse cimport purse_find_of
from engine.core.state cimport Account, State
from engine.core.tags cimport tag_order, untag
from engine.core.taker cimport Taker
from engine.core.types cimport GTD, TEXT_BYTES, Command
from libc.string cimport memcpy


cdef inline void rest(State* state, Taker* taker, bint plain) noexcept nogil:
    """Rests what is left of an incoming order, behind all others at its price; plain as in engine.core.admission."""
    cdef Command* command = taker.command
    cdef uint32_t slot = taker.slot
    cdef Node* node = &state.pool.nodes[slot]
    cdef Ladder* ladder = &taker.book.ladders[taker.side]
    cdef uint32_t level
    node.account = command.account
    node.order_id = command.seq
    node.price_ticks = command.price_ticks
    node.left_lots = taker.left_lots
    node.quote_filled = taker.quote_filled
    node.instrument = command.instrument
    node.pay_wallet = taker.pay_wallet
    node.receive_wallet = purse_find_of(state, taker.owner, command.account, taker.book.pay_asset[taker.side ^ 1])
    # side, order type and time in force, one after the other in both; then the flags
    (<uint32_t*>&node.side)[0] = (<uint32_t*>command)[0] >> 8 | <uint32_t>(command.text[0] != 0) << 24
    describe(state, taker, node, plain)
    if state.tags != NULL or command.slot != 0 or (not plain and command.time_in_force >= GTD):
        tag_order(state, command, slot)
    list_append(state, taker.owner, slot)
    level = ladder_level(&state.shelf, ladder, taker.key)
    node.level = level
    if level == 0:
        state.failed = True
        return
    ladder_stand(&state.shelf, ladder, state.pool.nodes, node, slot, level, taker.key)
    taker.book.update_id += 1


cdef inline void describe(State* state, Taker* taker, Node* node, bint plain) noexcept nogil:
    cdef Command* command = taker.command
    memcpy(node.text, command.text, TEXT_BYTES)
    node.qty_lots = command.qty_lots
    node.time_ns = node.update_ns = command.time_ns
    if command.text[0] != 0:
        node.hash = state.text_hash
        if plain and taker.bucket != NULL and state.clients.count < state.clients.limit:
            index_enter(&state.clients, taker.bucket, node.hash, taker.slot)
        elif not index_add(&state.clients, node.hash, taker.slot):
            state.failed = True


cdef inline void retire(State* state, Ladder* ladder, Node* node, uint32_t slot) noexcept nogil:
    """Removes an order from everywhere and frees its slot. Its level's quantity no longer counts it."""
    ladder_leave(&state.shelf, ladder, state.pool.nodes, node, slot)
    leave(state, node, slot)


cdef inline void leave(State* state, Node* node, uint32_t slot) noexcept nogil:
    """The end of an order that stands in no queue any more."""
    list_remove(state, node.account, slot)
    forget(state, node, slot)
    pool_take_back(&state.pool, node, slot)


cdef inline void forget(State* state, Node* node, uint32_t slot) noexcept nogil:
    """Takes an order out of the client index and gives up its Extra and deadline, where it has them."""
    cdef int flags = node.flags
    if flags & NAMED:
        index_remove(&state.clients, node.hash, slot)
    if flags & (EXTRA | TIMED):
        if flags & EXTRA:
            drop_extra(state, slot)
        if flags & TIMED:
            untag(state, slot)


cdef inline void list_append(State* state, Account* owner, uint32_t slot) noexcept nogil:
    """Appending keeps the list in order of order_id, because order ids only rise."""
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
