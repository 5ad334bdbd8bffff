"""Limits of an instrument that are asked only where INSTRUMENT_LIMITS set one: price band, notional, open orders.

The reference price is that of the last trade, or the one the command gave while there was none. Without it there is no
band, and no estimate of what a market order by quantity is worth.
"""
from libc.stdint cimport int64_t, uint32_t

from engine.core.state cimport Book, State
from engine.core.taker cimport Taker
from engine.core.types cimport Code, Command

cdef enum:
    NO_BOUND = 0

# Asks all of them for a prepared order; binds a market order to the band.
cdef Code check_limits(State* state, Taker* taker) noexcept nogil
# Price beyond which that side may neither be priced nor trade: the band's upper end for BUY, its lower end for SELL.
cdef int64_t band_end(Book* book, int side) noexcept nogil
cdef int64_t reference_price(Book* book) noexcept nogil
# Has the account at least that many open orders with these flags in the command's instrument? O(1) while it has fewer
# open orders in all instruments, else O(its open orders).
cdef bint has_orders(State* state, Command* command, uint32_t count, int flags) noexcept nogil
