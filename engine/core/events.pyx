"""Memory of the event buffer and its face towards Python."""
from cpython.buffer cimport PyBuffer_FillInfo
from libc.string cimport memcpy

from engine.core.memory cimport block_free, block_grow


cdef bint events_init(Events* events, size_t capacity) noexcept nogil:
    events.capacity = capacity if capacity > 2 else 2
    events.items = <Event*>block_grow(NULL, events.capacity * sizeof(Event))
    return events.items != NULL


cdef void events_free(Events* events) noexcept nogil:
    if events.items != events.lent:
        block_free(events.items)


cdef bint events_reserve(Events* events, size_t capacity) noexcept nogil:
    return capacity <= events.capacity or _resize(events, capacity)


cdef void events_grow(Events* events) noexcept nogil:
    if not _resize(events, events.capacity * 2):
        events.failed = True
        events.count -= 1


cdef bint _resize(Events* events, size_t capacity) noexcept nogil:
    cdef Event* block
    if events.items == events.lent:
        block = <Event*>block_grow(NULL, capacity * sizeof(Event))
        if block != NULL:
            memcpy(block, events.items, events.count * sizeof(Event))
    else:
        block = <Event*>block_grow(events.items, capacity * sizeof(Event))
    if block == NULL:
        return False
    events.items = block
    events.capacity = capacity
    return True


cdef class EventBuffer:
    """Read-only bytes of the last apply(): 128 per event. DANGER: the next apply() writes over them; copy to keep."""

    @staticmethod
    cdef EventBuffer adopt(Events* events):
        cdef EventBuffer buffer = EventBuffer.__new__(EventBuffer)
        buffer.items = events.items
        events.lent = events.items
        return buffer

    def __getbuffer__(self, Py_buffer* view, int flags):
        PyBuffer_FillInfo(view, self, self.items, self.count * sizeof(Event), 1, flags)

    def __dealloc__(self):
        block_free(self.items)
