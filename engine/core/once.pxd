"""Client order ids that place one order only: what an order sent with ONCE leaves behind when it is accepted.

Asked when such an order comes: the same one again is REPEATED, another one under the same id is CLIENT_ID_REUSED,
whether the first is still open or not; so a client that lost a reply may send again. The newest `max` are remembered,
REMEMBERED_DEFAULT or what REMEMBER sets (part of the state: every replica forgets at the same command); with 0, ONCE
is refused. Other orders pay nothing: their ids are unique among open orders, as Binance Spot has it, and free
afterwards.
"""
from libc.stdint cimport uint32_t, uint64_t

from engine.core.state cimport State
from engine.core.types cimport Code, Command, ControlCommand

cdef enum:
    REMEMBERED_MAX = 4194304    # 256 MiB
    REMEMBERED_DEFAULT = 100000

# Why an order with ONCE is not looked at any further, NONE if it is; order_id becomes that of the one remembered.
cdef Code once_code(State* state, Command* command, uint64_t* order_id) noexcept nogil
# The order was accepted under command.seq. state.failed when memory ran out.
cdef void once_keep(State* state, Command* command) noexcept nogil
# The same for an entry that a snapshot has.
cdef bint once_restore(
    State* state, uint64_t order_id, uint64_t terms, uint32_t account, const char* text) noexcept nogil
# order_id of what is remembered, 0 for nothing.
cdef uint64_t once_find(State* state, uint32_t account, const char* text) noexcept nogil
# REMEMBER: the oldest go at once where there are too many.
cdef void set_remembered(State* state, ControlCommand* command) noexcept nogil
cdef bint once_resize(State* state, uint32_t most) noexcept nogil
