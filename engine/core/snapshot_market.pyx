"""Each comes back through the function that its command uses."""
from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport uint32_t

from engine.core.busting cimport keep_bust
from engine.core.fees cimport TIERS, keep_fees
from engine.core.sections cimport FeeItem, TagItem, TimerItem, read_item
from engine.core.state cimport Bust, FeeRow, Timer, account_known, book_known
from engine.core.tags cimport expires_of, put_tag, session_of
from engine.core.timers cimport keep_timer


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


cdef bytes dump_tags(State* state):
    cdef list items = []
    cdef TagItem item
    cdef uint32_t slot
    for slot in range(1, min(state.pool.fresh, state.tags_capacity)):
        if state.pool.nodes[slot].order_id != 0:
            item.slot, item.session, item.expires_ns = slot, session_of(state, slot), expires_of(state, slot)
            if item.session != 0 or item.expires_ns != 0:
                items.append(PyBytes_FromStringAndSize(<char*>&item, sizeof(item)))
    return b"".join(items)


cdef int load_tags(State* state, const char* data, uint64_t count, size_t item_bytes) except -1:
    """Comes after all sections with orders."""
    cdef TagItem item
    cdef uint64_t index
    for index in range(count):
        read_item(&item, sizeof(item), data, index, item_bytes)
        if item.slot >= state.pool.fresh or state.pool.nodes[item.slot].order_id == 0 or item.expires_ns < 0:
            raise ValueError(f"a tag of slot {item.slot}, where no order is")
        put_tag(state, item.slot, item.session, item.expires_ns)
    if state.failed:
        raise MemoryError("no memory for the tags of orders")
    return 0


cdef bytes dump_timers(State* state):
    cdef list items = []
    cdef TimerItem item
    cdef Timer* timer
    cdef uint32_t account, number
    for account in range(state.accounts_capacity):
        number = state.accounts[account].first_timer
        while number != 0:
            timer = &state.timers[number]
            item.account, item.session, item.instrument, item.reserved = account, timer.session, timer.instrument, 0
            item.ends_ns = state.deadlines.items[timer.deadline].time_ns
            item.seq = state.deadlines.items[timer.deadline].seq
            items.append(PyBytes_FromStringAndSize(<char*>&item, sizeof(item)))
            number = timer.next
    return b"".join(items)


cdef int load_timers(State* state, const char* data, uint64_t count, size_t item_bytes) except -1:
    cdef TimerItem item
    cdef uint64_t index
    for index in range(count):
        read_item(&item, sizeof(item), data, index, item_bytes)
        if not account_known(state, item.account) or (item.instrument != 0 and not book_known(state, item.instrument)):
            raise ValueError(f"a timer of account {item.account}, instrument {item.instrument}, which do not exist")
        keep_timer(state, item.account, item.session, item.instrument, item.ends_ns, item.seq)
    if state.failed:
        raise MemoryError("no memory for the timers")
    return 0


cdef bytes dump_busts(State* state):
    return PyBytes_FromStringAndSize(<char*>state.busts, state.busts_count * sizeof(Bust))


cdef int load_busts(State* state, const char* data, uint64_t count, size_t item_bytes) except -1:
    cdef Bust item
    cdef uint64_t index
    for index in range(count):
        read_item(&item, sizeof(item), data, index, item_bytes)
        if not book_known(state, item.instrument) or not keep_bust(state, item.instrument, item.trade_id):
            raise ValueError(f"trade {item.trade_id} of instrument {item.instrument} cannot be taken back")
    return 0
