"""The arithmetic of the band, and the count of an account's orders in one instrument."""
from libc.stdint cimport INT64_MAX, int64_t, uint32_t

from engine.core.bits cimport mul_overflows
from engine.core.ladder cimport NO_KEY
from engine.core.state cimport MAX_TICKS, PPM, Account, may_stay, side_key
from engine.core.types cimport (
    AUCTION_STATUS, BUY, FOK, MARKET, MAX_NOTIONAL, NONE, PRICE_BAND, SELL, TOO_MANY_ORDERS, Command)


cdef Code check_limits(State* state, Taker* taker) noexcept nogil:
    cdef Command* command = taker.command
    cdef Book* book = taker.book
    cdef int64_t upper = band_end(book, BUY)
    cdef int64_t lower = band_end(book, SELL)
    if book.status == AUCTION_STATUS:
        taker.limit_key = INT64_MAX  # collected, not matched
    if book.icebergs != 0:
        taker.apart = taker.apart or command.order_type == MARKET or command.time_in_force == FOK  # levels hide lots
    if command.order_type == MARKET:
        _bind(taker, upper if command.side == BUY else lower)
        _bind(taker, slippage_end(taker))
    elif (upper != NO_BOUND and command.price_ticks > upper) or command.price_ticks < lower:
        return PRICE_BAND
    if book.limits.max_notional != 0 and _notional(book, command) > book.limits.max_notional:
        return MAX_NOTIONAL
    if (book.limits.orders_max != 0 and command.order_type != MARKET and may_stay(command.time_in_force)
            and has_orders(state, command, book.limits.orders_max, 0)):
        return TOO_MANY_ORDERS
    return NONE


cdef int64_t reference_price(Book* book) noexcept nogil:
    return book.last_ticks if book.last_ticks != 0 else book.limits.reference_ticks


cdef int64_t band_end(Book* book, int side) noexcept nogil:
    cdef int64_t middle = reference_price(book)
    cdef int64_t ppm = book.limits.band_down_ppm if side else book.limits.band_up_ppm
    cdef int64_t distance = middle / PPM * ppm + middle % PPM * ppm / PPM
    if middle == 0 or ppm == 0:
        return NO_BOUND
    return middle - distance if side else middle + distance


cdef int64_t slippage_end(Taker* taker) noexcept nogil:
    """From the best price it meets; NO_BOUND if it meets none."""
    cdef int64_t ppm = taker.book.slippage_ppm
    cdef int64_t best, distance
    if ppm == 0 or taker.against.best_key == NO_KEY:
        return NO_BOUND
    best = side_key(taker.side ^ 1, taker.against.best_key)
    distance = best / PPM * ppm + best % PPM * ppm / PPM
    return max(best - distance, 1) if taker.side else best + distance


cdef void _bind(Taker* taker, int64_t bound) noexcept nogil:
    """A market order trades up to there; matched apart, because the common sweeps know no limit."""
    if bound != NO_BOUND:
        taker.limit_key = max(taker.limit_key, side_key(taker.side ^ 1, bound if bound < MAX_TICKS else MAX_TICKS))
        taker.apart = True


cdef int64_t _notional(Book* book, Command* command) noexcept nogil:
    """At its limit, or by the reference price; INT64_MAX when it does not fit."""
    cdef int64_t notional = 0
    if command.amount != 0:
        return command.amount
    notional = command.price_ticks if command.order_type != MARKET else reference_price(book)
    if mul_overflows(notional, command.qty_lots, &notional) or mul_overflows(notional, book.tick_value, &notional):
        return INT64_MAX
    return notional


cdef bint has_orders(State* state, Command* command, uint32_t count, int flags) noexcept nogil:
    cdef Account* owner = &state.accounts[command.account]
    cdef uint32_t slot = owner.first_order
    cdef uint32_t found = 0
    if owner.open_orders < count:
        return False
    while slot != 0 and found < count:
        found += (state.pool.nodes[slot].instrument == command.instrument
                  and state.pool.nodes[slot].flags & flags == flags)
        slot = state.pool.links[slot].next
    return found >= count
