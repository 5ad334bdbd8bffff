"""The ring's memory, its reader, and its face as the judge's queue."""
from libc.stdint cimport uint32_t
from libc.string cimport memcpy, memset

from engine.core.memory cimport block_free, block_grow

cdef Transport transport


cdef const Transport* ring_transport() noexcept nogil:
    transport.create = ring_create
    transport.push = ring_push
    transport.drain = ring_drain
    transport.flush = ring_flush_queue
    transport.destroy = ring_destroy
    return &transport


cdef void* ring_create(uint32_t capacity) noexcept nogil:
    """Room for at least that many reports and one batch, touched, so that no page is missing later. NULL: no memory."""
    cdef uint64_t size = PUBLISH * 2
    cdef Ring* ring = <Ring*>block_grow(NULL, sizeof(Ring))
    while size < <uint64_t>capacity:
        size *= 2
    if ring == NULL:
        return NULL
    ring.reports = <Report*>block_grow(NULL, size * sizeof(Report))
    if ring.reports == NULL:
        block_free(ring)
        return NULL
    memset(ring.reports, 0, size * sizeof(Report))
    ring.mask = size - 1
    return ring


cdef void ring_destroy(void* queue) noexcept nogil:
    block_free((<Ring*>queue).reports)
    block_free(queue)


cdef int ring_push(void* queue, const Report* report) noexcept nogil:
    cdef Ring* ring = <Ring*>queue
    if ring.written - ring.freed_seen > ring.mask:
        ring_flush(ring)
        ring.freed_seen = acquire(&ring.freed)
        if ring.written - ring.freed_seen > ring.mask:
            return 0
    ring.reports[ring.written & ring.mask] = report[0]
    ring_filled(ring)
    return 1


cdef void ring_wait(Ring* ring) noexcept nogil:
    """Until there is room for one report."""
    ring_flush(ring)
    ring.freed_seen = acquire(&ring.freed)
    while ring.written - ring.freed_seen > ring.mask:
        pause()
        ring.freed_seen = acquire(&ring.freed)


cdef uint32_t ring_drain(void* queue, Report* out, uint32_t limit) noexcept nogil:
    """Copies what is published, at most limit; less when the ring's end comes first."""
    cdef Ring* ring = <Ring*>queue
    cdef uint64_t start = ring.freed & ring.mask
    cdef uint64_t count
    if ring.published_seen == ring.freed:
        ring.published_seen = acquire(&ring.published)
    count = ring.published_seen - ring.freed
    count = count if count < limit else limit
    count = count if count <= ring.mask + 1 - start else ring.mask + 1 - start
    memcpy(out, &ring.reports[start], count * sizeof(Report))
    release(&ring.freed, ring.freed + count)
    return <uint32_t>count


cdef void ring_flush_queue(void* queue) noexcept nogil:
    ring_flush(<Ring*>queue)
