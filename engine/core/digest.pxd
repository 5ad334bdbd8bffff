"""One number for the whole state."""
from libc.stdint cimport uint64_t

from engine.core.state cimport State

cdef enum:
    DIGEST_VERSION = 1      # stands beside every hash in journals and snapshots; another one is not compared

# False when memory ran out.
cdef bint state_digest(State* state, uint64_t* digest) noexcept nogil
