"""Fee schedules: a tier of accounts may pay other fees in an instrument than the instrument's own.

A book without schedules has fee_rows 0 and pays one test of it per trade. Else it has TIERS rows side by side, each
saying what that tier pays: its own schedule, else tier 0's, else the instrument's. A negative fee is a rebate; the fee
account pays it at once, out of what it has of that asset, and no more: the rest of a rebate is not owed.
"""
from libc.stdint cimport int64_t, uint32_t

from engine.core.state cimport Book, State
from engine.core.types cimport ControlCommand

cdef enum:
    TIERS = 16
    FEE_ACCOUNT = 1         # gets no rebate of itself

cdef struct Fees:           # of one trade
    int64_t taker
    int64_t maker

cdef void set_fees(State* state, ControlCommand* command) noexcept nogil
cdef void set_tier(State* state, ControlCommand* command) noexcept nogil
# As set_fees does, for a book that exists; state.failed when memory ran out.
cdef void keep_fees(
    State* state, Book* book, int tier, int64_t maker_fee_ppm, int64_t taker_fee_ppm, bint own) noexcept nogil
# Rows without a schedule follow the instrument's fees: call it when those change.
cdef void fees_follow(State* state, Book* book) noexcept nogil
# What a party of a trade pays who receives that much; side: the party's.
cdef int64_t party_fee(
    State* state, Book* book, uint32_t account, int side, int64_t received, bint taker) noexcept nogil
# The fees of a trade by the parties' tiers; negative ones are what the fee account can pay. side: the taker's.
cdef Fees tier_fees(
    State* state, Book* book, int side, uint32_t taker, uint32_t maker, int64_t taker_gets, int64_t maker_gets
) noexcept nogil
