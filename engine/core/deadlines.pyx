"""The heap is a tree: the children of place p are 2p and 2p + 1, and no child is earlier than its parent."""
from engine.core.memory cimport block_free, block_grow


cdef void deadlines_free(Deadlines* deadlines) noexcept nogil:
    block_free(deadlines.items)
    block_free(deadlines.heap)


cdef uint32_t deadline_add(
    Deadlines* deadlines, int64_t time_ns, uint64_t seq, uint32_t subject, bint timer
) noexcept nogil:
    cdef uint32_t handle = deadlines.free
    cdef Deadline* item
    if handle != 0:
        deadlines.free = deadlines.items[handle].place
    else:
        if deadlines.fresh + 1 >= deadlines.capacity and not _grow(deadlines):
            return 0
        deadlines.fresh += 1
        handle = deadlines.fresh
    item = &deadlines.items[handle]
    item.time_ns, item.seq, item.subject, item.timer = time_ns, seq, subject, timer
    deadlines.count += 1
    _rise(deadlines, deadlines.count, handle)
    return handle


cdef void deadline_remove(Deadlines* deadlines, uint32_t handle) noexcept nogil:
    cdef uint32_t place = deadlines.items[handle].place
    cdef uint32_t last = deadlines.heap[deadlines.count]
    deadlines.count -= 1
    deadlines.items[handle].place = deadlines.free
    deadlines.free = handle
    if last == handle:
        return
    if place > 1 and _earlier(deadlines, last, deadlines.heap[place / 2]):
        _rise(deadlines, place, last)
    else:
        _sink(deadlines, place, last)


cdef inline bint _earlier(Deadlines* deadlines, uint32_t one, uint32_t other) noexcept nogil:
    cdef Deadline* a = &deadlines.items[one]
    cdef Deadline* b = &deadlines.items[other]
    return a.time_ns < b.time_ns or (a.time_ns == b.time_ns and a.seq < b.seq)


cdef inline void _put(Deadlines* deadlines, uint32_t place, uint32_t handle) noexcept nogil:
    deadlines.heap[place] = handle
    deadlines.items[handle].place = place


cdef void _rise(Deadlines* deadlines, uint32_t place, uint32_t handle) noexcept nogil:
    """Puts an entry at a place, or above it where its parents are later."""
    while place > 1 and _earlier(deadlines, handle, deadlines.heap[place / 2]):
        _put(deadlines, place, deadlines.heap[place / 2])
        place /= 2
    _put(deadlines, place, handle)


cdef void _sink(Deadlines* deadlines, uint32_t place, uint32_t handle) noexcept nogil:
    """Puts an entry at a place, or below it where its children are earlier."""
    cdef uint32_t child = place * 2
    while child <= deadlines.count:
        if child < deadlines.count and _earlier(deadlines, deadlines.heap[child + 1], deadlines.heap[child]):
            child += 1
        if not _earlier(deadlines, deadlines.heap[child], handle):
            break
        _put(deadlines, place, deadlines.heap[child])
        place = child
        child = place * 2
    _put(deadlines, place, handle)


cdef bint _grow(Deadlines* deadlines) noexcept nogil:
    cdef size_t capacity = <size_t>deadlines.capacity * 2 if deadlines.capacity != 0 else 4
    cdef void* items
    if capacity >= <size_t>1 << 31:
        return False
    items = block_grow(deadlines.items, capacity * sizeof(Deadline))
    if items == NULL:
        return False
    deadlines.items = <Deadline*>items
    cdef void* heap = block_grow(deadlines.heap, capacity * sizeof(uint32_t))
    if heap == NULL:
        return False
    deadlines.heap = <uint32_t*>heap
    deadlines.capacity = <uint32_t>capacity
    return True
