"""Memory of the extras: a free list over a growing block, and the way from a slot to its record."""
from libc.stdint cimport uint32_t
from libc.string cimport memset

from engine.core.memory cimport block_free, block_grow

cdef enum:
    FIRST = 16  # records to start with


cdef void extras_free(Extras* extras) noexcept nogil:
    block_free(extras.items)
    block_free(extras.places)


cdef Extra* extra_open(Extras* extras, uint32_t slot) noexcept nogil:
    cdef uint32_t place = extras.free
    if slot >= extras.slots and not _reach(extras, slot):
        return NULL
    if place != 0:
        extras.free = extras.items[place].next_free
    else:
        if extras.fresh == extras.capacity and not _grow(extras):
            return NULL
        place = extras.fresh
        extras.fresh += 1
    extras.places[slot] = place
    memset(&extras.items[place], 0, sizeof(Extra))
    return &extras.items[place]


cdef void extra_close(Extras* extras, uint32_t slot) noexcept nogil:
    cdef uint32_t place = extras.places[slot]
    extras.places[slot] = 0
    extras.items[place].next_free = extras.free
    extras.free = place


cdef bint _grow(Extras* extras) noexcept nogil:
    cdef uint32_t capacity = extras.capacity * 2 if extras.capacity != 0 else FIRST
    cdef void* items = block_grow(extras.items, capacity * sizeof(Extra))
    if items == NULL:
        return False
    extras.items = <Extra*>items
    extras.capacity = capacity
    extras.fresh = extras.fresh if extras.fresh != 0 else 1
    return True


cdef bint _reach(Extras* extras, uint32_t slot) noexcept nogil:
    cdef uint32_t length = slot + 1 if slot >= extras.slots * 2 else extras.slots * 2
    cdef void* places = block_grow(extras.places, length * sizeof(uint32_t))
    if places == NULL:
        return False
    extras.places = <uint32_t*>places
    extras.slots = length
    return True
