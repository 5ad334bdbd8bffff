"""Reads frames that follow each other soundly at memory speed, for who wants their commands and not the frames.

As strict as engine.frames: each header, checksum and link of the chain is checked. What is not the next sound frame is
left to it, which says why. The checksum is CRC-32C (Castagnoli), by the processor's instruction where there is one.
"""
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcpy

cdef extern from *:
    """
    #include <stddef.h>
    #include <stdint.h>
    #include <string.h>

    static uint32_t crc_table[256];

    static void crc_prepare(void) {
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t crc = i;
            for (int bit = 0; bit < 8; bit++)
                crc = crc & 1 ? crc >> 1 ^ 0x82F63B78u : crc >> 1;
            crc_table[i] = crc;
        }
    }

    static uint32_t crc_plain(uint32_t crc, const unsigned char *data, size_t size) {
        while (size--)
            crc = crc >> 8 ^ crc_table[(crc ^ *data++) & 255];
        return crc;
    }

    #if defined(__x86_64__) && defined(__GNUC__)
    __attribute__((target("sse4.2")))
    static uint32_t crc_fast(uint32_t crc, const unsigned char *data, size_t size) {
        uint64_t wide = crc, word;
        for (; size >= 8; size -= 8, data += 8) {
            memcpy(&word, data, 8);
            wide = __builtin_ia32_crc32di(wide, word);
        }
        crc = (uint32_t)wide;
        while (size--)
            crc = __builtin_ia32_crc32qi(crc, *data++);
        return crc;
    }
    #define CRC_FAST __builtin_cpu_supports("sse4.2")
    #else
    #define CRC_FAST 0
    #define crc_fast crc_plain
    #endif
    """
    void crc_prepare() noexcept nogil
    uint32_t crc_plain(uint32_t crc, const unsigned char* data, size_t size) noexcept nogil
    uint32_t crc_fast(uint32_t crc, const unsigned char* data, size_t size) noexcept nogil
    int CRC_FAST

cdef enum:
    FIELDS_BYTES = 28
    HEADER_BYTES = 32
    RECORD_BYTES = 128
    COUNT_MAX = 65536

cdef uint32_t MAGIC = 0xB7F3A9D1

cdef struct Header:
    uint32_t magic
    uint32_t count
    uint64_t first_seq
    uint64_t epoch
    uint32_t prev_crc
    uint32_t crc

crc_prepare()
cdef bint _FAST = CRC_FAST


def crc32c(data not None, bint plain=False):
    """Of any contiguous buffer, without the GIL; `plain`: without the processor's instruction."""
    cdef const unsigned char[::1] view = data
    cdef size_t size = view.shape[0]
    cdef uint32_t crc = ~<uint32_t>0
    if size == 0:
        return 0
    with nogil:
        crc = _extend(crc, &view[0], size, plain)
    return ~crc


cdef inline uint32_t _extend(uint32_t crc, const unsigned char* data, size_t size, bint plain) noexcept nogil:
    return crc_plain(crc, data, size) if plain or not _FAST else crc_fast(crc, data, size)


def read_run(const unsigned char[::1] data not None, Py_ssize_t begin, uint64_t next_seq, uint64_t epoch, uint32_t crc,
             uint32_t commands_max):
    """(end, place of the last frame with commands or -1, next_seq, epoch, crc, commands) of the sound frames from
    `begin` on that continue this chain: as many as hold commands_max together, at least one if one is there.
    """
    cdef Py_ssize_t size = data.shape[0]
    cdef const char* bytes_ = <const char*>&data[0] if size else NULL
    cdef Py_ssize_t at = begin
    cdef Py_ssize_t tail = -1
    cdef uint64_t total = 0
    cdef Header header
    cdef bytes commands
    cdef char* into
    while _follows(bytes_, size, at, next_seq, epoch, crc, &header):
        if total != 0 and total + header.count > commands_max:
            break
        if header.count != 0:
            tail = at
        total += header.count
        at += HEADER_BYTES + <Py_ssize_t>header.count * RECORD_BYTES
        next_seq, epoch, crc = next_seq + header.count, header.epoch, header.crc
    commands = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>total * RECORD_BYTES)
    into = PyBytes_AS_STRING(commands)
    size, at = at, begin
    while at < size:
        memcpy(&header, bytes_ + at, HEADER_BYTES)
        memcpy(into, bytes_ + at + HEADER_BYTES, header.count * RECORD_BYTES)
        into += header.count * RECORD_BYTES
        at += HEADER_BYTES + <Py_ssize_t>header.count * RECORD_BYTES
    return at, tail, next_seq, epoch, crc, commands


cdef bint _follows(const char* data, Py_ssize_t size, Py_ssize_t at, uint64_t next_seq, uint64_t epoch, uint32_t crc,
                   Header* header) noexcept nogil:
    """Whether the next sound frame of this chain stands there, whole."""
    cdef uint32_t found
    if at + HEADER_BYTES > size:
        return False
    memcpy(header, data + at, HEADER_BYTES)
    if (header.magic != MAGIC or header.count > COUNT_MAX or header.first_seq != next_seq or header.epoch < epoch
            or header.prev_crc != crc or at + HEADER_BYTES + <Py_ssize_t>header.count * RECORD_BYTES > size):
        return False
    found = _extend(~<uint32_t>0, <const unsigned char*>data + at, FIELDS_BYTES, False)
    found = _extend(found, <const unsigned char*>data + at + HEADER_BYTES,
                    <size_t>header.count * RECORD_BYTES, False)
    return ~found == header.crc
