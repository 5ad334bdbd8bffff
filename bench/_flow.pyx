"""The seeded order flows W1-W3 in native code: splitmix64 draws, and a price-time matcher that keeps cancels honest.

Promises that every cancel names an order that rests, and counts fills, volume and notional while it makes the flow.
Compiled on demand by bench/native.py. Only the generator may go in; the engine under test is never asked.
"""
import numpy as np

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

cdef extern from *:
    """
    static inline unsigned long long high64(unsigned long long a, unsigned long long b) {
        return (unsigned long long)(((unsigned __int128)a * b) >> 64);
    }
    """
    uint64_t high64(uint64_t a, uint64_t b) noexcept nogil
    int __builtin_ctzll(uint64_t value) noexcept nogil

cdef enum:
    MID_TICKS = 33504       # where the price of every symbol starts
    WINDOW_TICKS = 4096     # prices a side can hold, half below and half above the start; leaving it is an error
    LIVE_MARGIN = 1024      # resting orders beyond the target depth for which there is room

cdef packed struct Record:  # 40 bytes, little endian
    uint8_t cancel
    uint8_t side            # 0 buy, 1 sell
    uint8_t ioc
    uint8_t reserved
    uint32_t qty
    uint64_t seq
    uint64_t id
    int64_t price
    int64_t symbol

cdef packed struct Resting:  # one order of the generator's book; index = its id, 0 = none
    uint32_t next
    uint32_t previous
    uint32_t qty
    uint32_t live           # its place in the list that cancels draw from
    uint32_t level
    uint32_t side


