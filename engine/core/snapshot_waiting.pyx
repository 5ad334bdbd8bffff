"""Waiting orders come back at their own slots; arming them in the order of their extras makes the triggers anew."""
from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memset

from engine.core.extras cimport Extra, extra_of, extra_open
from engine.core.iceberg cimport count_iceberg
from engine.core.ladder cimport Ladder, ladder_below
from engine.core.list_table cimport LEGS_MAX
from engine.core.pool cimport ARMED, EXTRA, ICEBERG, LISTED, PENDING, UNFUNDED, Node
from engine.core.sections cimport ExtraItem, OrderItem, read_item
from engine.core.snapshot_orders cimport fill_item, keep_order
from engine.core.state cimport MAX_TICKS, book_known
from engine.core.stops cimport FALLING, RISING, arm


cdef bytes dump_waiting(State* state):
    cdef list items = []
    cdef OrderItem item
    for slot in _waiting(state):
        fill_item(state, <uint32_t>slot, &item)
        items.append(PyBytes_FromStringAndSize(<char*>&item, sizeof(item)))
    return b"".join(items)


cdef bytes dump_extras(State* state):
    cdef list items = []
    cdef uint32_t slot
    if state.extras.fresh == 0:
        return b""
    for waiting in _waiting(state):
        items.append(_extra_item(state, <uint32_t>waiting))
    for slot in range(1, state.pool.fresh):
        if (state.pool.nodes[slot].order_id != 0 and state.pool.nodes[slot].flags & EXTRA
                and not state.pool.nodes[slot].flags & (ARMED | PENDING)):
            items.append(_extra_item(state, slot))
    return b"".join(items)


cdef list _waiting(State* state):
    """Slots of armed orders, by instrument and direction, in the order in which they would be set off; pending legs."""
    cdef list slots = []
    cdef uint32_t instrument, level, slot
    cdef Ladder* triggers
    cdef int direction
    for instrument in range(1, state.books_capacity if state.watched != 0 else 1):
        for direction in range(FALLING, RISING + 1):
            triggers = &state.books[instrument].triggers[direction]
            level = triggers.best_level
            while level != 0:
                slot = state.shelf.levels[level].head
                while slot != 0:
                    slots.append(slot)
                    slot = state.pool.nodes[slot].next
                level = ladder_below(&state.shelf, triggers, level)
    for slot in range(1, state.pool.fresh if state.lists.fresh != 0 else 1):
        if state.pool.nodes[slot].order_id != 0 and state.pool.nodes[slot].flags & PENDING:
            slots.append(slot)
    return slots


cdef bytes _extra_item(State* state, uint32_t slot):
    cdef Extra* extra = extra_of(&state.extras, slot)
    cdef ExtraItem item
    memset(&item, 0, sizeof(item))
    item.slot, item.trailing_bps = slot, extra.trailing_bps
    item.stp, item.direction = extra.stp, extra.direction
    item.list, item.leg = extra.list, extra.leg
    item.waiting = state.pool.nodes[slot].flags & (PENDING | UNFUNDED | ARMED)
    item.working_ns = extra.working_ns
    item.stop_ticks, item.trigger_ticks, item.hold_ticks = extra.stop_ticks, extra.trigger_ticks, extra.hold_ticks
    item.extreme_ticks = extra.extreme_ticks
    item.display_lots, item.hidden_lots = extra.display_lots, extra.hidden_lots
    item.trail_next, item.trail_prev = extra.trail_next, extra.trail_prev
    return PyBytes_FromStringAndSize(<char*>&item, sizeof(item))


cdef int load_waiting(State* state, const char* data, uint64_t count, size_t item_bytes) except -1:
    cdef OrderItem item
    cdef uint64_t index
    for index in range(count):
        read_item(&item, sizeof(item), data, index, item_bytes)
        if not (book_known(state, item.instrument) and item.side <= 1 and keep_order(state, &item)):
            raise ValueError(f"waiting order {item.order_id} at slot {item.slot} contradicts the other sections")
        state.pool.nodes[item.slot].flags |= PENDING
    return 0


cdef int load_extras(State* state, const char* data, uint64_t count, size_t item_bytes) except -1:
    """An order of WAITING is marked as pending and in no queue until its extra comes."""
    cdef ExtraItem item
    cdef Extra* extra
    cdef uint64_t index
    for index in range(count):
        read_item(&item, sizeof(item), data, index, item_bytes)
        if (item.slot == 0 or item.slot >= state.pool.fresh or state.pool.nodes[item.slot].order_id == 0
                or state.pool.nodes[item.slot].flags & EXTRA or item.direction > RISING
                or not 0 <= item.trigger_ticks <= MAX_TICKS or item.leg >= LEGS_MAX
                or not 0 <= item.extreme_ticks <= MAX_TICKS or item.display_lots < 0
                or not 0 <= item.hidden_lots <= state.pool.nodes[item.slot].qty_lots
                or item.trail_next >= state.pool.fresh or item.trail_prev >= state.pool.fresh
                or (item.waiting & (ARMED | PENDING) != 0) != (state.pool.nodes[item.slot].flags & PENDING != 0)):
            raise ValueError(f"an extra of slot {item.slot}, which cannot have one")
        extra = extra_open(&state.extras, item.slot)
        if extra == NULL:
            raise MemoryError("no memory for the extras")
        extra.trailing_bps, extra.stp, extra.direction = item.trailing_bps, item.stp, item.direction
        extra.stop_ticks, extra.trigger_ticks, extra.hold_ticks = item.stop_ticks, item.trigger_ticks, item.hold_ticks
        extra.extreme_ticks = item.extreme_ticks
        extra.display_lots, extra.hidden_lots = item.display_lots, item.hidden_lots
        extra.trail_next, extra.trail_prev = item.trail_next, item.trail_prev
        extra.list, extra.leg, extra.working_ns = item.list, <uint8_t>item.leg, item.working_ns
        state.pool.nodes[item.slot].flags |= EXTRA | (LISTED if item.list != 0 else 0) | (item.waiting & UNFUNDED)
        if item.waiting & ARMED:
            arm(state, item.slot)
            _keep_trailing(state, item.slot)
        elif item.display_lots != 0 and not item.waiting & PENDING:
            state.pool.nodes[item.slot].flags |= ICEBERG
            count_iceberg(state, item.slot, 1)
    if state.failed:
        raise MemoryError("no memory for the triggers")
    return 0


cdef void _keep_trailing(State* state, uint32_t slot) noexcept nogil:
    """The first of a list is the one that follows none."""
    cdef Node* node = &state.pool.nodes[slot]
    cdef Extra* extra = extra_of(&state.extras, slot)
    if extra.extreme_ticks != 0 and extra.trail_prev == 0:
        state.books[node.instrument].trails[<int>node.side] = slot
