"""Memory of the pool: start, growth by doubling, end."""
from libc.stdint cimport uint32_t

from engine.core.memory cimport block_free, block_grow


cdef bint pool_init(Pool* pool, size_t capacity, uint32_t open_max) noexcept nogil:
    pool.fresh = 1
    pool.open_max = open_max
    return _resize(pool, capacity if capacity > 2 else 2)


cdef void pool_free(Pool* pool) noexcept nogil:
    block_free(pool.nodes)
    block_free(pool.links)


cdef bint pool_grow(Pool* pool) noexcept nogil:
    return _resize(pool, <size_t>pool.capacity * 2)


cdef bint pool_reserve(Pool* pool, uint32_t fresh) noexcept nogil:
    return fresh <= pool.capacity or _resize(pool, fresh)


cdef bint _resize(Pool* pool, size_t capacity) noexcept nogil:
    cdef void* nodes = block_grow(pool.nodes, capacity * sizeof(Node))
    if nodes == NULL:
        return False
    pool.nodes = <Node*>nodes
    cdef void* links = block_grow(pool.links, capacity * sizeof(Links))
    if links == NULL:
        return False
    pool.links = <Links*>links
    pool.capacity = <uint32_t>capacity
    return True
