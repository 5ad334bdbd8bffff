"""Allocation, growth and release of blocks; counts the bytes in use so that tests can prove nothing leaks."""
from cpython.buffer cimport PyBuffer_FillInfo
from cpython.mem cimport PyMem_RawCalloc, PyMem_RawFree
from libc.string cimport memcpy
from posix.mman cimport MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ, PROT_WRITE, mmap, munmap

cdef extern from "sys/mman.h" nogil:
    void* mremap(void*, size_t, size_t, int, ...)
    int madvise(void*, size_t, int)
    enum: MREMAP_MAYMOVE
    enum: MREMAP_FIXED
    enum: MADV_HUGEPAGE
    void* MAP_FAILED

cdef extern from *:
    """
    static inline void buttonwood_rewrite(char *at) {  /* volatile, or the compiler sees that nothing changes */
        volatile char *byte = at;
        *byte = *byte;
    }
    """
    void rewrite "buttonwood_rewrite"(char* at) noexcept nogil

cdef enum:
    HEADER_BYTES = 64
    MAPPED_BYTES = 65536  # blocks of at least this size are mapped
    PAGE_BYTES = 4096
    MADV_POPULATE_WRITE = 23  # Linux 5.14; headers may be older
    HUGE_BYTES = 2097152
    HUGE_FROM_BYTES = 262144  # blocks of at least this size begin at a multiple of HUGE_BYTES and are given huge pages

cdef size_t _live_bytes = 0


def live_bytes() -> int:
    """Bytes held by all blocks of this process."""
    return _live_bytes


cdef class Block:
    """Writable bytes, 0 at first, on huge pages where there are many: 512 times fewer page faults than of `bytes`."""

    def __cinit__(self, size_t size):
        self.data = <char*>block_grow(NULL, size)
        if self.data == NULL:
            raise MemoryError(f"no memory for {size} bytes")
        self.size = size

    def __dealloc__(self):
        block_free(self.data)

    def __getbuffer__(self, Py_buffer* view, int flags):
        PyBuffer_FillInfo(view, self, self.data, self.size, 0, flags)


cdef void* block_grow(void* block, size_t size_bytes) noexcept nogil:
    global _live_bytes
    cdef size_t old = 0 if block == NULL else (<size_t*>_base(block))[0]
    cdef size_t new = size_bytes + HEADER_BYTES
    if new <= old:
        return block
    if new < size_bytes:
        return NULL
    cdef char* base = _move(NULL if block == NULL else _base(block), old, new)
    if base == NULL:
        return NULL
    (<size_t*>base)[0] = new
    _live_bytes += new - old
    return base + HEADER_BYTES


cdef void block_free(void* block) noexcept nogil:
    global _live_bytes
    if block == NULL:
        return
    cdef size_t size = (<size_t*>_base(block))[0]
    _live_bytes -= size
    _release(_base(block), size)


cdef void block_touch(void* block) noexcept nogil:
    """Kernels before 5.14 do not know how: then each page is written with what it holds."""
    cdef size_t size = 0 if block == NULL else (<size_t*>_base(block))[0]
    cdef char* base = _base(block)
    cdef size_t place = 0
    if size < MAPPED_BYTES or madvise(base, _whole(size), MADV_POPULATE_WRITE) == 0:
        return
    while place < size:
        rewrite(base + place)
        place += PAGE_BYTES


cdef inline char* _base(void* block) noexcept nogil:
    return <char*>block - HEADER_BYTES


cdef char* _move(char* base, size_t old, size_t new) noexcept nogil:
    cdef void* moved = _allocate(new)
    if moved == NULL or base == NULL:
        return <char*>moved
    if old >= MAPPED_BYTES:
        if mremap(base, _whole(old), _whole(new), MREMAP_MAYMOVE | MREMAP_FIXED, moved) == MAP_FAILED:
            _release(<char*>moved, new)
            return NULL
        if new >= HUGE_FROM_BYTES:
            madvise(moved, _whole(new), MADV_HUGEPAGE)
    else:
        memcpy(moved, base, old)
        _release(base, old)
    return <char*>moved


cdef void* _allocate(size_t size) noexcept nogil:
    if size < MAPPED_BYTES:
        return PyMem_RawCalloc(size, 1)
    if size >= HUGE_FROM_BYTES:
        return _map_aligned(_whole(size))
    cdef void* block = mmap(NULL, _whole(size), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    return NULL if block == MAP_FAILED else block


cdef void* _map_aligned(size_t size) noexcept nogil:
    """Address space from a multiple of HUGE_BYTES on; what the kernel gave too much at either end goes back."""
    cdef char* start = <char*>mmap(NULL, size + HUGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    cdef size_t before
    if start == MAP_FAILED:
        return NULL
    before = (HUGE_BYTES - <size_t>start % HUGE_BYTES) % HUGE_BYTES
    if before != 0:
        munmap(start, before)
    munmap(start + before + size, HUGE_BYTES - before)
    madvise(start + before, size, MADV_HUGEPAGE)
    return start + before


cdef inline size_t _whole(size_t size) noexcept nogil:
    cdef size_t unit = HUGE_BYTES if size >= HUGE_FROM_BYTES else PAGE_BYTES
    return (size + unit - 1) // unit * unit


cdef void _release(char* base, size_t size) noexcept nogil:
    if size < MAPPED_BYTES:
        PyMem_RawFree(base)
    else:
        munmap(base, _whole(size))
