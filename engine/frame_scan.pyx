"""Finds a place in a segment by the headers of its frames alone, at memory speed; checks no checksum."""
from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcpy

cdef enum:
    HEADER_BYTES = 32
    RECORD_BYTES = 128
    COUNT_MAX = 65536

cdef uint32_t MAGIC = 0xB7F3A9D1

MORE, FOUND, END = 0, 1, 2


def hop(bytes data not None, Py_ssize_t at, uint64_t next_seq, uint64_t seq, bint epochs=False):
    """(place, next_seq, outcome) after walking over frames from `at`, where the frame of command next_seq begins.

    FOUND: the frame there holds `seq`, or with `epochs` opens an epoch just before it. END: no such frame is there.
    MORE: the place is not within these bytes.
    """
    cdef const char* bytes_ = data
    cdef Py_ssize_t size = len(data)
    cdef uint32_t magic = 0
    cdef uint32_t count = 0
    cdef uint64_t first_seq = 0
    with nogil:
        while at + HEADER_BYTES <= size:
            memcpy(&magic, bytes_ + at, 4)
            memcpy(&count, bytes_ + at + 4, 4)
            memcpy(&first_seq, bytes_ + at + 8, 8)
            if magic != MAGIC or count > COUNT_MAX or first_seq != next_seq:
                with gil:
                    return at, next_seq, END
            if first_seq + (1 if epochs and count == 0 else count) > seq:
                with gil:
                    return at, next_seq, FOUND
            at += HEADER_BYTES + <Py_ssize_t>count * RECORD_BYTES
            next_seq += count
    return at, next_seq, MORE
