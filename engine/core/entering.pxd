"""An accepted order that waited (a triggered stop) enters the book as a fresh taker under its old order_id.

Admission is asked again as for a new order, with what it held free: if it refuses, the order ends as CANCELED
TRIGGER_REFUSED with the refusal in `flags`. A market BUY that its money does not pay in full is lowered first (REDUCED)
to the lots the money pays.
"""
from libc.stdint cimport uint32_t

from engine.core.state cimport State
from engine.core.types cimport Command

# Enters an order that is in no queue and still in its account's list; all its events carry the cause's seq and time.
# What it will be when it enters, as a PLACE with its order_id for seq.
cdef void as_plain(State* state, Command* cause, uint32_t slot, Command* command) noexcept nogil
cdef void enter(State* state, Command* cause, uint32_t slot) noexcept nogil
