"""See restored_orders.pxd. A start makes no Python object per open order: most are never asked for."""
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memset

__all__ = ["RestoredOrders"]


cdef class RestoredOrders:
    """Of ORDER records, which are kept as they are, at an address that suits them: ValueError if it does not.

    Finding one is O(1), making this O(orders).
    """

    def __cinit__(self, const unsigned char[::1] records not None):
        cdef uint64_t capacity = 16
        cdef uint32_t place
        self._records, self._trailing = records, []
        self.count = self.left = <uint32_t>(records.shape[0] // sizeof(OrderRecord))
        self._items = <OrderRecord*>&records[0] if self.count else NULL
        if <size_t>self._items % sizeof(uint64_t) != 0:
            raise ValueError("records of orders must begin at a multiple of 8 bytes: copy them")
        while capacity < 2 * <uint64_t>self.count:
            capacity *= 2
        self._mask = capacity - 1
        self._table = <uint32_t*>calloc(capacity, sizeof(uint32_t))
        self._taken = <unsigned char*>calloc(self.count + 1, 1)
        if self._table == NULL or self._taken == NULL:
            raise MemoryError("no memory for the open orders")
        for place in range(self.count):     # once over all of them: they are more than any cache holds
            if not self._enter(place):
                raise MemoryError("no memory for the accounts")
            if self._record(place).trailing_bps != 0:
                self._trailing.append(self._record(place).order_id)

    def __dealloc__(self):
        free(self._table)
        free(self._taken)
        free(self._times)

    def last_updates(self):
        """{account: time of the last change of an order of it}"""
        cdef uint32_t account
        return {account: self._times[account] for account in range(self._accounts) if self._times[account] != 0}

    def trailing_ids(self):
        """Of the trailing stops."""
        return self._trailing

    cdef bint _enter(self, uint32_t place) noexcept nogil:
        """Into the table, and its time into its account's; false when there is no memory."""
        cdef OrderRecord* record = self._record(place)
        cdef uint64_t at = _spread(record.order_id) & self._mask
        cdef uint32_t accounts
        cdef void* grown
        while self._table[at] != 0:
            at = (at + 1) & self._mask
        self._table[at] = place + 1
        if record.account >= self._accounts:
            accounts = max(2 * self._accounts, record.account + 1)
            grown = realloc(self._times, accounts * sizeof(int64_t))
            if grown == NULL:
                return False
            self._times = <int64_t*>grown
            memset(self._times + self._accounts, 0, (accounts - self._accounts) * sizeof(int64_t))
            self._accounts = accounts
        self._times[record.account] = max(self._times[record.account], record.update_ns)
        return True

    cdef OrderRecord* _record(self, uint32_t place) noexcept nogil:
        return self._items + place

    cdef OrderRecord* take(self, uint64_t order_id) noexcept nogil:
        cdef uint64_t at = _spread(order_id) & self._mask
        while self._table[at] != 0:
            if self._record(self._table[at] - 1).order_id == order_id:
                return self.take_at(self._table[at] - 1)
            at = (at + 1) & self._mask
        return NULL

    cdef OrderRecord* take_at(self, uint32_t place) noexcept nogil:
        if self._taken[place]:
            return NULL
        self._taken[place] = True
        self.left -= 1
        return self._record(place)


cdef inline uint64_t _spread(uint64_t order_id) noexcept nogil:
    return order_id * <uint64_t>0x9E3779B97F4A7C15 >> 24
