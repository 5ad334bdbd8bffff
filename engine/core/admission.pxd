"""Decides whether an order may enter, in a fixed order of questions; the first one that fails is the refusal.

1 shape, expiry  2 account  3 instrument and its status  4 price and quantity range  5 overflow  6 minimum notional
7 price band, maximum notional, open orders (engine.core.limits)  8 client order id in use  9 post-only would match
10 balance  11 capacity. Nothing is changed by asking.

`plain` is known when the core is compiled: for the common order (engine.core.plain) the compiler drops every question
whose answer its shape has given already. One rule, written once, compiled twice.
"""
from libc.stdint cimport int64_t

from engine.core.bits cimport mul_overflows, pick
from engine.core.clients cimport client_seek
from engine.core.limits cimport check_limits
from engine.core.prevention cimport sweep_apart
from engine.core.purse cimport purse_find_of
from engine.core.state cimport MAX_TICKS, Account, Book, State, account_known, book_known, may_stay, side_key
from engine.core.sweep cimport Sweep, sweep_amount, sweep_lots
from engine.core.taker cimport Taker
from engine.core.types cimport (
    ACCOUNT_FROZEN_CODE, ACTIVE, ALLOW, AUCTION_ONLY, AUCTION_STATUS, BAD_COMMAND, BUY, CAPACITY, DAY, DECREMENT,
    DUPLICATE_CLIENT_ID, EXPIRED_ALREADY, FOK, GTD, INSUFFICIENT_BALANCE, KILLED, LIMIT, LIMIT_MAKER, MARKET,
    MARKET_CLOSED, MIN_NOTIONAL, NONE, OVERFLOW, PRICE_RANGE, QTY_RANGE, SELL, UNKNOWN_ACCOUNT, UNKNOWN_INSTRUMENT,
    WOULD_MATCH, Code, Command)


cdef inline Code admit(State* state, Command* command, Taker* taker, bint plain) noexcept nogil:
    """Fills in the taker, or says why not."""
    cdef Code code = NONE if plain else check_shape(command)
    if code == NONE:
        code = check_parties(state, command, plain)
    if code != NONE:
        return code
    prepare(state, command, taker, plain)
    if plain or command.order_type != MARKET:
        code = check_limit(command, taker)
    else:
        code = check_market(command, taker)
    if code == NONE and taker.book.limited:
        code = check_limits_plain(state, taker) if plain else check_limits(state, taker)
    if code != NONE:
        return code
    if command.text[0] != 0 and client_seek(
            &state.clients, &state.pool, command.account, command.text, state.text_hash, &taker.bucket) != 0:
        return DUPLICATE_CLIENT_ID
    if not plain and command.order_type == LIMIT_MAKER and taker.against.best_key >= taker.limit_key:
        return WOULD_MATCH
    if not plain and command.order_type == MARKET:
        return check_market_balance(state, command, taker)
    if state.wallets.items[taker.pay_wallet].available < taker.hold:
        return INSUFFICIENT_BALANCE
    return CAPACITY if state.pool.open >= state.pool.open_max else NONE


cdef inline Code check_limits_plain(State* state, Taker* taker) noexcept nogil:
    """Asked about a copy: nobody else then holds the taker's address, and the compiler may keep it in registers."""
    cdef Taker copy = taker[0]
    cdef Code code = check_limits(state, &copy)
    taker.limit_key = copy.limit_key    # all that limits bind of a plain order
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


cdef inline Code check_parties(State* state, Command* command, bint plain) noexcept nogil:
    cdef Account* owner = &state.accounts[command.account]
    cdef Book* book = &state.books[command.instrument]
    if (command.account < state.accounts_capacity and owner.takes_orders
            and command.instrument < state.books_capacity and book.takes_orders):
        return NONE
    return check_barred(state, command, plain)


cdef inline Code check_barred(State* state, Command* command, bint plain) noexcept nogil:
    """Why the account or the instrument does not take every order, or NONE: it takes this one."""
    cdef Book* book
    if plain and command.account == 0:
        return BAD_COMMAND  # as check_shape says of others
    if not account_known(state, command.account):
        return UNKNOWN_ACCOUNT
    if state.accounts[command.account].status != ACTIVE:
        return ACCOUNT_FROZEN_CODE
    if state.accounts[command.account].killed:
        return KILLED
    if not book_known(state, command.instrument):
        return UNKNOWN_INSTRUMENT
    book = &state.books[command.instrument]
    if book.takes_orders:
        return NONE
    if book.killed or state.killed:
        return KILLED
    if book.status != AUCTION_STATUS:
        return MARKET_CLOSED
    return NONE if command.order_type == LIMIT and may_stay(command.time_in_force) else AUCTION_ONLY


cdef inline void prepare(State* state, Command* command, Taker* taker, bint plain) noexcept nogil:
    taker.command = command
    taker.owner = &state.accounts[command.account]
    taker.book = &state.books[command.instrument]
    taker.side = command.side
    taker.against = &taker.book.ladders[taker.side ^ 1]
    taker.by_amount = not plain and command.amount != 0
    taker.left_lots = command.qty_lots
    taker.hold = taker.received = taker.quote_filled = taker.amount_left = 0
    taker.slot = 0
    taker.apart = not plain and command.stp != ALLOW
    taker.pay_wallet = purse_find_of(state, taker.owner, command.account, taker.book.pay_asset[taker.side])


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
    taker.hold = pick(taker.side, notional, base)
    taker.key = side_key(taker.side, command.price_ticks)
    taker.limit_key = MAX_TICKS - taker.key
    return NONE


cdef inline Code check_market(Command* command, Taker* taker) noexcept nogil:
    taker.limit_key = 0
    if command.amount != 0:
        return NONE if command.amount > 0 else QTY_RANGE
    if command.qty_lots < taker.book.min_lots or command.qty_lots > taker.book.max_lots:
        return QTY_RANGE
    return OVERFLOW if mul_overflows(command.qty_lots, taker.book.lot_value, &taker.hold) else NONE


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
