"""The outbound buffer: events of one apply(), written in place and read by Python without a copy.

EventBuffer owns a block and exports it; Events is the writer. When the writer needs more room it takes a larger block
and leaves the old one to its EventBuffer, which lives as long as somebody views it. So a view never dangles; its
content is overwritten by the next apply().
"""
from libc.stdint cimport uint64_t

from engine.core.types cimport Event

cdef struct Events:
    Event* items
    Event* lent             # the block an EventBuffer owns; growth leaves it alone
    uint64_t count
    uint64_t capacity
    bint failed             # memory ran out: later events were written over each other

cdef bint events_init(Events* events, size_t capacity) noexcept nogil
cdef void events_free(Events* events) noexcept nogil
cdef bint events_reserve(Events* events, size_t capacity) noexcept nogil
cdef void events_grow(Events* events) noexcept nogil

cdef class EventBuffer:
    cdef Event* items
    cdef uint64_t count

    @staticmethod
    cdef EventBuffer adopt(Events* events)  # becomes the owner of the writer's block


cdef inline Event* event_next(Events* events) noexcept nogil:
    """Where the next event goes; every byte of it must be written. Valid until the next call."""
    if events.count == events.capacity:
        events_grow(events)
    events.count += 1
    return &events.items[events.count - 1]
