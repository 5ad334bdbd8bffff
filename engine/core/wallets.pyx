"""Memory of the wallets."""
from libc.stdint cimport uint32_t, uint64_t

from engine.core.index cimport index_add, index_expand, index_free, index_init
from engine.core.memory cimport block_free, block_grow


cdef bint wallets_init(Wallets* wallets, size_t capacity) noexcept nogil:
    wallets.fresh = 2       # the sink, and the one beside it
    wallets.count = 1
    capacity = capacity if capacity > 2 else 2
    return index_init(&wallets.index, capacity) and _resize(wallets, capacity + capacity % 2)


cdef void wallets_free(Wallets* wallets) noexcept nogil:
    block_free(wallets.items)
    block_free(wallets.keys)
    index_free(&wallets.index)


cdef uint32_t wallet_add(Wallets* wallets, uint64_t key, uint32_t* spare) noexcept nogil:
    cdef uint32_t index = spare[0]
    if index == 0 and wallets.fresh == wallets.capacity and not _resize(wallets, <size_t>wallets.capacity * 2):
        return 0
    if not index_add(&wallets.index, wallet_hash(key), index if index != 0 else wallets.fresh):
        return 0
    if index == 0:
        index = wallets.fresh
        wallets.fresh += 2
        spare[0] = index + 1
    else:
        spare[0] = 0
    wallets.keys[index] = key
    wallets.count += 1
    return index


cdef bint wallets_reserve(Wallets* wallets, uint32_t count) noexcept nogil:
    if count > wallets.capacity and not _resize(wallets, <size_t>count + count % 2):
        return False
    return index_expand(&wallets.index, count)


cdef bint _resize(Wallets* wallets, size_t capacity) noexcept nogil:
    if capacity > <size_t>1 << 31:
        return False
    cdef void* items = block_grow(wallets.items, capacity * sizeof(Wallet))
    if items == NULL:
        return False
    wallets.items = <Wallet*>items
    cdef void* keys = block_grow(wallets.keys, capacity * sizeof(uint64_t))
    if keys == NULL:
        return False
    wallets.keys = <uint64_t*>keys
    wallets.capacity = <uint32_t>capacity
    return True
