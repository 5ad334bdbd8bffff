"""What each mode does when an order meets one of its own; who is its own; the walk that looks ahead."""
from libc.stdint cimport int64_t, uint32_t

from engine.core.bits cimport add_overflows
from engine.core.ladder cimport NO_KEY, ladder_below, level_key
from engine.core.lists cimport lower_leg
from engine.core.orders cimport lower, take_off
from engine.core.pool cimport LISTED, Node, pool_give
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
    cdef Node* maker
    cdef int64_t lots, quote
    cdef bint own
    while slot != 0:
        maker = &state.pool.nodes[slot]
        lots = _overlap(taker, maker)
        own = _is_own(state, taker, maker)
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
            if lots < maker.left_lots:
                return False
        slot = maker.next
    return True


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
        if _overlap(taker, maker) == 0:
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
        state.pool.details[taker.slot].qty_lots -= taker.prevented_lots


cdef inline bint _is_own(State* state, Taker* taker, Node* maker) noexcept nogil:
    cdef uint32_t group = state.accounts[taker.command.account].trade_group
    if taker.command.stp == ALLOW:
        return False
    return maker.account == taker.command.account or (
        group != 0 and state.accounts[maker.account].trade_group == group)


cdef inline int64_t _overlap(Taker* taker, Node* maker) noexcept nogil:
    """Lots in which the two meet. By amount, the taker wants what the rest of its amount gives at this price."""
    if taker.by_amount:
        taker.left_lots = taker.amount_open / (maker.price_ticks * taker.book.tick_value)
    return taker.left_lots if taker.left_lots < maker.left_lots else maker.left_lots


cdef bint _prevent(State* state, Taker* taker, Node* maker) noexcept nogil:
    """True if the taker has expired."""
    cdef int mode = taker.command.stp
    cdef int64_t lots = _overlap(taker, maker)
    cdef int64_t off_taker = 0 if mode == EXPIRE_MAKER else (lots if mode == DECREMENT else taker.left_lots)
    cdef int64_t off_maker = 0 if mode == EXPIRE_TAKER else (lots if mode == DECREMENT else maker.left_lots)
    cdef int64_t quote = lots * maker.price_ticks * taker.book.tick_value
    cdef uint32_t slot = state.shelf.levels[taker.against.best_level].head
    taker.book.prevented_id += 1
    report_prevented(state, taker, maker, lots, taker.left_lots - off_taker, maker.left_lots - off_maker)
    if off_maker == maker.left_lots:
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
