"""A growing piece of memory that replies are written into, with the texts of numbers as the protocol writes them.

128-bit values: a price in 1e-8 may be beyond 64 bits though ticks and lots never are.
"""
from libc.stdint cimport uint64_t

cdef extern from *:
    """
    typedef unsigned __int128 wide_t;
    static inline wide_t wide_product(unsigned long long a, unsigned long long b) { return (wide_t)a * b; }
    static inline wide_t wide_of(unsigned long long high, unsigned long long low) { return (wide_t)high << 64 | low; }
    /* places: of the value; the result has 8 */
    static inline wide_t wide_e8(wide_t minor, int places) {
        for (; places < 8; places++) minor *= 10;
        for (; places > 8; places--) minor /= 10;
        return minor;
    }
    /* digits at out, at least `least` of them; how many. Dividing 128 bits costs ten times as much as 64. */
    static inline int wide_digits(char *out, wide_t value, int least) {
        char digits[40];
        int position = 40;
        while (value >> 64) { digits[--position] = (char)(48 + (int)(value % 10)); value /= 10; }
        unsigned long long low = (unsigned long long)value;
        for (; low; low /= 10) digits[--position] = (char)(48 + low % 10);
        while (40 - position < least) digits[--position] = 48;
        for (int i = position; i < 40; i++) *out++ = digits[i];
        return 40 - position;
    }
    /* value / 10**8 with a point and 8 decimals; how many characters, at most 41 */
    static inline int wide_text_e8(char *out, wide_t value) {
        int size = wide_digits(out, value, 9);
        for (int i = size; i > size - 8; i--) out[i] = out[i - 1];
        out[size - 8] = 46;
        return size + 1;
    }
    """
    ctypedef unsigned long long wide_t   # really 128 bits: pass it on, calculate only with the functions here
    wide_t wide_product(uint64_t a, uint64_t b) noexcept
    wide_t wide_of(uint64_t high, uint64_t low) noexcept
    wide_t wide_e8(wide_t minor, int places) noexcept
    int wide_digits(char* out, wide_t value, int least) noexcept
    int wide_text_e8(char* out, wide_t value) noexcept


cdef class TextBuffer:
    cdef char* data
    cdef Py_ssize_t size
    cdef Py_ssize_t _capacity

    cdef int room(self, Py_ssize_t size) except -1            # so much may now be written at data + size
    cdef int add(self, const char* data, Py_ssize_t size) except -1
    cdef int add_bytes(self, bytes data) except -1
    cdef int add_int(self, uint64_t value) except -1
    cdef int add_e8(self, wide_t value) except -1             # value / 10**8 with 8 decimals
    cdef int add_amount(self, wide_t minor, int scale) except -1   # minor units of 10**-scale, cut off after 8 decimals
    cdef Py_ssize_t open_frame(self) except -1                # begin a text frame; where it begins
    cdef int close_frame(self, Py_ssize_t begin) except -1    # its payload is written
    cdef bytes taken(self)                                    # all that was written; the buffer is empty again
