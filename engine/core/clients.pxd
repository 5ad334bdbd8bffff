"""Finds an open order by its owner and client order id.

Open addressing with linear probing, at most half full; an entry is (hash, slot), and a hit is confirmed by comparing
account and all 36 bytes of text. Entries are taken out by shifting their followers back, so no tombstones pile up.
The hash is fixed, not keyed (the core has no random): whoever may choose many texts could make long probes, so the
gateway's limit of open orders per account is also the limit of that.
"""
from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcmp, memcpy

from engine.core.bits cimport fold
from engine.core.pool cimport Pool
from engine.core.types cimport TEXT_BYTES

cdef struct Entry:
    uint32_t hash
    uint32_t slot           # 0: free

cdef struct Clients:
    Entry* entries
    uint32_t count
    uint32_t mask           # size of the table - 1

cdef bint clients_init(Clients* clients, size_t capacity) noexcept nogil
cdef void clients_free(Clients* clients) noexcept nogil
cdef bint clients_grow(Clients* clients) noexcept nogil
# Room for so many orders without growing on the way.
cdef bint clients_reserve(Clients* clients, uint32_t count) noexcept nogil
cdef void clients_remove(Clients* clients, uint32_t hashed, uint32_t slot) noexcept nogil


cdef inline uint32_t client_hash(uint32_t account, const char* text) noexcept nogil:
    cdef uint64_t[4] words
    cdef uint32_t tail = 0
    memcpy(words, text, 32)
    memcpy(&tail, text + 32, 4)
    cdef uint64_t first = fold(words[0] ^ <uint64_t>0x9E3779B97F4A7C15, words[1] ^ (<uint64_t>account << 32 | tail))
    cdef uint64_t second = fold(words[2] ^ <uint64_t>0xBF58476D1CE4E5B9, words[3] ^ <uint64_t>0x94D049BB133111EB)
    return <uint32_t>fold(first ^ <uint64_t>0xD6E8FEB86659FD93, second ^ <uint64_t>0xA0761D6478BD642F)


cdef inline uint32_t client_find(
    Clients* clients, Pool* pool, uint32_t account, const char* text, uint32_t hashed
) noexcept nogil:
    """Slot of the open order, 0 if there is none. Expected O(1)."""
    cdef uint32_t place = hashed & clients.mask
    cdef uint32_t slot = clients.entries[place].slot
    while slot != 0:
        if (clients.entries[place].hash == hashed and pool.nodes[slot].account == account
                and memcmp(pool.details[slot].text, text, TEXT_BYTES) == 0):
            return slot
        place = (place + 1) & clients.mask
        slot = clients.entries[place].slot
    return 0


cdef inline bint client_add(Clients* clients, uint32_t hashed, uint32_t slot) noexcept nogil:
    """Enters an order that is not in yet; false when memory ran out."""
    if clients.count * 2 > clients.mask and not clients_grow(clients):
        return False
    cdef uint32_t place = hashed & clients.mask
    while clients.entries[place].slot != 0:
        place = (place + 1) & clients.mask
    clients.entries[place].hash = hashed
    clients.entries[place].slot = slot
    clients.count += 1
    return True
