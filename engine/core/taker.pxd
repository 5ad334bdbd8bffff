"""An incoming order on its way through admission, matching and settlement; it lives for one command."""
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from engine.core.index cimport Bucket
from engine.core.ladder cimport Ladder
from engine.core.state cimport Account, Book
from engine.core.types cimport Command

cdef struct Taker:
    Command* command
    Book* book
    Account* owner
    Bucket* bucket          # of the client index, where the order's name can be entered; NULL: look again
    Ladder* against         # the opposite side
    int64_t key             # of its limit price on its own side
    int64_t limit_key       # lowest key of the opposite side it may trade with
    int64_t left_lots
    int64_t hold            # taken out of available and not spent yet
    int64_t received        # after fees, not yet in the wallet
    int64_t quote_filled
    int64_t amount_left     # by amount: quote neither spent nor received when the book ran out
    int64_t prevented_lots  # taken off its quantity by DECREMENT
    int64_t amount_open     # by amount, if matching apart: quote it may still spend or receive
    uint64_t side           # as wide as an index, so that it need not be widened
    uint32_t pay_wallet
    uint32_t slot           # 0: it will not rest
    uint8_t by_amount
    uint8_t apart           # matched order by order: it has a SelfTrade, or a price band binds it
