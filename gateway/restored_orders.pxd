"""Open orders of before a start as the core told them: records in one piece, found by id, each taken once."""
from libc.stdint cimport int64_t, uint32_t, uint64_t

from engine.core.records cimport OrderRecord


cdef class RestoredOrders:
    cdef const unsigned char[::1] _records
    cdef OrderRecord* _items    # in them
    cdef int64_t* _times        # of the last change, by account
    cdef uint32_t _accounts     # so many have a place there
    cdef list _trailing
    cdef uint32_t* _table       # places + 1 by order id, open addressing; 0: free
    cdef uint64_t _mask
    cdef unsigned char* _taken
    cdef readonly uint32_t count
    cdef readonly uint32_t left     # not taken yet

    # The record of that order, which is given once; NULL when there is none, or it was taken.
    cdef OrderRecord* take(self, uint64_t order_id) noexcept nogil
    # The same by place.
    cdef OrderRecord* take_at(self, uint32_t place) noexcept nogil
    cdef OrderRecord* _record(self, uint32_t place) noexcept nogil
    cdef bint _enter(self, uint32_t place) noexcept nogil
