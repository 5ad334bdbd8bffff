"""An auction: orders are collected without trading, then all that can trade does, at one price.

The price is that of the largest volume; among those, of the smallest imbalance; among those, the one nearest to the
reference price. Those prices lie side by side, so that is one price. Without a reference it is their middle, rounded
down. Any tick may be it, not only the orders' own.
"""
from libc.stdint cimport int64_t, uint8_t

from engine.core.state cimport Book, State
from engine.core.types cimport Command, ControlCommand

cdef struct Crossing:           # all 0 while nothing crosses
    int64_t price_ticks
    int64_t lots                # that trade at that price
    int64_t surplus_lots        # that would like to and find nobody
    uint8_t side                # of the surplus

# What an uncross would do now. O(crossed levels).
cdef Crossing crossing(State* state, Book* book, int64_t reference_ticks) noexcept nogil
cdef bint is_crossed(Book* book) noexcept nogil
cdef void auction(State* state, ControlCommand* command) noexcept nogil
# For readers who asked for TOP events: tells what an uncross would do now if that has changed.
cdef void indicate(State* state, Command* command, Book* book) noexcept nogil
# Takes it for told, without telling it.
cdef void keep_indicated(State* state, Book* book) noexcept nogil
# Ends the DAY orders of an instrument that has closed.
cdef void end_day(State* state, Command* command, Book* book) noexcept nogil