cdef class Flow:
    """One flow: run() fills an array of records; then fills, volume, notional and filling hold the totals."""
    cdef uint64_t state
    cdef uint32_t symbols, depth, percent_ioc, percent_cancel, half_life, passive_qty, ioc_qty, far_ticks
    cdef uint32_t last_id
    cdef public int64_t fills, volume, notional, filling
    cdef Resting[::1] orders
    cdef uint32_t[:, :, ::1] head, tail     # symbol, side, level
    cdef int64_t[:, ::1] best, resting      # symbol, side: the best level, and how many orders
    cdef uint32_t[:, ::1] live              # symbol: ids of resting orders, as they came
    cdef uint32_t[::1] live_count
    cdef int64_t[::1] mid

    def __init__(self, *, uint64_t seed, uint32_t symbols, uint32_t depth, uint32_t percent_ioc,
                 uint32_t percent_cancel, uint32_t half_life, uint32_t passive_qty, uint32_t ioc_qty,
                 uint32_t far_ticks):
        self.state, self.symbols, self.depth = seed, symbols, depth
        self.percent_ioc, self.percent_cancel, self.half_life = percent_ioc, percent_cancel, half_life
        self.passive_qty, self.ioc_qty, self.far_ticks = passive_qty, ioc_qty, far_ticks
        self.head = np.zeros((symbols, 2, WINDOW_TICKS), np.uint32)
        self.tail = np.zeros((symbols, 2, WINDOW_TICKS), np.uint32)
        self.best, self.resting = np.zeros((symbols, 2), np.int64), np.zeros((symbols, 2), np.int64)
        self.live = np.zeros((symbols, depth + LIVE_MARGIN), np.uint32)
        self.live_count = np.zeros(symbols, np.uint32)
        self.mid = np.full(symbols, MID_TICKS, np.int64)

    def run(self, Record[::1] records):
        """Writes one command into each record, in order."""
        cdef Py_ssize_t index
        self.orders = np.zeros(len(records) + 1, dtype=[(name, "<u4") for name in (
            "next", "previous", "qty", "live", "level", "side")])
        for index in range(len(records)):
            records[index].seq = index
            self.step(&records[index])

    cdef int step(self, Record* record) except -1:
        cdef uint32_t symbol = 0, percent
        if self.symbols > 1:
            symbol = <uint32_t>((self.below(self.symbols) * self.below(self.symbols)) >> 10)
        if self.below(64) == 0:
            self.mid[symbol] += 1 if self.below(2) else -1
        record.symbol = symbol
        percent = <uint32_t>self.below(100)
        if percent < self.percent_ioc and self.live_count[symbol]:
            self.aggress(symbol, record)
        elif self.live_count[symbol] >= self.depth and percent < self.percent_ioc + self.percent_cancel:
            self.cancel(symbol, record)
        else:
            self.quote(symbol, record)
        return 0

    cdef int aggress(self, uint32_t symbol, Record* record) except -1:
        cdef int64_t reach
        record.ioc = 1
        self.number(record, self.ioc_qty)
        reach = 4 if self.below(2) else 64
        if self.far_ticks:
            reach = self.far_ticks
        record.price = self.mid[symbol] + (-reach if record.side else reach)
        self.take(symbol, record)
        return 0

    cdef int quote(self, uint32_t symbol, Record* record) except -1:
        cdef int64_t depth
        cdef uint32_t left
        self.number(record, self.passive_qty)
        depth = 1 + self.draw_depth()
        record.price = self.mid[symbol] + (depth if record.side else -depth)
        left = self.take(symbol, record)
        if left:
            self.rest(symbol, record, left)
        return 0

    cdef int cancel(self, uint32_t symbol, Record* record) except -1:
        cdef uint32_t order = self.live[symbol, self.below(self.live_count[symbol])]
        record.cancel, record.side, record.id = 1, <uint8_t>self.orders[order].side, order
        self.remove(symbol, order)
        return 0

    cdef int number(self, Record* record, uint32_t qty_max) except -1:
        record.side = <uint8_t>self.below(2)
        self.last_id += 1
        record.id = self.last_id
        record.qty = <uint32_t>(1 + self.below(qty_max))
        return 0

    cdef uint32_t take(self, uint32_t symbol, Record* record) except? 7:
        """Matches against the other side up to the record's price; returns what is left."""
        cdef uint32_t side = record.side, other = 1 - side, left = record.qty, order, qty
        cdef int64_t sign = -1 if side else 1, level = self.level_of(record.price)
        while left and self.resting[symbol, other] and sign * (level - self.best[symbol, other]) >= 0:
            order = self.head[symbol, other, self.best[symbol, other]]
            qty = min(left, self.orders[order].qty)
            self.count(qty, self.orders[order].level, left == record.qty)
            left -= qty
            self.orders[order].qty -= qty
            if self.orders[order].qty == 0:
                self.remove(symbol, order)
        return left

    cdef int count(self, uint32_t qty, uint32_t level, bint first) except -1:
        self.fills += 1
        self.volume += qty
        self.notional += qty * <int64_t>(level + MID_TICKS - WINDOW_TICKS // 2)
        self.filling += first
        return 0

    cdef int rest(self, uint32_t symbol, Record* record, uint32_t left) except -1:
        cdef uint32_t side = record.side, order = <uint32_t>record.id, place = self.live_count[symbol]
        cdef int64_t level = self.level_of(record.price), sign = -1 if side else 1
        cdef uint32_t last = self.tail[symbol, side, level]
        self.orders[order] = Resting(next=0, previous=last, qty=left, live=place, level=<uint32_t>level, side=side)
        if last:
            self.orders[last].next = order
        else:
            self.head[symbol, side, level] = order
        self.tail[symbol, side, level] = order
        if self.resting[symbol, side] == 0 or sign * (level - self.best[symbol, side]) > 0:
            self.best[symbol, side] = level
        self.resting[symbol, side] += 1
        if place == <uint32_t>self.live.shape[1]:
            raise OverflowError("more resting orders than the flow allows for: raise LIVE_MARGIN")
        self.live[symbol, place] = order
        self.live_count[symbol] += 1
        return 0

    cdef int remove(self, uint32_t symbol, uint32_t order) except -1:
        """Takes an order off its level and off the live list, whose last entry fills the gap."""
        cdef Resting gone = self.orders[order]
        cdef uint32_t last = self.live[symbol, self.live_count[symbol] - 1]
        if gone.previous:
            self.orders[gone.previous].next = gone.next
        else:
            self.head[symbol, gone.side, gone.level] = gone.next
        if gone.next:
            self.orders[gone.next].previous = gone.previous
        else:
            self.tail[symbol, gone.side, gone.level] = gone.previous
        self.live[symbol, gone.live] = last
        self.orders[last].live = gone.live
        self.live_count[symbol] -= 1
        self.resting[symbol, gone.side] -= 1
        self.settle_best(symbol, gone.side)
        return 0

    cdef int settle_best(self, uint32_t symbol, uint32_t side) except -1:
        """Walks the best level away from the touch until one holds an order; stays where the side is empty."""
        cdef int64_t away = 1 if side else -1
        if self.resting[symbol, side]:
            while self.head[symbol, side, self.best[symbol, side]] == 0:
                self.best[symbol, side] += away
        return 0

    cdef int64_t level_of(self, int64_t price) except -1:
        cdef int64_t level = price - MID_TICKS + WINDOW_TICKS // 2
        if not 0 <= level < WINDOW_TICKS:
            raise OverflowError(f"the flow's price {price} left the generator's window: raise WINDOW_TICKS")
        return level

    cdef uint64_t below(self, uint64_t limit) noexcept:
        """A number from 0 to limit - 1."""
        return high64(self.draw(), limit)

    cdef int64_t draw_depth(self) noexcept:
        """Distance from the mid price: halves in likelihood every half_life ticks, at most 16 of them."""
        cdef uint64_t drawn = self.draw()
        return __builtin_ctzll(drawn | (1 << 15)) * self.half_life + <int64_t>((drawn >> 32) % self.half_life)

    cdef uint64_t draw(self) noexcept:
        """splitmix64."""
        cdef uint64_t z
        self.state += 0x9E3779B97F4A7C15ULL
        z = self.state
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL
        return z ^ (z >> 31)
