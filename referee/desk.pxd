"""A member's open orders by the member's own ids: where the exchange says each of them rests.

Most orders die young. So a new one stands in a small table with one place per hash, which stays in the nearest cache;
only when another new one needs its place does it move to the large table (open addressing with linear probing, at most
half full, an entry leaves by its followers moving up). Any 64-bit id may be a name.
"""
from libc.stdint cimport uint32_t, uint64_t

cdef enum:
    YOUNG = 1024            # a power of two: 16 KiB

cdef struct Entry:          # 16 bytes: four a cache line
    uint64_t name
    uint32_t order_id
    uint32_t slot           # 0: free

cdef struct Desk:
    Entry[YOUNG] young
    Entry* entries
    uint64_t count          # in entries
    uint64_t mask           # size of the table - 1
    uint32_t shift          # 64 - log2(size of the table)

# False: no memory. size is a power of two.
cdef bint desk_open(Desk* desk, uint64_t size) noexcept nogil
cdef void desk_close(Desk* desk) noexcept nogil
# The entry of that name in the large table; a free one (slot 0) if there is none.
cdef Entry* desk_find_old(Desk* desk, uint64_t name) noexcept nogil
cdef void desk_remove_old(Desk* desk, Entry* entry) noexcept nogil
# Copies an entry into the large table; false: no memory.
cdef bint desk_age(Desk* desk, Entry* entry) noexcept nogil


cdef inline Entry* desk_young(Desk* desk, uint64_t name) noexcept nogil:
    return &desk.young[(name * <uint64_t>0x9E3779B97F4A7C15) >> 54]


cdef inline Entry* desk_find(Desk* desk, uint64_t name) noexcept nogil:
    """The entry of that name; one with slot 0 if there is none."""
    cdef Entry* entry = desk_young(desk, name)
    return entry if entry.name == name and entry.slot != 0 else desk_find_old(desk, name)


cdef inline void desk_remove(Desk* desk, Entry* entry) noexcept nogil:
    """Takes out an entry that desk_find() gave."""
    if desk.young <= entry < desk.young + YOUNG:
        entry.slot = entry.order_id = 0
    else:
        desk_remove_old(desk, entry)


cdef inline bint desk_add(Desk* desk, uint64_t name, uint32_t order_id, uint32_t slot) noexcept nogil:
    """Enters an order; an open one of the same name may stay, but is not found before this one is gone."""
    cdef Entry* entry = desk_young(desk, name)
    if entry.slot != 0 and not desk_age(desk, entry):
        return False
    entry.name = name
    entry.order_id = order_id
    entry.slot = slot
    return True
