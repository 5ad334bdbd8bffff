"""Self-trade prevention: matching for orders that must not meet orders of their own account or trade group.

The taker's mode decides (engine.core.types.SelfTrade); the common path in engine.core.matching knows nothing of this.
Questions asked before matching are answered by walking order by order as matching would: what they count is exact.
"""
from engine.core.state cimport State
from engine.core.sweep cimport Sweep
from engine.core.taker cimport Taker

# Lots that would trade within the taker's limit, and what they cost; by amount also what the book could not take.
cdef Sweep sweep_apart(State* state, Taker* taker) noexcept nogil
# Would all of a fill or kill order trade?
cdef bint fills_apart(State* state, Taker* taker) noexcept nogil
# Trades, prevents, and ends the order.
cdef void match_apart(State* state, Taker* taker) noexcept nogil
