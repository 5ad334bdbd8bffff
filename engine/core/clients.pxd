"""Finds an open order by its owner and client order id: an Index of slots by the hash of both.

A hit is confirmed by comparing account and all 36 bytes of text. The hash is fixed, not keyed (the core has no random):
whoever may choose many texts could make long probes, so the gateway's limit of open orders per account is also the
limit of that.
"""
from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcmp, memcpy

from engine.core.bits cimport equal8, fold, low_bit
from engine.core.index cimport Bucket, Index, Table, goes_on, index_table
from engine.core.pool cimport Pool
from engine.core.types cimport TEXT_BYTES


cdef inline uint32_t client_hash(uint32_t account, const char* text) noexcept nogil:
    cdef uint64_t a, b, c, d
    cdef uint32_t tail
    memcpy(&a, text, 8)     # one by one: each a load of its own, not a copy of the text
    memcpy(&b, text + 8, 8)
    memcpy(&c, text + 16, 8)
    memcpy(&d, text + 24, 8)
    memcpy(&tail, text + 32, 4)
    cdef uint64_t first = fold(a ^ <uint64_t>0x9E3779B97F4A7C15, b ^ (<uint64_t>account << 32 | tail))
    cdef uint64_t second = fold(c ^ <uint64_t>0xBF58476D1CE4E5B9, d ^ <uint64_t>0x94D049BB133111EB)
    return <uint32_t>(first ^ second ^ first >> 32)


cdef inline uint32_t client_find(
    Index* clients, Pool* pool, uint32_t account, const char* text, uint32_t hashed
) noexcept nogil:
    """Slot of the open order, 0 if there is none. Expected O(1)."""
    cdef Bucket* bucket
    return client_seek(clients, pool, account, text, hashed, &bucket)


cdef inline uint32_t client_seek(
    Index* clients, Pool* pool, uint32_t account, const char* text, uint32_t hashed, Bucket** free
) noexcept nogil:
    """client_find, which also says in which bucket the name can be entered now; NULL where that is not its own."""
    cdef Table* table = index_table(clients, hashed)
    cdef uint32_t number = hashed & table.mask
    cdef Bucket* bucket = &table.buckets[number]
    cdef uint32_t slot = _find_in(bucket, pool, account, text, hashed)
    free[0] = bucket
    if slot != 0 or not goes_on(bucket):
        return slot
    free[0] = NULL
    while slot == 0 and goes_on(bucket):
        number = (number + 1) & table.mask
        bucket = &table.buckets[number]
        slot = _find_in(bucket, pool, account, text, hashed)
    return slot


cdef inline uint32_t _find_in(
    Bucket* bucket, Pool* pool, uint32_t account, const char* text, uint32_t hashed
) noexcept nogil:
    cdef uint32_t found = equal8(bucket.hashes, hashed)
    cdef uint32_t slot
    while found != 0:
        slot = bucket.items[low_bit(found)]
        if slot != 0 and pool.nodes[slot].account == account and memcmp(pool.nodes[slot].text, text, TEXT_BYTES) == 0:
            return slot
        found &= found - 1
    return 0
