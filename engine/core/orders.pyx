"""Finding the order a command means, and taking it or part of it off the book with the money it holds."""
from libc.stdint cimport int64_t, uint32_t

from engine.core.clients cimport client_find
from engine.core.pool cimport Details, Node
from engine.core.reports cimport report_refused, report_resting
from engine.core.resting cimport retire
from engine.core.state cimport Book, account_known, book_known, pay_per_lot
from engine.core.types cimport (
    BAD_REDUCE, CANCELED, MASS_CANCEL, REDUCED, REQUESTED, UNKNOWN_ACCOUNT, UNKNOWN_INSTRUMENT, UNKNOWN_ORDER, Event)
from engine.core.wallets cimport Wallet


cdef void cancel(State* state, Command* command) noexcept nogil:
    cdef uint32_t slot = find_order(state, command)
    if slot == 0:
        report_refused(state, command, why_unknown(state, command))
        return
    take_off(state, command, slot, REQUESTED)


cdef void reduce(State* state, Command* command) noexcept nogil:
    """Lowers the total quantity to qty_lots; what is executed counts, and something must stay open."""
    cdef uint32_t slot = find_order(state, command)
    if slot == 0:
        report_refused(state, command, why_unknown(state, command))
        return
    cdef Node* node = &state.pool.nodes[slot]
    cdef Details* details = &state.pool.details[slot]
    cdef int64_t executed = details.qty_lots - node.left_lots
    if command.qty_lots <= executed or command.qty_lots >= details.qty_lots:
        report_refused(state, command, BAD_REDUCE)
        return
    lower(state, command, slot, details.qty_lots - command.qty_lots)


cdef void cancel_all(State* state, Command* command) noexcept nogil:
    """In order of order_id; instrument 0 means all. O(open orders of the account)."""
    cdef uint32_t slot, after
    cdef bint found = False
    if account_known(state, command.account):
        slot = state.accounts[command.account].first_order
        while slot != 0:
            after = state.pool.links[slot].next
            if command.instrument == 0 or state.pool.nodes[slot].instrument == command.instrument:
                take_off(state, command, slot, MASS_CANCEL)
                found = True
            slot = after
    if not found:
        report_refused(state, command, why_unknown(state, command))


cdef uint32_t find_order(State* state, Command* command) noexcept nogil:
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


cdef int why_unknown(State* state, Command* command) noexcept nogil:
    if not account_known(state, command.account):
        return UNKNOWN_ACCOUNT
    if not book_known(state, command.instrument) and command.instrument != 0:
        return UNKNOWN_INSTRUMENT
    return UNKNOWN_ORDER


cdef void take_off(State* state, Command* command, uint32_t slot, int reason) noexcept nogil:
    cdef Node* node = &state.pool.nodes[slot]
    report_resting(state, command, slot, CANCELED, reason)
    _release(state, node, node.left_lots)
    retire(state, &state.books[node.instrument].ladders[node.side], slot)


cdef void lower(State* state, Command* command, uint32_t slot, int64_t lots) noexcept nogil:
    cdef Node* node = &state.pool.nodes[slot]
    cdef Details* details = &state.pool.details[slot]
    cdef Event* event
    _release(state, node, lots)
    node.left_lots -= lots
    details.qty_lots -= lots
    details.update_ns = command.time_ns
    event = report_resting(state, command, slot, REDUCED, 0)
    event.qty_lots = details.qty_lots
    event.left_lots = node.left_lots


cdef void _release(State* state, Node* node, int64_t lots) noexcept nogil:
    """Gives the money of lots that leave the book back, and takes them out of their level's quantity."""
    cdef Book* book = &state.books[node.instrument]
    cdef Wallet* wallet = &state.wallets.items[node.pay_wallet]
    cdef int64_t money = lots * pay_per_lot(book, node.side, node.price_ticks)
    wallet.held -= money
    wallet.available += money
    state.shelf.levels[node.level].qty_lots -= lots
    book.update_id += 1
