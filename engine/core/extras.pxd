"""What a few orders have that plain ones lack: trigger, trailing distance. One record each, found through the slot.

Orders without one never touch this. Memory is taken with the first one and grows by doubling; record 0 is none.
"""
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t

cdef struct Extra:
    int64_t stop_ticks      # the command's trigger_ticks
    int64_t trigger_ticks   # the price that sets it off now
    int64_t hold_ticks      # price at which the hold of a waiting BUY is reckoned
    uint16_t trailing_bps
    uint8_t stp
    uint8_t direction       # FALLING or RISING: which way the price must come
    uint32_t list           # LISTED: place of its list
    uint8_t leg             # and its number there, from 0
    uint32_t next_free
    int64_t extreme_ticks   # the best price an active trailing order has seen, 0: not active (engine.core.trailing)
    uint32_t trail_next     # slots, in its book's list
    uint32_t trail_prev
    int64_t working_ns      # since when it trades, if it waited before; no rule asks for it
    int64_t display_lots    # what an iceberg shows at most; 0: all
    int64_t hidden_lots     # what it does not show now

cdef struct Extras:
    Extra* items
    uint32_t* places        # by slot: the order's record
    uint32_t capacity
    uint32_t fresh          # lowest never used
    uint32_t free           # last given up; 0: none
    uint32_t slots          # length of places

cdef void extras_free(Extras* extras) noexcept nogil
# A zeroed record for an order that has none; NULL when memory ran out. Moves the others.
cdef Extra* extra_open(Extras* extras, uint32_t slot) noexcept nogil
cdef void extra_close(Extras* extras, uint32_t slot) noexcept nogil


cdef inline Extra* extra_of(Extras* extras, uint32_t slot) noexcept nogil:
    """The record of an order that has one (NodeFlag.EXTRA); good until the next extra_open."""
    return &extras.items[extras.places[slot]]
