"""Where reports go: straight into our own ring when the judge took it, else through the judge's queue."""
from libc.stdint cimport int64_t, uint32_t, uint64_t

from referee.abi cimport TRADE_REPORT, Report, Transport
from referee.atomics cimport pause
from referee.ring cimport Ring, ring_filled, ring_flush, ring_next, ring_transport

cdef struct Outbox:
    Ring* ring              # NULL: another queue
    const Transport* transport
    void* queue
    Report report           # on its way into another queue


cdef inline void outbox_open(Outbox* outbox, const Transport* transport, void* queue) noexcept nogil:
    outbox.transport = transport
    outbox.queue = queue
    outbox.ring = <Ring*>queue if transport.push == ring_transport().push else NULL


cdef inline void outbox_push(Outbox* outbox) noexcept nogil:
    """Waits while another queue is full: a report may be late, never lost."""
    while outbox.transport.push(outbox.queue, &outbox.report) == 0:
        pause()


cdef inline void outbox_flush(Outbox* outbox) noexcept nogil:
    if outbox.ring != NULL:
        ring_flush(outbox.ring)


cdef inline void send_answer(
    Outbox* outbox, int kind, uint64_t sequence, uint64_t order_id, int side, int64_t price_ticks, int64_t qty_lots
) noexcept nogil:
    if outbox.ring != NULL:
        fill(ring_next(outbox.ring), kind, side, sequence, order_id, price_ticks, qty_lots, 0, 0)
        ring_filled(outbox.ring)
    else:
        fill(&outbox.report, kind, side, sequence, order_id, price_ticks, qty_lots, 0, 0)
        outbox_push(outbox)


cdef inline void send_trade(
    Outbox* outbox, uint64_t sequence, uint64_t taker_order_id, uint64_t maker_order_id, int64_t price_ticks,
    int64_t qty_lots
) noexcept nogil:
    if outbox.ring != NULL:
        fill(ring_next(outbox.ring), TRADE_REPORT, 0, sequence, 0, price_ticks, qty_lots, maker_order_id,
             taker_order_id)
        ring_filled(outbox.ring)
    else:
        fill(&outbox.report, TRADE_REPORT, 0, sequence, 0, price_ticks, qty_lots, maker_order_id, taker_order_id)
        outbox_push(outbox)


cdef inline void fill(
    Report* report, int kind, int side, uint64_t sequence, uint64_t order_id, int64_t price_ticks, int64_t qty_lots,
    uint64_t maker_order_id, uint64_t taker_order_id
) noexcept nogil:
    """Every byte of the report's cache line."""
    (<uint64_t*>report)[0] = <uint64_t>kind | <uint64_t>side << 8
    report.sequence = sequence
    report.order_id = order_id
    report.price_ticks = price_ticks
    report.qty_lots = <uint32_t>qty_lots
    report.reserved_b = 0
    report.maker_order_id = maker_order_id
    report.taker_order_id = taker_order_id
    report.reserved_c = 0
