"""BUST: a trade's money goes back, fees included, as if it had never been; the orders stay executed.

The command repeats the TRADE event it takes back. The core remembers no trades: it checks what it can (ids that were
given, amounts that fit each other, parties that exist), the shell takes the event from the journal. Which trades were
taken back is remembered for ever, BUSTS_MAX of them.
"""
from libc.stdint cimport uint32_t, uint64_t

from engine.core.state cimport State
from engine.core.types cimport TradeEvent

cdef enum:
    BUSTS_MAX = 1048576

cdef void bust(State* state, TradeEvent* command) noexcept nogil
# Remembers a trade as taken back; false when it is already, or memory ran out (state.failed).
cdef bint keep_bust(State* state, uint32_t instrument, uint64_t trade_id) noexcept nogil
