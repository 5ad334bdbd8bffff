"""Single instructions of the compiler that the core leans on. Nothing here touches memory of ours."""
from libc.stdint cimport int64_t, uint32_t, uint64_t

cdef extern from *:
    """
    /* The empty statement keeps the compiler from dropping a function that does nothing but ask for lines. */
    #define buttonwood_prefetch(address) ({ __builtin_prefetch(address); __asm__ volatile(""); })

    static inline unsigned long long buttonwood_fold(unsigned long long a, unsigned long long b) {
        unsigned __int128 product = (unsigned __int128)a * b;
        return (unsigned long long)product ^ (unsigned long long)(product >> 64);
    }

    #if defined(__SSE2__)
    #include <emmintrin.h>
    static inline unsigned buttonwood_equal8(const unsigned *numbers, unsigned number) {
        __m128i wanted = _mm_set1_epi32((int)number);
        __m128i low = _mm_cmpeq_epi32(_mm_loadu_si128((const __m128i *)numbers), wanted);
        __m128i high = _mm_cmpeq_epi32(_mm_loadu_si128((const __m128i *)(numbers + 4)), wanted);
        int mask = _mm_movemask_ps(_mm_castsi128_ps(low)) | _mm_movemask_ps(_mm_castsi128_ps(high)) << 4;
        return (unsigned)mask;
    }
    #else
    static inline unsigned buttonwood_equal8(const unsigned *numbers, unsigned number) {
        unsigned mask = 0;
        for (int place = 0; place < 8; place++)
            mask |= (unsigned)(numbers[place] == number) << place;
        return mask;
    }
    #endif
    """
    # position of the highest set bit is 63 - clz; undefined for 0
    int clz "__builtin_clzll"(unsigned long long) noexcept nogil
    # true when the exact result does not fit: the one way the core multiplies and adds untrusted numbers
    bint mul_overflows "__builtin_mul_overflow"(int64_t, int64_t, int64_t*) noexcept nogil
    bint add_overflows "__builtin_add_overflow"(int64_t, int64_t, int64_t*) noexcept nogil
    # both halves of the product: mixes every bit of one number with every bit of the other
    uint64_t fold "buttonwood_fold"(uint64_t, uint64_t) noexcept nogil
    # which of eight numbers equal one: bit i for the one at place i
    uint32_t equal8 "buttonwood_equal8"(const uint32_t*, uint32_t) noexcept nogil
    # position of the lowest set bit; undefined for 0
    uint32_t low_bit "__builtin_ctz"(uint32_t) noexcept nogil
    # a hint to the cache; any address is allowed
    void prefetch "buttonwood_prefetch"(const void*) noexcept nogil


cdef inline int64_t pick(int side, int64_t for_buy, int64_t for_sell) noexcept nogil:
    """for_sell where side is 1, without a branch: sides come in no order, and a wrong guess costs 20 cycles."""
    return for_buy ^ ((for_buy ^ for_sell) & -<int64_t>side)


cdef inline uint32_t instead(uint32_t number, uint32_t of, uint32_t other) noexcept nogil:
    """other where number equals of, else number; without a branch."""
    return other if number == of else number


cdef inline int top_bit(uint64_t bits) noexcept nogil:
    """Position 0..63 of the highest set bit; bits must not be 0."""
    return 63 - clz(bits)
