"""The desk's large table: its memory, its search, and how an entry leaves it."""
from libc.string cimport memset

from engine.core.memory cimport block_free, block_grow


cdef bint desk_open(Desk* desk, uint64_t size) noexcept nogil:
    memset(desk, 0, sizeof(Desk))
    return _open_table(desk, size)


cdef void desk_close(Desk* desk) noexcept nogil:
    block_free(desk.entries)


cdef Entry* desk_find_old(Desk* desk, uint64_t name) noexcept nogil:
    cdef uint64_t place = _home(desk, name)
    while desk.entries[place].slot != 0 and desk.entries[place].name != name:
        place = (place + 1) & desk.mask
    return &desk.entries[place]


cdef bint desk_age(Desk* desk, Entry* entry) noexcept nogil:
    cdef Entry* place
    if desk.count * 2 > desk.mask and not _grow(desk):
        return False
    place = desk_find_old(desk, entry.name)
    desk.count += place.slot == 0
    place[0] = entry[0]
    return True


cdef void desk_remove_old(Desk* desk, Entry* entry) noexcept nogil:
    """Each follower that the gap would hide from a search moves into it, and leaves the gap behind."""
    cdef uint64_t gap = entry - desk.entries
    cdef uint64_t place = (gap + 1) & desk.mask
    cdef uint64_t home
    while desk.entries[place].slot != 0:
        home = _home(desk, desk.entries[place].name)
        if ((place - home) & desk.mask) >= ((place - gap) & desk.mask):
            desk.entries[gap] = desk.entries[place]
            gap = place
        place = (place + 1) & desk.mask
    memset(&desk.entries[gap], 0, sizeof(Entry))
    desk.count -= 1


cdef inline uint64_t _home(Desk* desk, uint64_t name) noexcept nogil:
    return (name * <uint64_t>0xBF58476D1CE4E5B9) >> desk.shift


cdef bint _open_table(Desk* desk, uint64_t size) noexcept nogil:
    desk.entries = <Entry*>block_grow(NULL, size * sizeof(Entry))
    desk.count = 0
    desk.mask = size - 1
    desk.shift = 64
    while size > 1:
        size >>= 1
        desk.shift -= 1
    return desk.entries != NULL


cdef bint _grow(Desk* desk) noexcept nogil:
    cdef Entry* old = desk.entries
    cdef uint64_t size = desk.mask + 1
    cdef uint64_t place, count = desk.count
    if not _open_table(desk, size * 2):
        return False
    for place in range(size):
        if old[place].slot != 0:
            desk_find_old(desk, old[place].name)[0] = old[place]
    desk.count = count
    block_free(old)
    return True
