"""Icebergs: an order of which the book shows a part at a time, its next part behind all others at its price.

In the node stands what is shown, so levels, depth and matching know nothing else; the rest stands in the order's Extra.
Whoever means the whole order asks open_lots(), or makes it whole first. Rules as Binance Spot's icebergQty.
"""
from libc.stdint cimport int64_t, uint32_t

from engine.core.extras cimport extra_of
from engine.core.pool cimport ICEBERG
from engine.core.state cimport State
from engine.core.types cimport GTC, LIMIT_MAKER, Command

cdef enum:
    PARTS_MAX = 100     # an order may have; bounds what one order can make of trades

# PLACE of a limit order that shows a part of itself.
cdef void place_iceberg(State* state, Command* command) noexcept nogil
# A resting order with an Extra whose display_lots is set begins to hide what is beyond.
cdef void hide(State* state, uint32_t slot) noexcept nogil
# Takes nothing off and hides nothing any more, until hide_again; returns what was shown.
cdef int64_t show_all(State* state, uint32_t slot) noexcept nogil
cdef void hide_again(State* state, uint32_t slot, int64_t shown) noexcept nogil
# The first of its level has traded: shows its next part at the end of the level if nothing of the last one is left.
cdef void refill(State* state, uint32_t slot) noexcept nogil
# One iceberg more or less stands in a book.
cdef void count_iceberg(State* state, uint32_t slot, int change) noexcept nogil
# Gives up the Extra of an order that ends.
cdef void drop_extra(State* state, uint32_t slot) noexcept nogil
# What an iceberg shows of its hidden lots in the n-th part after the one it shows now.
cdef int64_t part_of(State* state, uint32_t slot, int64_t number) noexcept nogil


cdef inline int64_t hidden_lots(State* state, uint32_t slot) noexcept nogil:
    return extra_of(&state.extras, slot).hidden_lots if state.pool.nodes[slot].flags & ICEBERG else 0


cdef inline int64_t open_lots(State* state, uint32_t slot) noexcept nogil:
    """What is open of an order, shown or not."""
    return state.pool.nodes[slot].left_lots + hidden_lots(state, slot)


cdef inline bint fits_iceberg(Command* command) noexcept nogil:
    """May a command in order otherwise show that part of itself?"""
    return (command.order_type <= LIMIT_MAKER and command.time_in_force == GTC
            and 0 < command.display_lots < command.qty_lots
            and (command.qty_lots - 1) / command.display_lots < PARTS_MAX)
