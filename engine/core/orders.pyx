"""Finding the order a command means, and taking it or part of it off the book with the money it holds."""
from libc.stdint cimport int64_t, uint32_t

from engine.core.iceberg cimport hide_again, open_lots, show_all
from engine.core.lists cimport lower_leg
from engine.core.pool cimport ARMED, ICEBERG, LISTED, PENDING, Node
from engine.core.reports cimport report_refused, report_resting
from engine.core.state cimport account_known, book_known
from engine.core.stops cimport lower_waiting
from engine.core.types cimport (
    BAD_REDUCE, MASS_CANCEL, REDUCED, UNKNOWN_ACCOUNT, UNKNOWN_INSTRUMENT, UNKNOWN_ORDER, Event)


cdef void reduce(State* state, Command* command) noexcept nogil:
    """Lowers the total quantity to qty_lots; what is executed counts, and something must stay open."""
    cdef uint32_t slot = find_order(state, command)
    if slot == 0:
        report_refused(state, command, why_unknown(state, command))
        return
    cdef Node* node = &state.pool.nodes[slot]
    cdef int64_t executed = node.qty_lots - open_lots(state, slot)
    if command.qty_lots <= executed or command.qty_lots >= node.qty_lots:
        report_refused(state, command, BAD_REDUCE)
        return
    if node.flags & LISTED:
        lower_leg(state, command, slot, node.qty_lots - command.qty_lots)
    else:
        lower(state, command, slot, node.qty_lots - command.qty_lots)


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


cdef int why_unknown(State* state, Command* command) noexcept nogil:
    if not account_known(state, command.account):
        return UNKNOWN_ACCOUNT
    if not book_known(state, command.instrument) and command.instrument != 0:
        return UNKNOWN_INSTRUMENT
    return UNKNOWN_ORDER


cdef void lower(State* state, Command* command, uint32_t slot, int64_t lots) noexcept nogil:
    cdef Node* node = &state.pool.nodes[slot]
    cdef Event* event
    cdef int64_t shown = show_all(state, slot) if node.flags & ICEBERG else 0
    if node.flags & (ARMED | PENDING):
        lower_waiting(state, slot, lots)
    else:
        release(state, node, lots)
    node.left_lots -= lots
    node.qty_lots -= lots
    node.update_ns = command.time_ns
    event = report_resting(state, command, slot, REDUCED, 0)
    event.qty_lots = node.qty_lots
    event.left_lots = node.left_lots
    if node.flags & ICEBERG:
        hide_again(state, slot, shown)
