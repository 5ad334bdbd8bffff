"""Stop-loss and take-profit orders while they wait: accepted, armed in their book's triggers, canceled, set off.

A book has two ladders of triggers beside its two of prices: FALLING holds orders that a price at or below their trigger
sets off (highest trigger first), RISING those that a price at or above it does (lowest first); FIFO at one trigger.
They are ordinary slots of the pool, so order ids, client ids, lists of an account and capacities hold for them too.
"""
from libc.stdint cimport int64_t, uint32_t

from engine.core.state cimport Book, State
from engine.core.taker cimport Taker
from engine.core.types cimport MARKET, STOP_LOSS, STOP_LOSS_LIMIT, TAKE_PROFIT, Code, Command

cdef enum Direction:
    FALLING = 0
    RISING = 1

# PLACE of an order with a trigger: refused, or accepted and armed with what it may cost held.
cdef void place_stop(State* state, Command* command) noexcept nogil
# Asks all that is asked of a stop; `now` for what holds only at this moment: client id, trigger, balance, capacity.
# Fills in the taker from `plain`, a copy that becomes the order it will be.
cdef Code admit_stop(State* state, Command* command, Command* plain, Taker* taker, bint now) noexcept nogil
# A slot for an order that waits, told as ACCEPTED: in its account's list and the client index, UNFUNDED, in no queue.
# 0 and state.failed when memory ran out.
cdef uint32_t accept_waiting(State* state, Command* command, uint32_t pay_wallet) noexcept nogil
# Takes the hold of an UNFUNDED order out of what is available.
cdef void fund(State* state, uint32_t slot) noexcept nogil
# May account and instrument, as they are now, have a waiting order of its kind?
cdef Code check_parties_again(State* state, uint32_t slot) noexcept nogil
# May a waiting stop be armed and funded at this moment?
cdef Code check_stop_now(State* state, uint32_t slot) noexcept nogil
# Puts an order with an Extra among its book's triggers, behind those at the same trigger price.
cdef void arm(State* state, uint32_t slot) noexcept nogil
# Takes it out of there, and of its list if it trails, and nothing more: the order is in no queue afterwards.
cdef void disarm(State* state, uint32_t slot) noexcept nogil
# Only out of the triggers.
cdef void disarm_only(State* state, uint32_t slot) noexcept nogil
# A waiting order ends: its money goes back, its slot is free.
cdef void drop_waiting(State* state, uint32_t slot) noexcept nogil
# Lots leave a waiting order's quantity (the caller lowers left_lots): their money goes back.
cdef void lower_waiting(State* state, uint32_t slot, int64_t lots) noexcept nogil
# What a waiting order holds for that many lots, and what it would if it were not UNFUNDED.
cdef int64_t waiting_hold(State* state, uint32_t slot, int64_t lots) noexcept nogil
cdef int64_t hold_if_funded(State* state, uint32_t slot, int64_t lots) noexcept nogil


cdef inline bint is_stop(int order_type) noexcept nogil:
    return order_type > MARKET


cdef inline bint is_market_stop(int order_type) noexcept nogil:
    return order_type == STOP_LOSS or order_type == TAKE_PROFIT


cdef inline int direction_of(Command* command) noexcept nogil:
    """Which way the price must come: above the market lie BUY stops and SELL profits, below it the other two."""
    cdef bint stop = command.order_type == STOP_LOSS or command.order_type == STOP_LOSS_LIMIT
    return RISING if stop == (command.side == 0) else FALLING
