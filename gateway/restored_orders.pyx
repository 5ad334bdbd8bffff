"""See restored_orders.pxd. A start makes no Python object per open order: most are never asked for."""
from cpython.bytes cimport PyBytes_AS_STRING
from libc.stdlib cimport calloc, free

__all__ = ["RestoredOrders"]


cdef class RestoredOrders:
    """Of ORDER records, which are kept as they are. Finding one is O(1), making this O(orders)."""

    def __cinit__(self, bytes records not None):
        cdef uint64_t capacity = 16
        cdef uint64_t at
        cdef uint32_t place
        self._records = records
        self._items = <OrderRecord*>PyBytes_AS_STRING(records)
        self.count = self.left = len(records) // sizeof(OrderRecord)
        while capacity < 2 * <uint64_t>self.count:
            capacity *= 2
        self._mask = capacity - 1
        self._table = <uint32_t*>calloc(capacity, sizeof(uint32_t))
        self._taken = <unsigned char*>calloc(self.count + 1, 1)
        if self._table == NULL or self._taken == NULL:
            raise MemoryError("no memory for the open orders")
        for place in range(self.count):
            at = _spread(self._record(place).order_id) & self._mask
            while self._table[at] != 0:
                at = (at + 1) & self._mask
            self._table[at] = place + 1

    def __dealloc__(self):
        free(self._table)
        free(self._taken)

    def last_updates(self):
        """{account: time of the last change of an order of it}"""
        cdef uint32_t account = 0
        cdef uint32_t place
        cdef OrderRecord* record
        for place in range(self.count):
            account = max(account, self._record(place).account)
        cdef uint32_t accounts = account + 1
        cdef int64_t* times = <int64_t*>calloc(accounts, sizeof(int64_t))
        if times == NULL:
            raise MemoryError("no memory for the accounts")
        for place in range(self.count):
            record = self._record(place)
            times[record.account] = max(times[record.account], record.update_ns)
        try:
            return {account: times[account] for account in range(accounts) if times[account] != 0}
        finally:
            free(times)

    def trailing_ids(self):
        """Of the trailing stops."""
        cdef uint32_t place
        return [self._record(place).order_id for place in range(self.count) if self._record(place).trailing_bps != 0]

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
