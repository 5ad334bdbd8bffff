"""One trade, and the end of an incoming order: what every way of matching shares."""
from libc.stdint cimport int64_t, uint32_t

from engine.core.bits cimport pick
from engine.core.fees cimport Fees, tier_fees
from engine.core.ladder cimport NO_KEY, Level, ladder_shift
from engine.core.lists cimport marked_traded
from engine.core.lookahead cimport look_at_maker
from engine.core.pool cimport MARKED, Node, pool_give
from engine.core.reports cimport report_trade, report_unfilled
from engine.core.resting cimport leave, rest
from engine.core.settlement cimport charge_of, fee_of, is_short, settle, settle_taker
from engine.core.state cimport Book, State, pay_per_lot
from engine.core.taker cimport Taker
from engine.core.types cimport FOK, FOK_UNFILLED, IOC_REMAINDER, NO_LIQUIDITY, SLIPPAGE, Code, Command


cdef inline void trade(State* state, Taker* taker) noexcept nogil:
    """One trade with the first order of the best level, at its price."""
    cdef Book* book = taker.book
    cdef Level* level = &state.shelf.levels[taker.against.best_level]
    cdef uint32_t slot = level.head
    cdef Node* maker = &state.pool.nodes[slot]
    if state.wide:
        look_at_maker(state, maker.next)
    cdef int64_t lots = taker.left_lots if taker.left_lots < maker.left_lots else maker.left_lots
    cdef int64_t base = lots * book.lot_value
    cdef int64_t quote = lots * maker.price_ticks * book.tick_value
    cdef int64_t taker_gets = pick(taker.side, base, quote)
    cdef int64_t maker_gets = pick(taker.side, quote, base)
    cdef Fees fees
    if book.fee_rows != 0:
        fees = tier_fees(state, book, taker.side, taker.command.account, maker.account, taker_gets, maker_gets)
    elif is_short(taker_gets | maker_gets):
        fees.taker = charge_of(taker_gets, book.taker_fee_ppm)
        fees.maker = charge_of(maker_gets, book.maker_fee_ppm)
    else:
        fees.taker = fee_of(taker_gets, book.taker_fee_ppm)
        fees.maker = fee_of(maker_gets, book.maker_fee_ppm)
    level.qty_lots -= lots
    maker.left_lots -= lots
    maker.quote_filled += quote
    taker.left_lots -= lots
    taker.quote_filled += quote
    book.update_id += 1
    book.trade_id += 1
    book.last_ticks = maker.price_ticks
    state.fill_id += 1
    settle(state, taker, maker, taker_gets, maker_gets, fees.taker, fees.maker)
    report_trade(state, taker, maker, lots, quote, fees.taker, fees.maker)
    if maker.flags & MARKED:
        marked_traded(state, slot)
    if maker.left_lots == 0:
        ladder_shift(&state.shelf, taker.against, level, state.pool.nodes, maker.next)
        leave(state, maker, slot)
    else:
        maker.update_ns = taker.command.time_ns


cdef inline void finish(State* state, Taker* taker) noexcept nogil:
    cdef Command* command = taker.command
    cdef int64_t rest_hold = 0
    if taker.left_lots > 0 and taker.slot != 0:
        rest(state, taker, False)
        if taker.left_lots == command.qty_lots:  # nothing happened to it: all it has taken is held
            state.wallets.items[taker.pay_wallet].held += taker.hold
            return
        rest_hold = taker.left_lots * pay_per_lot(taker.book, taker.side, command.price_ticks)
    else:
        if taker.slot != 0:
            pool_give(&state.pool, taker.slot)
        if taker.left_lots > 0 or taker.amount_left > 0 or (taker.by_amount and taker.quote_filled == 0):
            report_unfilled(state, taker, _reason(taker))
    settle_taker(state, taker, rest_hold)


cdef inline Code _reason(Taker* taker) noexcept nogil:
    cdef bint slipped
    if taker.command.price_ticks == 0:
        slipped = taker.book.slippage_ppm != 0 and taker.against.best_key != NO_KEY
        return SLIPPAGE if slipped and taker.against.best_key < taker.limit_key else NO_LIQUIDITY
    return FOK_UNFILLED if taker.command.time_in_force == FOK else IOC_REMAINDER
