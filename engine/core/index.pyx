"""Growth, which adding carries on, and what happens where a bucket is full."""
from engine.core.memory cimport block_free, block_grow

cdef enum:
    LOAD = 3                # entries a bucket holds on average when the table is too small
    FIRST_MAX = 128         # buckets a table begins with at most, as it grows for nothing


cdef bint index_init(Index* index, size_t capacity) noexcept nogil:
    return index_reserve(index, capacity if capacity < FIRST_MAX * LOAD else FIRST_MAX * LOAD)


cdef void index_free(Index* index) noexcept nogil:
    block_free(index.table.buckets)
    block_free(index.old.buckets)


cdef bint index_reserve(Index* index, size_t count) noexcept nogil:
    cdef size_t buckets = 1
    cdef Table table
    while buckets * LOAD < count:
        buckets *= 2
    if index.count != 0 or (index.table.buckets != NULL and buckets <= <size_t>index.table.mask + 1):
        return True
    if not _make(&table, buckets):
        return False
    block_free(index.table.buckets)
    index.table = table
    index.limit = <uint32_t>(buckets * LOAD)
    return True


cdef bint index_expand(Index* index, size_t count) noexcept nogil:
    if index.count == 0 and index.old.buckets == NULL:
        return index_reserve(index, count)
    while index.old.buckets != NULL or (<size_t>index.table.mask + 1) * LOAD < count:
        if not index_grow(index):
            return False
    return True


cdef bint index_grow(Index* index) noexcept nogil:
    """One step of it: a table of twice the size, then bucket after bucket."""
    cdef Table table
    if index.old.buckets == NULL:
        if not _make(&table, (<size_t>index.table.mask + 1) * 2):
            return False
        index.old, index.table = index.table, table
        index.moved = index.limit = 0
    _move(index)
    index.moved += 1
    if index.moved > index.old.mask:
        block_free(index.old.buckets)
        index.old.buckets = NULL
        index.limit = (index.table.mask + 1) * LOAD
    return True


cdef void index_put(Table* table, uint32_t hashed, uint32_t item) noexcept nogil:
    """Into the first bucket from its own on that has a place."""
    cdef uint32_t number = hashed & table.mask
    cdef Bucket* bucket = &table.buckets[number]
    cdef int place
    while is_full(bucket):
        number = (number + 1) & table.mask
        bucket = &table.buckets[number]
    place = low_bit(equal8(bucket.items, 0))
    bucket.hashes[place], bucket.items[place] = hashed, item


cdef void index_pull(Table* table, uint32_t hashed, uint32_t item) noexcept nogil:
    cdef uint32_t number = hashed & table.mask
    while equal8(table.buckets[number].items, item) == 0:
        number = (number + 1) & table.mask
    _vacate(table, number, low_bit(equal8(table.buckets[number].items, item)))


cdef void _vacate(Table* table, uint32_t number, int place) noexcept nogil:
    """A gap in a full bucket is filled by an entry pushed on beyond it, and so is the gap which that leaves."""
    cdef Bucket* gap = &table.buckets[number]
    cdef Bucket* bucket = gap
    cdef uint32_t after = number
    cdef bint full = is_full(gap)
    cdef int pushed
    gap.items[place] = 0
    while full:
        after = (after + 1) & table.mask
        bucket = &table.buckets[after]
        full = is_full(bucket)
        pushed = _pushed(table, bucket, after, (after - number) & table.mask)
        if pushed >= 0:
            gap.hashes[place], gap.items[place] = bucket.hashes[pushed], bucket.items[pushed]
            bucket.items[pushed] = 0
            gap, number, place = bucket, after, pushed


cdef int _pushed(Table* table, Bucket* bucket, uint32_t number, uint32_t distance) noexcept nogil:
    """Where an entry stands whose own bucket lies at least so far before this one; -1 if there is none."""
    cdef int place
    for place in range(BUCKET):
        if bucket.items[place] != 0 and ((number - bucket.hashes[place]) & table.mask) >= distance:
            return place
    return -1


cdef bint _make(Table* table, size_t buckets) noexcept nogil:
    cdef void* block = block_grow(NULL, buckets * sizeof(Bucket)) if buckets <= <size_t>1 << 28 else NULL
    table.buckets = <Bucket*>block
    table.mask = <uint32_t>(buckets - 1)
    return block != NULL


cdef void _move(Index* index) noexcept nogil:
    """Moves the entries of the old table's next bucket, and those of them that it has pushed on."""
    cdef Table* old = &index.old
    cdef uint32_t number = index.moved
    cdef Bucket* bucket
    cdef bint full = True
    cdef int place
    while full:
        bucket = &old.buckets[number]
        full = is_full(bucket)
        place = 0
        while place < BUCKET:
            if bucket.items[place] != 0 and bucket.hashes[place] & old.mask == index.moved:
                index_put(&index.table, bucket.hashes[place], bucket.items[place])
                _vacate(old, number, place)     # which may have put another one there
            else:
                place += 1
        number = (number + 1) & old.mask
