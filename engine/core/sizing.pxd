"""Room for what is expected, made and touched before it is needed, so that no command waits for memory.

Tables grow without a copy of what they hold, but the first touch of a page is the kernel's: it finds memory and clears
it, 0.1 to 1 ms for a huge page and up to 20 ms on a busy host. What is touched here does not wait for that. The state
is the same with and without it.
"""
from libc.stdint cimport uint32_t

from engine.core.state cimport State

cdef struct Sizes:          # 0: leave it as it is
    uint32_t orders
    uint32_t wallets
    uint32_t accounts
    uint32_t instruments
    uint32_t leaves         # ranges of 64 prices in which orders stand
    uint32_t events         # of one apply()

# False when there is no memory: what has grown stays, and nothing is lost.
cdef bint size_state(State* state, Sizes* sizes) noexcept nogil
