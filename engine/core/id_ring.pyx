"""Until it is full it grows by doubling; then the place of the oldest is the place of the next."""
from libc.string cimport memcmp, memset

from engine.core.bits cimport equal8, low_bit
from engine.core.clients cimport client_hash
from engine.core.index cimport Bucket, Table, index_add, index_free, index_init, index_remove, index_table, is_full
from engine.core.memory cimport block_free, block_grow
from engine.core.types cimport TEXT_BYTES

cdef enum:
    FEWEST = 8


cdef void ring_free(IdRing* ring) noexcept nogil:
    index_free(&ring.index)
    block_free(ring.items)
    memset(ring, 0, sizeof(IdRing))


cdef PlacedId* ring_item(IdRing* ring, uint32_t number) noexcept nogil:
    return &ring.items[(<uint64_t>ring.first + number) % ring.max]


cdef PlacedId* ring_find(IdRing* ring, uint32_t account, const char* text) noexcept nogil:
    cdef uint32_t hashed = client_hash(account, text)
    cdef PlacedId* found = NULL
    cdef Table* table
    cdef uint32_t number
    if ring.count == 0:
        return NULL
    table = index_table(&ring.index, hashed)
    number = hashed & table.mask
    while True:
        found = _find_in(ring, &table.buckets[number], hashed, account, text)
        if found != NULL or not is_full(&table.buckets[number]):
            return found
        number = (number + 1) & table.mask


cdef PlacedId* _find_in(
    IdRing* ring, Bucket* bucket, uint32_t hashed, uint32_t account, const char* text
) noexcept nogil:
    cdef uint32_t hits = equal8(bucket.hashes, hashed)
    cdef uint32_t place
    while hits != 0:
        place = bucket.items[low_bit(hits)]
        if (place != 0 and ring.items[place - 1].account == account
                and memcmp(ring.items[place - 1].text, text, TEXT_BYTES) == 0):
            return &ring.items[place - 1]
        hits &= hits - 1
    return NULL


cdef bint ring_add(IdRing* ring, PlacedId* placed) noexcept nogil:
    cdef uint32_t place = ring.count
    if ring.items == NULL and not index_init(&ring.index, FEWEST):
        return False
    if ring.count == ring.max:
        place = ring.first
        ring.first = (ring.first + 1) % ring.max
        ring.count -= 1
        index_remove(&ring.index, ring.items[place].hash, place + 1)
        ring.digest -= ring_digest(&ring.items[place])
    elif ring.count == ring.capacity and not _grow(ring):
        return False
    ring.items[place] = placed[0]
    ring.items[place].hash = client_hash(placed.account, placed.text)
    ring.items[place].reserved = 0
    ring.digest += ring_digest(placed)
    ring.count += 1
    return index_add(&ring.index, ring.items[place].hash, place + 1)


cdef bint _grow(IdRing* ring) noexcept nogil:
    """Only before it is full for the first time: the oldest stands at the beginning."""
    cdef uint64_t capacity = <uint64_t>ring.capacity * 2 if ring.capacity != 0 else FEWEST
    capacity = capacity if capacity < ring.max else ring.max
    cdef void* items = block_grow(ring.items, capacity * sizeof(PlacedId))
    if items == NULL:
        return False
    ring.items = <PlacedId*>items
    ring.capacity = <uint32_t>capacity
    return True


cdef bint ring_resize(IdRing* ring, uint32_t most) noexcept nogil:
    cdef IdRing other
    cdef uint32_t number = ring.count - most if ring.count > most else 0
    memset(&other, 0, sizeof(other))
    other.max = most
    while most != 0 and number < ring.count:
        if not ring_add(&other, ring_item(ring, number)):
            ring_free(&other)
            return False
        number += 1
    ring_free(ring)
    ring[0] = other
    return True


cdef uint64_t ring_digest(PlacedId* placed) noexcept nogil:
    """Order ids only rise, so the sum over what is kept says its order, too."""
    cdef uint64_t digest = _mix(_mix(placed.order_id, placed.terms), placed.account)
    cdef int place
    for place in range(TEXT_BYTES):
        digest = _mix(digest, <unsigned char>placed.text[place])
    return digest


cdef inline uint64_t _mix(uint64_t digest, uint64_t word) noexcept nogil:
    digest = (digest ^ word) * <uint64_t>0x9E3779B97F4A7C15
    return digest ^ (digest >> 29)
