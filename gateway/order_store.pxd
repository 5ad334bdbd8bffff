"""What is remembered of orders, for native readers; order_store.pyx says what it promises."""
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from engine.core.records cimport OrderRecord
from engine.core.unpack cimport Event
from gateway.restored_orders cimport RestoredOrders


cdef class Order:
    cdef readonly uint64_t id
    cdef readonly uint32_t slot, account, instrument
    cdef readonly uint8_t side, order_type, time_in_force
    cdef readonly uint8_t stp          # a SelfTrade
    cdef readonly uint16_t code        # why it ended, if not by trading
    cdef readonly int64_t price_ticks, qty_lots, executed_lots
    cdef readonly int64_t prevented_lots     # what self-trade prevention took off it, in all
    cdef readonly int64_t decremented_lots   # the part of it that the core's quantity no longer counts
    cdef readonly Event prevention           # the last match that was prevented, None if none was
    cdef readonly int64_t amount       # market order by quote amount, else 0
    cdef readonly int64_t stop_ticks         # trigger price, 0 for an order without one
    cdef readonly int64_t display_lots       # what an iceberg shows at most, 0: it is none
    cdef readonly uint16_t trailing_bps
    cdef readonly int64_t trailing_ns        # since when it follows the price, 0: it does not, or not yet
    cdef readonly int64_t time_ns, update_ns
    cdef readonly int64_t working_ns         # since when it can trade, 0: it waits for its trigger
    cdef readonly uint64_t list_id           # of the order list it belongs to, 0: none
    cdef readonly uint64_t triggered_seq     # the command that set it off
    cdef readonly uint16_t refusal           # why it was refused when it was set off
    cdef readonly str text, status     # text: client order id
    cdef uint64_t quote_low, quote_high    # quote_filled: better prices than its own may bring it beyond 64 bits


cdef class OrderStore:
    cdef readonly dict closed, changed_ns, quote_at_reduction
    cdef dict _open                     # those not in _restored any more
    cdef RestoredOrders _restored       # open since before the start, and not touched since
    cdef dict _closed_by_text
    cdef object _by_end, _watched, _changed, _starts
    cdef bint _any_starts               # of _starts: something was added
    cdef Py_ssize_t _closed_orders_max
    cdef Event _prevented               # the last one of this frame
    cdef list _begun                    # legs that the trade at hand made begin to wait for their price, None: none

    cpdef Order find_open(self, uint64_t order_id)
    cdef Order _of(self, uint64_t order_id)
    cdef Order _restore(self, OrderRecord* record)
    cdef int _accepted(self, Event event, Event before, bint pends) except -1
    cdef int _traded(self, Event event, bint ends_command) except -1
    cdef int _filled(self, Order order, Event event, bint is_full) except -1
    cdef int _prevent(self, Event event, bint is_last) except -1
    cdef int _triggered(self, Event event) except -1
    cdef int _canceled(self, Event event) except -1
    cdef int _reduced(self, Event event) except -1
    cdef int _close(self, Order order, str status) except -1
    cdef int _tell(self, Order order, Event event, bint is_maker) except -1
    cdef int _forget_oldest(self) except -1
    cdef int _begin_trailing(self, Order order, int64_t time_ns) except -1
    cdef int _start_trailing(self, Event trade) except -1
    cdef int _begin_pending(self, Order working) except -1
    cdef int _tell_begun(self, list events, Py_ssize_t index) except -1
    cdef int _resume_trailing(self, Order order, OrderRecord* record) except -1
