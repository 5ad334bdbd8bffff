"""Times at which something ends, the earliest first: a binary heap of entries that keep their place, so any can go.

An entry is named by its handle, which stays the same until it is removed; 0 is none. Equal times are in order of the
commands that set them. Nothing is allocated before the first entry.
"""
from libc.stdint cimport int64_t, uint32_t, uint64_t

cdef struct Deadline:
    int64_t time_ns
    uint64_t seq            # of the command that set it
    uint32_t subject        # slot of an order, or number of a timer
    uint32_t timer          # which of them
    uint32_t place          # in the heap, from 1; in a free entry the next free one
    uint32_t reserved

cdef struct Deadlines:
    Deadline* items
    uint32_t* heap          # handles; heap[1] is the earliest
    uint32_t count
    uint32_t fresh          # lowest handle never used, but 0
    uint32_t free
    uint32_t capacity

cdef void deadlines_free(Deadlines* deadlines) noexcept nogil
# A handle, 0 when memory ran out. O(log n), as removing.
cdef uint32_t deadline_add(
    Deadlines* deadlines, int64_t time_ns, uint64_t seq, uint32_t subject, bint timer) noexcept nogil
cdef void deadline_remove(Deadlines* deadlines, uint32_t handle) noexcept nogil


cdef inline uint32_t deadline_first(Deadlines* deadlines) noexcept nogil:
    """The earliest, 0 if there is none. O(1)."""
    return deadlines.heap[1] if deadlines.count != 0 else 0
