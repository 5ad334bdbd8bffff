"""Memory of the lists: a free list over a growing block."""
from libc.stdint cimport uint32_t
from libc.string cimport memset

from engine.core.memory cimport block_free, block_grow

cdef enum:
    FIRST = 4  # records to start with


cdef void lists_free(Lists* lists) noexcept nogil:
    block_free(lists.items)


cdef uint32_t list_open(Lists* lists) noexcept nogil:
    cdef uint32_t place = lists.free
    if place != 0:
        lists.free = lists.items[place].next
    else:
        place = lists.fresh if lists.fresh != 0 else 1
        if not list_reserve(lists, place):
            return 0
        lists.fresh = place + 1
    memset(&lists.items[place], 0, sizeof(List))
    return place


cdef void list_close(Lists* lists, uint32_t place) noexcept nogil:
    lists.items[place].list_id = 0
    lists.items[place].next = lists.free
    lists.free = place


cdef bint list_reserve(Lists* lists, uint32_t place) noexcept nogil:
    cdef uint32_t capacity = lists.capacity if lists.capacity != 0 else FIRST
    if place < lists.capacity:
        return True
    while capacity <= place:
        capacity *= 2
    cdef void* items = block_grow(lists.items, capacity * sizeof(List))
    if items == NULL:
        return False
    lists.items = <List*>items
    lists.capacity = capacity
    return True
