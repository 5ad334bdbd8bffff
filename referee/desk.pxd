"""A member's open orders by the member's own ids: where the exchange says each of them rests.

Open addressing with linear probing, at most half full; an entry leaves by its followers moving up, so the table stays
as small as the number of open orders asks for, and with it in the cache. Any 64-bit id may be a name.
"""
from libc.stdint cimport uint32_t, uint64_t

cdef struct Entry:          # 16 bytes: four a cache line
    uint64_t name
    uint32_t order_id
    uint32_t slot           # 0: free

cdef struct Desk:
    Entry* entries
    uint64_t count
    uint64_t mask           # size of the table - 1
    uint32_t shift          # 64 - log2(size of the table)

# False: no memory. size is a power of two.
cdef bint desk_open(Desk* desk, uint64_t size) noexcept nogil
cdef void desk_close(Desk* desk) noexcept nogil
cdef bint desk_grow(Desk* desk) noexcept nogil
# Takes an entry out; it must be one that desk_find() gave.
cdef void desk_remove(Desk* desk, Entry* entry) noexcept nogil


cdef inline uint64_t desk_place(Desk* desk, uint64_t name) noexcept nogil:
    return (name * <uint64_t>0x9E3779B97F4A7C15) >> desk.shift


cdef inline Entry* desk_find(Desk* desk, uint64_t name) noexcept nogil:
    """The entry of that name; a free one (slot 0) if there is none."""
    cdef uint64_t place = desk_place(desk, name)
    while desk.entries[place].name != name and desk.entries[place].slot != 0:
        place = (place + 1) & desk.mask
    return &desk.entries[place]


cdef inline bint desk_add(Desk* desk, uint64_t name, uint32_t order_id, uint32_t slot) noexcept nogil:
    """Enters an order, in the place of an older one of that name. False: no memory."""
    cdef Entry* entry
    if desk.count * 2 > desk.mask and not desk_grow(desk):
        return False
    entry = desk_find(desk, name)
    desk.count += entry.slot == 0
    entry.name = name
    entry.order_id = order_id
    entry.slot = slot
    return True
