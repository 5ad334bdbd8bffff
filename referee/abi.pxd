"""The C interface of flash1-dev/matching-engine-benchmark: what arrives, what is answered, over what queue.

A message is new, cancel or modify; every answer is a report of one cache line. Only the memory layout is theirs, so
sizes and offsets are facts that tests/referee/test_referee.py writes down a second time.
"""
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

cdef enum ReportKind:
    ORDER_ACK = 0           # a new order is in
    TRADE_REPORT = 1        # one fill, at the maker's price
    CANCEL_ACK = 2          # taken off on request, or what an immediate-or-cancel order left over
    MODIFY_ACK = 3
    CANCEL_REJECT = 4       # that order does not rest
    MODIFY_REJECT = 5

cdef struct NewOrder:       # 32 bytes
    uint64_t order_id
    uint64_t sequence
    int64_t price_ticks
    uint32_t qty_lots
    uint8_t side            # as ours: 0 buy, 1 sell
    uint8_t immediate       # 1: immediate or cancel
    uint8_t[2] reserved

cdef struct CancelOrder:    # 16 bytes
    uint64_t order_id
    uint64_t sequence

cdef struct ModifyOrder:    # 32 bytes
    uint64_t order_id
    uint64_t sequence
    int64_t price_ticks
    uint32_t qty_lots
    uint8_t side
    uint8_t[3] reserved

cdef struct Report:         # 64 bytes
    uint8_t kind
    uint8_t side
    uint8_t[6] reserved_a
    uint64_t sequence       # of the message that caused it
    uint64_t order_id       # 0 for a trade
    int64_t price_ticks
    uint32_t qty_lots
    uint32_t reserved_b
    uint64_t maker_order_id  # trades only, as the next
    uint64_t taker_order_id
    uint64_t reserved_c

cdef struct Transport:      # a queue from the engine's thread to the one that publishes
    void* (*create)(uint32_t capacity) noexcept nogil
    int (*push)(void* queue, const Report* report) noexcept nogil   # 0: full
    uint32_t (*drain)(void* queue, Report* out, uint32_t limit) noexcept nogil
    void (*flush)(void* queue) noexcept nogil                       # make everything pushed visible
    void (*destroy)(void* queue) noexcept nogil
