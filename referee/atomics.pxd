"""The two memory orders that a queue between two threads needs, and the pause of a thread that waits."""
from libc.stdint cimport uint64_t

cdef extern from *:
    """
    #if defined(__x86_64__) || defined(__i386__)
    #define buttonwood_pause() __builtin_ia32_pause()
    #else
    #define buttonwood_pause() __asm__ __volatile__("" ::: "memory")
    #endif
    #define buttonwood_acquire(place) __atomic_load_n(place, __ATOMIC_ACQUIRE)
    #define buttonwood_release(place, value) __atomic_store_n(place, value, __ATOMIC_RELEASE)
    """
    # reads a number another thread publishes: what it wrote before is visible afterwards
    uint64_t acquire "buttonwood_acquire"(uint64_t* place) noexcept nogil
    # publishes a number: what was written before becomes visible with it
    void release "buttonwood_release"(uint64_t* place, uint64_t value) noexcept nogil
    void pause "buttonwood_pause"() noexcept nogil
