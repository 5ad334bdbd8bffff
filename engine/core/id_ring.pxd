"""A ring of client order ids with what was placed under them, found by account and text; new ones push the oldest out.

Its digest is a sum over what it holds, kept up to date, so that the hash of the state does not walk it.
"""
from libc.stdint cimport uint32_t, uint64_t

from engine.core.index cimport Index

cdef struct PlacedId:
    uint64_t order_id
    uint64_t terms          # hash of what was asked for
    uint32_t account
    uint32_t hash           # of account and text
    char[36] text
    uint32_t reserved

cdef struct IdRing:
    PlacedId* items
    Index index             # of places + 1
    uint64_t digest
    uint32_t max            # 0: none is kept
    uint32_t count
    uint32_t first          # place of the oldest
    uint32_t capacity

cdef void ring_free(IdRing* ring) noexcept nogil
# Number n of the ring, the oldest being 0.
cdef PlacedId* ring_item(IdRing* ring, uint32_t number) noexcept nogil
cdef PlacedId* ring_find(IdRing* ring, uint32_t account, const char* text) noexcept nogil
# False when memory ran out. What is added must not be in; max must not be 0.
cdef bint ring_add(IdRing* ring, PlacedId* placed) noexcept nogil
# Keeps the newest; false when memory ran out.
cdef bint ring_resize(IdRing* ring, uint32_t most) noexcept nogil
cdef uint64_t ring_digest(PlacedId* placed) noexcept nogil
