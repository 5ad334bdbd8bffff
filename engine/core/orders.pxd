"""Commands about open orders: what engine.core.plain cancels with, reduce with the place kept, cancel all."""
from libc.stdint cimport int64_t, uint32_t, uint64_t

from engine.core.clients cimport client_find
from engine.core.ladder cimport Ladder
from engine.core.lists cimport take_off_rare
from engine.core.pool cimport NAMED, Node
from engine.core.reports cimport report_of
from engine.core.resting cimport retire
from engine.core.state cimport Book, State, pay_per_lot
from engine.core.types cimport CANCELED, Command
from engine.core.wallets cimport Wallet

cdef void reduce(State* state, Command* command) noexcept nogil
cdef void cancel_all(State* state, Command* command) noexcept nogil
# Takes lots, fewer than are open, off an order's quantity and reports REDUCED; it keeps its place.
cdef void lower(State* state, Command* command, uint32_t slot, int64_t lots) noexcept nogil
# The refusal of a command that means no open order.
cdef int why_unknown(State* state, Command* command) noexcept nogil


cdef inline uint32_t find_order(State* state, Command* command) noexcept nogil:
    """Slot of the open order meant: by (order_id, slot), or by client order id when order_id is 0. 0 if none."""
    cdef uint32_t slot = command.slot
    cdef Node* node
    if command.order_id == 0:
        if command.text[0] == 0:
            return 0
        slot = client_find(&state.clients, &state.pool, command.account, command.text, state.text_hash)
    if slot == 0 or slot >= state.pool.fresh:
        return 0
    node = &state.pool.nodes[slot]
    if command.order_id != 0 and node.order_id != command.order_id:
        return 0
    return slot if node.account == command.account and node.instrument == command.instrument else 0


cdef inline void take_off(State* state, Command* command, uint32_t slot, int reason) noexcept nogil:
    """Takes an open order off the book, gives its money back and reports CANCELED with that reason."""
    cdef Node* node = &state.pool.nodes[slot]
    if node.flags > NAMED:
        take_off_rare(state, command, slot, reason)
        return
    cdef Ladder* ladder = &state.books[node.instrument].ladders[<uint64_t>node.side]
    release(state, node, node.left_lots)
    report_of(state, command, node, slot, CANCELED, reason)
    retire(state, ladder, node, slot)


cdef inline void release(State* state, Node* node, int64_t lots) noexcept nogil:
    """Gives the money of lots that leave the book back, and takes them out of their level's quantity."""
    cdef Book* book = &state.books[node.instrument]
    cdef Wallet* wallet = &state.wallets.items[node.pay_wallet]
    cdef int64_t money = lots * pay_per_lot(book, node.side, node.price_ticks)
    wallet.held -= money
    wallet.available += money
    state.shelf.levels[node.level].qty_lots -= lots
    book.update_id += 1
