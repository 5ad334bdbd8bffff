"""Memory of the client index, and removal."""
from libc.stdint cimport uint32_t

from engine.core.memory cimport block_free, block_grow


cdef bint clients_init(Clients* clients, size_t capacity) noexcept nogil:
    cdef size_t size = 2
    while size < capacity * 2:
        size *= 2
    return _resize(clients, size)


cdef void clients_free(Clients* clients) noexcept nogil:
    block_free(clients.entries)


cdef bint clients_grow(Clients* clients) noexcept nogil:
    return _resize(clients, (<size_t>clients.mask + 1) * 2)


cdef bint clients_reserve(Clients* clients, uint32_t count) noexcept nogil:
    cdef size_t size = <size_t>clients.mask + 1
    while size < (<size_t>clients.count + count) * 2:
        size *= 2
    return size == <size_t>clients.mask + 1 or _resize(clients, size)


cdef bint _resize(Clients* clients, size_t size) noexcept nogil:
    cdef Entry* old = clients.entries
    cdef size_t old_size = <size_t>clients.mask + 1
    cdef size_t place
    if size > <size_t>1 << 31:
        return False
    cdef void* entries = block_grow(NULL, size * sizeof(Entry))
    if entries == NULL:
        return False
    clients.entries = <Entry*>entries
    clients.mask = <uint32_t>(size - 1)
    if old != NULL:
        clients.count = 0
        for place in range(old_size):
            if old[place].slot != 0:
                client_add(clients, old[place].hash, old[place].slot)
        block_free(old)
    return True


cdef void clients_remove(Clients* clients, uint32_t hashed, uint32_t slot) noexcept nogil:
    """The order must be in. Each follower moves into the gap unless it already stands at or after its own place."""
    cdef uint32_t mask = clients.mask
    cdef uint32_t gap = hashed & mask
    while clients.entries[gap].slot != slot:
        gap = (gap + 1) & mask
    cdef uint32_t place = (gap + 1) & mask
    while clients.entries[place].slot != 0:
        if ((place - clients.entries[place].hash) & mask) >= ((place - gap) & mask):
            clients.entries[gap] = clients.entries[place]
            gap = place
        place = (place + 1) & mask
    clients.entries[gap].slot = 0
    clients.count -= 1
