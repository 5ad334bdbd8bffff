"""Money: one wallet per (account, asset) with an available and a held amount in minor units.

Wallets live in an array and are never removed, so an index stays true for ever and orders cache it. An account's
wallets come in pairs, the second of a pair being kept for the same account, and four wallets fill a cache line: what a
trade moves between an account's base and quote is one line. Keys stand apart, and an Index by their hashes finds a
wallet. Wallet 0 is a sink with nothing in it, and a wallet that is kept has key 0. Only account 0, the outside world,
goes below zero; what all others own of an asset is its supply and is kept within int64, so no sum can wrap.
"""
from libc.stdint cimport int64_t, uint32_t, uint64_t

from engine.core.bits cimport equal8, low_bit
from engine.core.index cimport Bucket, Index, Table, index_table, is_full

cdef struct Wallet:         # 16 bytes: a pair never straddles a cache line
    int64_t available
    int64_t held            # by open orders

cdef struct Wallets:
    Wallet* items
    uint64_t* keys          # account << 32 | asset
    Index index
    uint32_t fresh          # lowest index never given or kept; even
    uint32_t count          # of wallets with a key, and the sink
    uint32_t capacity
    uint32_t reserved

cdef bint wallets_init(Wallets* wallets, size_t capacity) noexcept nogil
cdef void wallets_free(Wallets* wallets) noexcept nogil
cdef bint wallets_reserve(Wallets* wallets, uint32_t count) noexcept nogil
# A new wallet for a key that has none; 0 when memory ran out. spare is its account's place for the wallet kept for it.
cdef uint32_t wallet_add(Wallets* wallets, uint64_t key, uint32_t* spare) noexcept nogil


cdef inline uint64_t wallet_key(uint32_t account, uint32_t asset) noexcept nogil:
    return <uint64_t>account << 32 | asset


cdef inline uint32_t wallet_hash(uint64_t key) noexcept nogil:
    return <uint32_t>((key * <uint64_t>0x9E3779B97F4A7C15) >> 32)


cdef inline uint32_t wallet_find(Wallets* wallets, uint64_t key) noexcept nogil:
    """Index of a wallet, 0 if there is none. Expected O(1)."""
    cdef uint32_t hashed = wallet_hash(key)
    cdef Table* table = index_table(&wallets.index, hashed)
    cdef uint32_t number = hashed & table.mask
    cdef Bucket* bucket = &table.buckets[number]
    cdef uint32_t index = _find_in(bucket, wallets.keys, key, hashed)
    while index == 0 and is_full(bucket):
        number = (number + 1) & table.mask
        bucket = &table.buckets[number]
        index = _find_in(bucket, wallets.keys, key, hashed)
    return index


cdef inline uint32_t _find_in(Bucket* bucket, uint64_t* keys, uint64_t key, uint32_t hashed) noexcept nogil:
    cdef uint32_t found = equal8(bucket.hashes, hashed)
    while found != 0:
        if keys[bucket.items[low_bit(found)]] == key:
            return bucket.items[low_bit(found)]
        found &= found - 1
    return 0
