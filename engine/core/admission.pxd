"""Decides whether an order may enter, in a fixed order of questions; the first one that fails is the refusal.

1 shape, expiry  2 account  3 instrument and its status  4 price and quantity range  5 overflow  6 minimum notional
7 price band, maximum notional, open orders (engine.core.limits)  8 client order id in use  9 post-only would match
10 balance  11 capacity. Nothing is changed by asking.
"""
from libc.stdint cimport int64_t

from engine.core.bits cimport mul_overflows, pick
from engine.core.clients cimport client_find
from engine.core.limits cimport check_limits
from engine.core.prevention cimport sweep_apart
from engine.core.purse cimport purse_find
from engine.core.state cimport Book, State, account_known, book_known, may_stay, side_key
from engine.core.sweep cimport Sweep, sweep_amount, sweep_lots
from engine.core.taker cimport Taker
from engine.core.types cimport (
    ACCOUNT_FROZEN_CODE, ACTIVE, ALLOW, AUCTION_ONLY, AUCTION_STATUS, BAD_COMMAND, BUY, CAPACITY, DAY, DECREMENT,
    DUPLICATE_CLIENT_ID, EXPIRED_ALREADY, FOK, GTD, INSUFFICIENT_BALANCE, KILLED, LIMIT, LIMIT_MAKER, MARKET,
    MARKET_CLOSED, MIN_NOTIONAL, NONE, OVERFLOW, PRICE_RANGE, QTY_RANGE, SELL, UNKNOWN_ACCOUNT, UNKNOWN_INSTRUMENT,
    WOULD_MATCH, Code, Command)


cdef inline Code admit(State* state, Command* command, Taker* taker) noexcept nogil:
    """Fills in the taker, or says why not."""
    cdef Code code = check_shape(command)
    if code == NONE:
        code = check_parties(state, command)
    if code != NONE:
        return code
    prepare(state, command, taker)
    code = check_market(command, taker) if command.order_type == MARKET else check_limit(command, taker)
    if code == NONE and taker.book.limited:
        code = check_limits(state, taker)
    if code != NONE:
        return code
    if command.text[0] != 0 and client_find(
            &state.clients, &state.pool, command.account, command.text, state.text_hash) != 0:
        return DUPLICATE_CLIENT_ID
    if command.order_type == LIMIT_MAKER and taker.against.best_key >= taker.limit_key:
        return WOULD_MATCH
    code = check_balance(state, command, taker)
    if code == NONE and state.pool.open >= state.pool.open_max and command.order_type != MARKET:
        return CAPACITY
    return code


cdef inline Code check_shape(Command* command) noexcept nogil:
    if (command.side > SELL or command.order_type > MARKET or command.time_in_force > DAY or command.account == 0
            or command.stp > DECREMENT):
        return BAD_COMMAND
    if command.order_type == MARKET:
        if command.price_ticks != 0 or command.time_in_force >= FOK or (command.qty_lots != 0 and command.amount != 0):
            return BAD_COMMAND
    elif command.amount != 0 or (command.order_type == LIMIT_MAKER and not may_stay(command.time_in_force)):
        return BAD_COMMAND
    if command.time_in_force >= GTD:
        return check_expiry(command)
    return NONE


cdef inline Code check_expiry(Command* command) noexcept nogil:
    if command.time_in_force == DAY and command.expires_ns == 0:
        return NONE
    return NONE if command.expires_ns > command.time_ns else EXPIRED_ALREADY


cdef inline Code check_parties(State* state, Command* command) noexcept nogil:
    if not account_known(state, command.account):
        return UNKNOWN_ACCOUNT
    if state.accounts[command.account].barred:
        return KILLED if state.accounts[command.account].status == ACTIVE else ACCOUNT_FROZEN_CODE
    if not book_known(state, command.instrument):
        return UNKNOWN_INSTRUMENT
    if state.books[command.instrument].barred:
        return check_barred(state, command)
    return NONE


