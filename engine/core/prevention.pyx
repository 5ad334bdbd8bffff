"""What each mode does when an order meets one of its own; who is its own; the walk that looks ahead."""
from libc.stdint cimport int64_t, uint32_t

from engine.core.bits cimport add_overflows
from engine.core.iceberg cimport open_lots, part_of
from engine.core.ladder cimport NO_KEY, ladder_below, level_key
from engine.core.lists cimport lower_leg
from engine.core.orders cimport lower, take_off
from engine.core.pool cimport ICEBERG, LISTED, Node, pool_give
from engine.core.reports cimport report_decremented, report_prevented, report_unfilled
from engine.core.settlement cimport settle_taker
from engine.core.trading cimport finish, trade
from engine.core.types cimport ALLOW, DECREMENT, EXPIRE_BOTH, EXPIRE_MAKER, EXPIRE_TAKER, STP


cdef Sweep sweep_apart(State* state, Taker* taker) noexcept nogil:
    """O(orders walked)."""
    cdef Sweep sweep
    cdef uint32_t level = taker.against.best_level
    taker.amount_open = taker.command.amount
    sweep.lots = sweep.quote = sweep.amount_left = 0
    sweep.overflow = False
    while taker.against.best_key != NO_KEY and level != 0 and level_key(&state.shelf, level) >= taker.limit_key:
        if not _walk_level(state, taker, state.shelf.levels[level].head, &sweep):
            taker.left_lots = taker.command.qty_lots
            return sweep
        level = ladder_below(&state.shelf, taker.against, level)
    sweep.amount_left = taker.amount_open
    taker.left_lots = taker.command.qty_lots
    return sweep


cdef bint _walk_level(State* state, Taker* taker, uint32_t slot, Sweep* sweep) noexcept nogil:
    """Counts along one queue in taker.left_lots and amount_open; false where matching would stop."""
    cdef int64_t part = 0
    cdef bint more = True
    while more:
        more = False
        if not _walk_parts(state, taker, slot, part, sweep, &more):
            return False
        part += 1
    return True


cdef bint _walk_parts(
    State* state, Taker* taker, uint32_t slot, int64_t part, Sweep* sweep, bint* more
) noexcept nogil:
    """What each order shows now, or an iceberg in its n-th part after that; more: some have another one."""
    cdef Node* maker
    cdef int64_t lots, quote, shown
    cdef bint own
    while slot != 0:
        maker = &state.pool.nodes[slot]
        own = _is_own(state, taker, maker)
        shown = _shown(state, slot, part, own)
        if not own and maker.flags & ICEBERG and part_of(state, slot, part + 1) != 0:
            more[0] = True
        if shown == 0:
            slot = maker.next
            continue
        lots = _overlap(taker, maker.price_ticks, shown)
        if lots == 0 or (own and (taker.command.stp == EXPIRE_TAKER or taker.command.stp == EXPIRE_BOTH)):
            return False
        if not own or taker.command.stp == DECREMENT:
            quote = lots * maker.price_ticks * taker.book.tick_value
            if not own:
                sweep.lots += lots
                sweep.overflow |= add_overflows(sweep.quote, quote, &sweep.quote)
            taker.left_lots -= lots
            if taker.by_amount:
                taker.amount_open -= quote
            if lots < shown:
                return False
        slot = maker.next
    return True


cdef inline int64_t _shown(State* state, uint32_t slot, int64_t part, bint own) noexcept nogil:
    """An own order is met with all it has."""
    if part == 0:
        return open_lots(state, slot) if own else state.pool.nodes[slot].left_lots
    return part_of(state, slot, part) if not own and state.pool.nodes[slot].flags & ICEBERG else 0


cdef bint fills_apart(State* state, Taker* taker) noexcept nogil:
    """Own orders count for nothing: EXPIRE_MAKER passes them, in the other modes they are in the way."""
    return sweep_apart(state, taker).lots == taker.command.qty_lots


