"""Looks ahead along the opposite side, level by level, without changing anything. O(levels walked)."""
from libc.stdint cimport int64_t

from engine.core.ladder cimport Ladder, Shelf
from engine.core.state cimport Book

cdef struct Sweep:
    int64_t lots            # that would trade
    int64_t quote           # what they cost
    int64_t amount_left     # 0 unless the book ran out before the amount was used
    bint overflow           # the cost does not fit int64: nobody can pay it

# Is that quantity there at keys >= limit_key?
cdef bint sweep_fills(Shelf* shelf, Ladder* against, int64_t limit_key, int64_t lots) noexcept nogil
# Exact cost of taking up to that quantity at any price.
cdef Sweep sweep_lots(Shelf* shelf, Ladder* against, Book* book, int side, int64_t lots) noexcept nogil
# Whole lots that can be had for at most that amount of quote, best price first.
cdef Sweep sweep_amount(Shelf* shelf, Ladder* against, Book* book, int side, int64_t amount) noexcept nogil
