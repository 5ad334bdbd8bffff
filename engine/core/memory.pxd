"""Blocks of zeroed memory that grow. A block may move when it grows: users keep indices, never pointers.

Small blocks come from Python's raw allocator, so that PYTHONMALLOC=debug and ASan guard their exact ends (tests use
capacities of 4). Large ones are mapped: aligned to the cache line, zeroed by the kernel, grown by remapping without a
copy. A header of one cache line before the block holds its size.
"""
# Returns the block with its old content kept and the rest zero, or NULL (the old block is then untouched).
cdef void* block_grow(void* block, size_t size_bytes) noexcept nogil
cdef void block_free(void* block) noexcept nogil
# Has the kernel find memory for all of it now, its content kept: the first touch of a page is what takes time.
cdef void block_touch(void* block) noexcept nogil


cdef class Block:
    cdef char* data
    cdef Py_ssize_t size
