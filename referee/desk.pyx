"""Memory of the desk, and how an entry leaves it."""
from engine.core.memory cimport block_free, block_grow
from libc.string cimport memset


cdef bint desk_open(Desk* desk, uint64_t size) noexcept nogil:
    desk.entries = <Entry*>block_grow(NULL, size * sizeof(Entry))
    desk.count = 0
    desk.mask = size - 1
    desk.shift = 64
    while size > 1:
        size >>= 1
        desk.shift -= 1
    return desk.entries != NULL


cdef void desk_close(Desk* desk) noexcept nogil:
    block_free(desk.entries)


cdef bint desk_grow(Desk* desk) noexcept nogil:
    cdef Desk larger
    cdef uint64_t place
    if not desk_open(&larger, (desk.mask + 1) * 2):
        return False
    for place in range(desk.mask + 1):
        if desk.entries[place].slot != 0:
            desk_find(&larger, desk.entries[place].name)[0] = desk.entries[place]
    larger.count = desk.count
    desk_close(desk)
    desk[0] = larger
    return True


cdef void desk_remove(Desk* desk, Entry* entry) noexcept nogil:
    """Each follower that the gap would hide from a search moves into it, and leaves the gap behind."""
    cdef uint64_t gap = entry - desk.entries
    cdef uint64_t place = (gap + 1) & desk.mask
    cdef uint64_t home
    while desk.entries[place].slot != 0:
        home = desk_place(desk, desk.entries[place].name)
        if ((place - home) & desk.mask) >= ((place - gap) & desk.mask):
            desk.entries[gap] = desk.entries[place]
            gap = place
        place = (place + 1) & desk.mask
    memset(&desk.entries[gap], 0, sizeof(Entry))
    desk.count -= 1
