"""A hash table from hashes of 32 bits to numbers that grows a little with every entry, never all at once.

Entries stand in buckets of eight, one cache line, that are half full at most on average. A bucket is asked all at once,
so how full it is costs no branch; only if it is full does the next one continue it (2 % at most). Whoever searches
confirms a hit. Taking an entry out of a full bucket pulls one back that it had pushed on, so nothing dead piles up.

A table that has become too small stays in use beside one of twice its size: each entry added moves one bucket across,
in order, so a hash lives in the old table if and only if its bucket there has not been reached. A pause of growing is a
few cache lines and the first touch of new memory, which comes in order as well.
"""
from libc.stdint cimport uint32_t, uint64_t

from engine.core.bits cimport equal8, low_bit

cdef enum:
    BUCKET = 8

cdef struct Bucket:         # 64 bytes
    uint32_t[8] hashes
    uint32_t[8] items       # 0: free

cdef struct Table:
    Bucket* buckets
    uint32_t mask           # buckets - 1

cdef struct Index:
    Table table
    Table old               # being emptied; buckets is NULL when none is
    uint32_t moved          # buckets of the old table whose hashes live in the new one
    uint32_t count
    uint32_t limit          # entries from which on the table is too small, 0 while another one is being emptied

cdef bint index_init(Index* index, size_t capacity) noexcept nogil
cdef void index_free(Index* index) noexcept nogil
# Room for so many entries, those that are in kept. O(entries).
cdef bint index_expand(Index* index, size_t count) noexcept nogil
# Room for so many entries at once, if there are none yet.
cdef bint index_reserve(Index* index, size_t count) noexcept nogil
# The rare halves of what stands below.
cdef bint index_grow(Index* index) noexcept nogil
cdef void index_put(Table* table, uint32_t hashed, uint32_t item) noexcept nogil
cdef void index_pull(Table* table, uint32_t hashed, uint32_t item) noexcept nogil


cdef inline Table* index_table(Index* index, uint32_t hashed) noexcept nogil:
    """Where a hash lives."""
    if index.old.buckets != NULL and (hashed & index.old.mask) >= index.moved:
        return &index.old
    return &index.table


cdef inline bint is_full(Bucket* bucket) noexcept nogil:
    return equal8(bucket.items, 0) == 0


cdef inline bint goes_on(Bucket* bucket) noexcept nogil:
    """As is_full: entries take the first free place, so the last place alone nearly always says no."""
    return bucket.items[BUCKET - 1] != 0 and is_full(bucket)


cdef inline bint index_add(Index* index, uint32_t hashed, uint32_t item) noexcept nogil:
    """Enters what is not in yet; false when memory ran out."""
    if index.count >= index.limit and not index_grow(index):
        return False
    cdef Table* table = index_table(index, hashed)
    cdef Bucket* bucket = &table.buckets[hashed & table.mask]
    if goes_on(bucket):
        index_put(table, hashed, item)
        index.count += 1
    else:
        index_enter(index, bucket, hashed, item)
    return True


cdef inline void index_enter(Index* index, Bucket* bucket, uint32_t hashed, uint32_t item) noexcept nogil:
    """Into its own bucket, which is not full."""
    cdef uint64_t place = <uint64_t>low_bit(equal8(bucket.items, 0))
    bucket.hashes[place] = hashed
    bucket.items[place] = item
    index.count += 1


cdef inline void index_remove(Index* index, uint32_t hashed, uint32_t item) noexcept nogil:
    """Takes out what must be in."""
    cdef Table* table = index_table(index, hashed)
    cdef Bucket* bucket = &table.buckets[hashed & table.mask]
    if goes_on(bucket):
        index_pull(table, hashed, item)
    else:
        bucket.items[<uint64_t>low_bit(equal8(bucket.items, item))] = 0
    index.count -= 1