cdef void match_apart(State* state, Taker* taker) noexcept nogil:
    cdef Node* maker
    cdef int64_t quote
    taker.prevented_lots = 0
    taker.amount_open = taker.command.amount
    taker.amount_left = 0
    while taker.against.best_key >= taker.limit_key:
        maker = &state.pool.nodes[state.shelf.levels[taker.against.best_level].head]
        if _overlap(taker, maker.price_ticks, maker.left_lots) == 0:
            _end(state, taker)
            return
        if _is_own(state, taker, maker):
            if _prevent(state, taker, maker):
                return
        else:
            quote = taker.quote_filled
            trade(state, taker)
            taker.amount_open -= taker.quote_filled - quote
    taker.amount_left = taker.amount_open if taker.by_amount else 0
    _end(state, taker)


cdef void _end(State* state, Taker* taker) noexcept nogil:
    if taker.by_amount:
        taker.left_lots = 0
    finish(state, taker)
    if taker.left_lots > 0 and taker.slot != 0:
        state.pool.nodes[taker.slot].qty_lots -= taker.prevented_lots


cdef inline bint _is_own(State* state, Taker* taker, Node* maker) noexcept nogil:
    cdef uint32_t group = state.accounts[taker.command.account].trade_group
    if taker.command.stp == ALLOW:
        return False
    return maker.account == taker.command.account or (
        group != 0 and state.accounts[maker.account].trade_group == group)


cdef inline int64_t _overlap(Taker* taker, int64_t price_ticks, int64_t lots) noexcept nogil:
    """Lots in which the two meet. By amount, the taker wants what the rest of its amount gives at this price."""
    if taker.by_amount:
        taker.left_lots = taker.amount_open / (price_ticks * taker.book.tick_value)
    return taker.left_lots if taker.left_lots < lots else lots


cdef bint _prevent(State* state, Taker* taker, Node* maker) noexcept nogil:
    """True if the taker has expired."""
    cdef int mode = taker.command.stp
    cdef uint32_t slot = state.shelf.levels[taker.against.best_level].head
    cdef int64_t open_now = open_lots(state, slot)
    cdef int64_t lots = _overlap(taker, maker.price_ticks, open_now)
    cdef int64_t off_taker = 0 if mode == EXPIRE_MAKER else (lots if mode == DECREMENT else taker.left_lots)
    cdef int64_t off_maker = 0 if mode == EXPIRE_TAKER else (lots if mode == DECREMENT else open_now)
    cdef int64_t quote = lots * maker.price_ticks * taker.book.tick_value
    taker.book.prevented_id += 1
    report_prevented(state, taker, maker, lots, taker.left_lots - off_taker, open_now - off_maker)
    if off_maker == open_now:
        take_off(state, taker.command, slot, STP)
    elif off_maker > 0 and maker.flags & LISTED:
        lower_leg(state, taker.command, slot, off_maker)
    elif off_maker > 0:
        lower(state, taker.command, slot, off_maker)
    if mode == DECREMENT:
        return _decrement(state, taker, lots, quote)
    if mode != EXPIRE_MAKER:
        _expire(state, taker)
        return True
    return False


cdef bint _decrement(State* state, Taker* taker, int64_t lots, int64_t quote) noexcept nogil:
    if taker.by_amount:
        taker.amount_open -= quote
        return False
    if taker.left_lots == lots:
        _expire(state, taker)
        return True
    taker.left_lots -= lots
    taker.prevented_lots += lots
    report_decremented(state, taker)
    return False


cdef void _expire(State* state, Taker* taker) noexcept nogil:
    """Takes off all that is left; by amount, the quote that is left."""
    taker.amount_left = taker.amount_open if taker.by_amount else 0
    report_unfilled(state, taker, STP)
    if taker.slot != 0:
        pool_give(&state.pool, taker.slot)
    settle_taker(state, taker, 0)
