"""Memory of the wallets and their hash table."""
from libc.stdint cimport uint32_t, uint64_t

from engine.core.memory cimport block_free, block_grow


cdef bint wallets_init(Wallets* wallets, size_t capacity) noexcept nogil:
    wallets.count = 1
    return _resize(wallets, capacity if capacity > 2 else 2)


cdef void wallets_free(Wallets* wallets) noexcept nogil:
    block_free(wallets.items)
    block_free(wallets.table)


cdef uint32_t wallet_add(Wallets* wallets, uint64_t key) noexcept nogil:
    if wallets.count == wallets.capacity and not _resize(wallets, <size_t>wallets.capacity * 2):
        return 0
    wallets.items[wallets.count].key = key
    _enter(wallets, wallets.count)
    wallets.count += 1
    return wallets.count - 1


cdef void _enter(Wallets* wallets, uint32_t index) noexcept nogil:
    cdef uint32_t mask = (<uint32_t>1 << (64 - wallets.shift)) - 1
    cdef uint64_t hashed = wallets.items[index].key * <uint64_t>0x9E3779B97F4A7C15
    cdef uint32_t place = <uint32_t>(hashed >> wallets.shift)
    while wallets.table[place] != 0:
        place = (place + 1) & mask
    wallets.table[place] = index


cdef bint _resize(Wallets* wallets, size_t capacity) noexcept nogil:
    cdef size_t size = 2
    cdef uint32_t bits = 1
    cdef uint32_t index
    while size < capacity * 2:
        size *= 2
        bits += 1
    cdef void* table = block_grow(NULL, size * sizeof(uint32_t)) if bits < 32 else NULL
    if table == NULL:
        return False
    cdef void* items = block_grow(wallets.items, capacity * sizeof(Wallet))
    if items == NULL:
        block_free(table)
        return False
    block_free(wallets.table)
    wallets.table = <uint32_t*>table
    wallets.items = <Wallet*>items
    wallets.capacity = <uint32_t>capacity
    wallets.shift = 64 - bits
    for index in range(1, wallets.count):
        _enter(wallets, index)
    return True
