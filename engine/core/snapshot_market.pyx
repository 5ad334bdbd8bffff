"""Each comes back through the function that its command uses."""
from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport uint32_t

from engine.core.fees cimport TIERS, keep_fees
from engine.core.sections cimport FeeItem, read_item
from engine.core.state cimport FeeRow, book_known


cdef bytes dump_fees(State* state):
    """In order of instrument and tier."""
    cdef list items = []
    cdef FeeItem item
    cdef FeeRow* rows
    cdef uint32_t instrument, tier
    for instrument in range(1, state.books_capacity):
        rows = &state.fees[state.books[instrument].fee_rows]
        for tier in range(TIERS if state.books[instrument].fee_rows != 0 else 0):
            if rows[tier].own:
                item.instrument, item.tier = instrument, tier
                item.maker_fee_ppm, item.taker_fee_ppm = rows[tier].maker_fee_ppm, rows[tier].taker_fee_ppm
                items.append(PyBytes_FromStringAndSize(<char*>&item, sizeof(item)))
    return b"".join(items)


cdef int load_fees(State* state, const char* data, uint64_t count, size_t item_bytes) except -1:
    cdef FeeItem item
    cdef uint64_t index
    for index in range(count):
        read_item(&item, sizeof(item), data, index, item_bytes)
        if not book_known(state, item.instrument) or item.tier >= TIERS:
            raise ValueError(f"a fee schedule of instrument {item.instrument}, tier {item.tier}, which cannot exist")
        keep_fees(state, &state.books[item.instrument], <int>item.tier, item.maker_fee_ppm, item.taker_fee_ppm, True)
    if state.failed:
        raise MemoryError("no memory for the fee schedules")
    return 0
