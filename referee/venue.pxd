"""One instrument with funded accounts, driven by the judge's messages: the exchange as its members see it.

Every message becomes commands of the whole core, wallets, fees and all; its events are the only source of reports. What
stands beside the core is what any member keeps: where its open orders are, and which of them has which order_id.
"""
from libc.stdint cimport uint64_t

from engine.core.state cimport State
from referee.desk cimport Desk
from referee.outbox cimport Outbox

cdef enum:
    QUOTE = 1               # assets
    BASE = 2
    INSTRUMENT_ID = 1
    FIRST_ACCOUNT = 2
    ACCOUNTS = 1024         # a power of two; an order's account is its id modulo this
    SEQ_MAX = 268435456     # commands of one run; the process ends with a word beyond
    MAKER_FEE_PPM = 100
    TAKER_FEE_PPM = 300

cdef struct Venue:
    State state
    Desk desk               # open orders by the judge's id
    uint64_t* names         # by order_id: the judge's id
    uint64_t names_capacity
    Outbox outbox

# False: no memory. Funds every account with the same part of an int64 of each asset.
cdef bint venue_open(Venue* venue) noexcept nogil
cdef void venue_close(Venue* venue) noexcept nogil
# Room for the name of the next command; ends the process when there is none.
cdef void venue_grow(Venue* venue) noexcept nogil
# Ends the process with a word: the interface has no way to say that something failed.
cdef void give_up(const char* why) noexcept nogil
