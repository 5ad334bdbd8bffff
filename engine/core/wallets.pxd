"""Money: one wallet per (account, asset) with an available and a held amount in minor units.

Wallets live in an array and are never removed, so an index stays true for ever and orders cache it. A hash table of
indices (open addressing, linear probing, at most half full) finds the index: one probe touches the table, the next the
wallet itself, whose line is needed anyway. Wallet 0 is a sink with nothing in it. Only account 0, the outside world,
goes below zero; what all others own of an asset is its supply and is kept within int64, so no sum can wrap.
"""
from libc.stdint cimport int64_t, uint32_t, uint64_t

cdef struct Wallet:         # 32 bytes: two per cache line
    uint64_t key            # account << 32 | asset
    int64_t available
    int64_t held            # by open orders
    uint64_t reserved

cdef struct Wallets:
    Wallet* items
    uint32_t* table
    uint32_t count          # wallet 0 included
    uint32_t capacity
    uint32_t shift          # 64 - log2(size of the table)
    uint32_t reserved

cdef bint wallets_init(Wallets* wallets, size_t capacity) noexcept nogil
cdef void wallets_free(Wallets* wallets) noexcept nogil
# A new wallet for a key that has none; 0 when memory ran out.
cdef uint32_t wallet_add(Wallets* wallets, uint64_t key) noexcept nogil


cdef inline uint64_t wallet_key(uint32_t account, uint32_t asset) noexcept nogil:
    return <uint64_t>account << 32 | asset


cdef inline uint32_t wallet_find(Wallets* wallets, uint64_t key) noexcept nogil:
    """Index of a wallet, 0 if there is none. Expected O(1)."""
    cdef uint32_t mask = (<uint32_t>1 << (64 - wallets.shift)) - 1
    cdef uint32_t place = <uint32_t>((key * <uint64_t>0x9E3779B97F4A7C15) >> wallets.shift)
    cdef uint32_t index = wallets.table[place]
    while index != 0 and wallets.items[index].key != key:
        place = (place + 1) & mask
        index = wallets.table[place]
    return index


cdef inline uint32_t wallet_open(Wallets* wallets, uint32_t account, uint32_t asset) noexcept nogil:
    """Index of a wallet, made if missing; 0 when memory ran out."""
    cdef uint32_t index = wallet_find(wallets, wallet_key(account, asset))
    return index if index != 0 else wallet_add(wallets, wallet_key(account, asset))
