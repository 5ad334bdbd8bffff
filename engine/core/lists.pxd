"""What happens to order lists while their orders live: one-cancels-other and one-triggers-other, as at Binance Spot.

Nothing is done to other orders in the middle of a command. What happens to a leg is noted in its list's record; after
the command engine.core.watching takes the touched lists one by one: it cancels, activates or ends what follows from it.
"""
from libc.stdint cimport int64_t, uint32_t

from engine.core.state cimport State
from engine.core.types cimport Code, Command

cdef enum ListStatus:       # flags of a LIST event
    EXECUTING = 1
    ALL_DONE = 2

# A MARKED order has traded as a maker, and its TRADE is told.
cdef void marked_traded(State* state, uint32_t slot) noexcept nogil
# A leg has traded as a maker; nothing of it may be left.
cdef void leg_traded(State* state, uint32_t slot) noexcept nogil
# A leg was set off.
cdef void leg_acted(State* state, uint32_t slot) noexcept nogil
# An order that is no leg any more, because it was filled or else ended.
cdef void leg_ended(State* state, uint32_t place, int leg, bint filled) noexcept nogil
# CANCELED for an open order that has flags beyond NAMED, wherever it stands.
cdef void take_off_rare(State* state, Command* command, uint32_t slot, int reason) noexcept nogil
# Lowers a leg; both of a pair, which have one quantity.
cdef void lower_leg(State* state, Command* command, uint32_t slot, int64_t lots) noexcept nogil
# Carries out what follows for all touched lists.
cdef void settle_lists(State* state, Command* cause) noexcept nogil
# Makes a pair of two pending legs: one holds, the other's surplus is the list's. NONE, or why not, changing nothing.
cdef Code start_pair(State* state, Command* cause, uint32_t place) noexcept nogil
# The list with that id at that place, or named by text; 0 if there is none.
cdef uint32_t find_list(State* state, Command* command) noexcept nogil
cdef void cancel_list(State* state, Command* command) noexcept nogil
cdef void report_list(State* state, Command* cause, uint32_t place, int status) noexcept nogil
