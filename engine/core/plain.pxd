"""The two commands that come all the time: the common order, which has a way of its own through the same code
(engine.core.admission says how), and cancel.

They stand in a module of their own so that the compiler sees one caller of what they share with others, draws all of
it into one function each and keeps the taker in registers.
"""
from libc.stdint cimport uint32_t

from engine.core.state cimport State
from engine.core.types cimport PLACE, Command

cdef enum:
    PLAIN_MASK = 0xFEFFFEFF     # kind, side, order type, time in force; BUY or SELL and GTC or IOC are all the same

cdef inline bint is_plain(Command* command) noexcept nogil:
    """PLACE of a limit order, GTC or IOC, with nothing in the fields that few orders use."""
    return (((<uint32_t*>command)[0] & PLAIN_MASK) ^ PLACE | command.amount | (<uint32_t*>command)[25]
            | command.trigger_ticks | command.display_lots | command.expires_ns) == 0


# A PLACE that is_plain.
cdef void place_plain(State* state, Command* command) noexcept nogil
cdef void cancel(State* state, Command* command) noexcept nogil
