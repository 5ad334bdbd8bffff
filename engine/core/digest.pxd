"""One number for the whole state."""
from libc.stdint cimport uint64_t

from engine.core.state cimport State

cdef uint64_t state_digest(State* state) except? 0
