"""One instrument with funded accounts, driven by the judge's messages: the exchange as its members see it.

Every message becomes commands of the whole core, wallets, fees and all; its events are the only source of reports. What
stands beside the core is what any member keeps: which of its orders the exchange knows under which order_id and slot.
"""
from libc.stdint cimport uint32_t, uint64_t

from engine.core.state cimport State
from engine.core.types cimport Command
from referee.outbox cimport Outbox

cdef enum:
    QUOTE = 1               # assets
    BASE = 2
    INSTRUMENT_ID = 1
    FIRST_ACCOUNT = 2
    ACCOUNTS = 1024         # a power of two; an order's account is its id modulo this
    IDS_MAX = 67108864      # orders with ids from here on are named by client order id, in the core's index
    SEQ_MAX = 268435456     # commands of one run; the process ends with a word beyond
    MAKER_FEE_PPM = 100
    TAKER_FEE_PPM = 300

cdef struct Known:          # an order as its ACCEPTED event told it
    uint64_t order_id
    uint32_t slot
    uint32_t reserved

cdef struct Venue:
    State state
    Command command         # the next one; only what differs from message to message is written
    Known* known            # by the judge's id
    uint64_t known_capacity
    uint64_t* names         # by order_id: the judge's id
    uint64_t names_capacity
    Outbox outbox

# False: no memory. Funds every account with the same part of an int64 of each asset.
cdef bint venue_open(Venue* venue) noexcept nogil
cdef void venue_close(Venue* venue) noexcept nogil
# Room for an id and for the order_id of the next command; ends the process when there is none.
cdef void venue_grow(Venue* venue, uint64_t identifier) noexcept nogil