cdef inline Code check_barred(State* state, Command* command) noexcept nogil:
    cdef Book* book = &state.books[command.instrument]
    if book.killed or state.killed:
        return KILLED
    if book.status != AUCTION_STATUS:
        return MARKET_CLOSED
    return NONE if command.order_type == LIMIT and may_stay(command.time_in_force) else AUCTION_ONLY


cdef inline void prepare(State* state, Command* command, Taker* taker) noexcept nogil:
    taker.command = command
    taker.book = &state.books[command.instrument]
    taker.side = command.side
    taker.against = &taker.book.ladders[1 - command.side]
    taker.by_amount = command.amount != 0
    taker.left_lots = command.qty_lots
    taker.hold = taker.received = taker.quote_filled = taker.amount_left = 0
    taker.slot = 0
    taker.apart = command.stp != ALLOW
    taker.pay_wallet = purse_find(state, command.account, taker.book.pay_asset[command.side])


cdef inline Code check_limit(Command* command, Taker* taker) noexcept nogil:
    """Ranges and products; sets what the order holds: its notional for BUY, its base quantity for SELL."""
    cdef Book* book = taker.book
    cdef int64_t notional = 0
    cdef int64_t base = 0
    if command.price_ticks < 1 or command.price_ticks > book.max_ticks:
        return PRICE_RANGE
    if command.qty_lots < book.min_lots or command.qty_lots > book.max_lots:
        return QTY_RANGE
    if (mul_overflows(command.price_ticks, command.qty_lots, &notional)
            or mul_overflows(notional, book.tick_value, &notional)
            or mul_overflows(command.qty_lots, book.lot_value, &base)):
        return OVERFLOW
    if notional < book.min_notional:
        return MIN_NOTIONAL
    taker.hold = pick(command.side, notional, base)
    taker.limit_key = side_key(1 - command.side, command.price_ticks)
    return NONE


cdef inline Code check_market(Command* command, Taker* taker) noexcept nogil:
    taker.limit_key = 0
    if command.amount != 0:
        return NONE if command.amount > 0 else QTY_RANGE
    if command.qty_lots < taker.book.min_lots or command.qty_lots > taker.book.max_lots:
        return QTY_RANGE
    return OVERFLOW if mul_overflows(command.qty_lots, taker.book.lot_value, &taker.hold) else NONE


cdef inline Code check_balance(State* state, Command* command, Taker* taker) noexcept nogil:
    if command.order_type == MARKET:
        return check_market_balance(state, command, taker)
    return NONE if state.wallets.items[taker.pay_wallet].available >= taker.hold else INSUFFICIENT_BALANCE


cdef inline Code check_market_balance(State* state, Command* command, Taker* taker) noexcept nogil:
    """A market order pays exactly what its sweep costs; one by amount becomes one for the lots that amount gives."""
    cdef int64_t available = state.wallets.items[taker.pay_wallet].available
    cdef Sweep sweep
    if taker.by_amount:
        if command.side == BUY and available < command.amount:
            return INSUFFICIENT_BALANCE
        if taker.apart:
            sweep = sweep_apart(state, taker)
        else:
            sweep = sweep_amount(&state.shelf, taker.against, taker.book, command.side, command.amount)
        taker.left_lots = sweep.lots
        taker.amount_left = sweep.amount_left
        if mul_overflows(sweep.lots, taker.book.lot_value, &taker.hold):
            return INSUFFICIENT_BALANCE
    elif command.side == BUY:
        if taker.apart:
            sweep = sweep_apart(state, taker)
        else:
            sweep = sweep_lots(&state.shelf, taker.against, taker.book, command.side, command.qty_lots)
        if sweep.overflow:
            return INSUFFICIENT_BALANCE
    if command.side == BUY:
        taker.hold = sweep.quote
    return NONE if available >= taker.hold else INSUFFICIENT_BALANCE
