"""Trailing stops: their trigger follows the best price since they started, and never goes back.

Until it is active such an order waits among its book's triggers for its stop price. From then on a SELL remembers the
highest price traded and is set off by a price trailing_bps below it, a BUY the lowest and above it. Those that are
active also stand in a list per book and side, the one whose extreme is passed next first: a trade that moves no
extreme looks at its head and no further, and one that does moves a run of orders at its beginning.
"""
from libc.stdint cimport int64_t, uint32_t

from engine.core.extras cimport Extra
from engine.core.state cimport Book, State

cdef enum:
    TRAILING_MAX_BPS = 9999

# Among the triggers: an order at its stop price, or already active when it has none.
cdef void arm_new(State* state, uint32_t slot) noexcept nogil
# Begins to follow from that price; the order is in no queue before, among the triggers afterwards.
cdef void start_trailing(State* state, uint32_t slot, int64_t price_ticks) noexcept nogil
# A trade at that price: moves the extremes it passes, with their triggers.
cdef void trail(State* state, Book* book, int64_t price_ticks) noexcept nogil
# Takes an active order out of its list.
cdef void stop_trailing(State* state, uint32_t slot) noexcept nogil
# The trigger of an extreme: rounded towards the price that is harder to reach, at most the highest price there is.
cdef int64_t trailing_trigger(int side, int64_t extreme_ticks, int64_t trailing_bps) noexcept nogil


cdef inline bint is_starting(Extra* extra) noexcept nogil:
    """It trails and waits for its stop price."""
    return extra.trailing_bps != 0 and extra.extreme_ticks == 0
