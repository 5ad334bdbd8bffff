"""The three questions asked before matching: fill or kill, the cost of a market order, the lots an amount buys."""
from libc.stdint cimport int64_t, uint32_t

from engine.core.bits cimport add_overflows, mul_overflows
from engine.core.ladder cimport NO_KEY, ladder_below, level_key
from engine.core.state cimport side_key


cdef bint sweep_fills(Shelf* shelf, Ladder* against, int64_t limit_key, int64_t lots) noexcept nogil:
    cdef uint32_t level = against.best_level
    if against.best_key == NO_KEY:
        return False
    while level != 0 and level_key(shelf, level) >= limit_key:
        if shelf.levels[level].qty_lots >= lots:
            return True
        lots -= shelf.levels[level].qty_lots
        level = ladder_below(shelf, against, level)
    return False


cdef Sweep sweep_lots(Shelf* shelf, Ladder* against, Book* book, int side, int64_t lots) noexcept nogil:
    """side is the taker's."""
    cdef Sweep sweep
    cdef uint32_t level = against.best_level
    cdef int64_t take
    cdef int64_t cost = 0
    sweep.lots = sweep.quote = sweep.amount_left = 0
    sweep.overflow = False
    while level != 0 and sweep.lots < lots:
        take = lots - sweep.lots
        if shelf.levels[level].qty_lots < take:
            take = shelf.levels[level].qty_lots
        if (mul_overflows(side_key(1 - side, level_key(shelf, level)), take, &cost)
                or mul_overflows(cost, book.tick_value, &cost)
                or add_overflows(sweep.quote, cost, &sweep.quote)):
            sweep.overflow = True
            return sweep
        sweep.lots += take
        level = ladder_below(shelf, against, level)
    return sweep


cdef Sweep sweep_amount(Shelf* shelf, Ladder* against, Book* book, int side, int64_t amount) noexcept nogil:
    cdef Sweep sweep
    cdef uint32_t level = against.best_level
    cdef int64_t take
    cdef int64_t lot_cost = 0
    sweep.lots = sweep.quote = sweep.amount_left = 0
    sweep.overflow = False
    while level != 0:
        if mul_overflows(side_key(1 - side, level_key(shelf, level)), book.tick_value, &lot_cost):
            return sweep
        take = (amount - sweep.quote) / lot_cost
        if shelf.levels[level].qty_lots > take:
            sweep.lots += take
            sweep.quote += take * lot_cost
            return sweep
        take = shelf.levels[level].qty_lots
        sweep.lots += take
        sweep.quote += take * lot_cost
        level = ladder_below(shelf, against, level)
    sweep.amount_left = amount - sweep.quote
    return sweep
