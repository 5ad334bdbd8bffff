"""A ring of reports from one thread that writes to one that reads, published in batches.

The writer fills reports in place and shows them to the reader PUBLISH at a time, so the line that both threads fight
over changes hands once per batch and not once per report. Each side keeps a copy of the other's position and looks
again only when the copy says full or empty. A batch not yet full waits for ring_flush(): whoever stops writing flushes.
Full: ring_next() waits for the reader (the messages' order leaves no other choice); ring_push() says 0 instead.
"""
from libc.stdint cimport uint64_t

from referee.abi cimport Report, Transport
from referee.atomics cimport acquire, pause, release

cdef enum:
    PUBLISH = 64            # a power of two

cdef struct Ring:
    # the writer's cache line
    Report* reports
    uint64_t mask           # capacity - 1
    uint64_t written
    uint64_t freed_seen     # what the writer last saw of `freed`
    uint64_t[4] apart_a
    # written by the writer, read by both
    uint64_t published
    uint64_t[7] apart_b
    # written by the reader, read by both
    uint64_t freed
    uint64_t[7] apart_c
    # the reader's
    uint64_t published_seen
    uint64_t[7] apart_d

cdef const Transport* ring_transport() noexcept nogil
cdef void ring_wait(Ring* ring) noexcept nogil


cdef inline Report* ring_next(Ring* ring) noexcept nogil:
    """The next report to fill; every field that matters must be written. It counts from ring_filled() on."""
    if ring.written - ring.freed_seen > ring.mask:
        ring_wait(ring)
    return &ring.reports[ring.written & ring.mask]


cdef inline void ring_filled(Ring* ring) noexcept nogil:
    ring.written += 1
    if ring.written % PUBLISH == 0:
        release(&ring.published, ring.written)


cdef inline void ring_flush(Ring* ring) noexcept nogil:
    release(&ring.published, ring.written)
