"""Raises AssertionError naming the first thing that is not as it must be."""
from libc.stdint cimport int64_t, uint32_t, uint64_t

from engine.core.extras cimport Extra, extra_of
from engine.core.iceberg cimport hidden_lots
from engine.core.ladder cimport Ladder, Level, ladder_below, level_key
from engine.core.list_table cimport PAIR, SINGLE, WORKING, List
from engine.core.pool cimport ARMED, EXTRA, ICEBERG, LISTED, PENDING, Node
from engine.core.state cimport Book, side_key
from engine.core.stops cimport FALLING, RISING, waiting_hold
from engine.core.trailing cimport trailing_trigger


cdef int _expect(bint holds, str what, found, expected) except -1:
    if not holds:
        raise AssertionError(f"{what}: found {found}, expected {expected}")
    return 0


cdef object audit_triggers(State* state, instrument, dict held):
    cdef Book* book = &state.books[<uint32_t>instrument]
    cdef uint32_t level
    cdef int direction
    orders = 0
    for direction in range(FALLING, RISING + 1):
        level = book.triggers[direction].best_level
        while level != 0:
            orders += _audit_queue(state, instrument, direction, level, held)
            level = ladder_below(&state.shelf, &book.triggers[direction], level)
        _audit_unreached(book, &book.triggers[direction], direction)
    _expect(orders == book.armed, f"armed orders of instrument {instrument}", book.armed, orders)
    for side in range(2):
        _audit_trail(state, book, side)
    return orders


cdef object _audit_queue(State* state, instrument, int direction, uint32_t level, dict held):
    cdef uint32_t slot = state.shelf.levels[level].head
    cdef uint32_t before = 0
    cdef Node* node
    cdef Level queue
    cdef int64_t key
    orders, lots = 0, 0
    while slot != 0:
        node = &state.pool.nodes[slot]
        key = side_key(direction, extra_of(&state.extras, slot).trigger_ticks)
        _expect(node.flags & ARMED and node.flags & EXTRA, f"flags of waiting slot {slot}", node.flags, "armed")
        _expect(node.prev == before and node.level == level, f"links of waiting slot {slot}", node.prev, before)
        _expect(node.instrument == instrument, f"book of waiting slot {slot}", node.instrument, instrument)
        _expect(key == level_key(&state.shelf, level), f"trigger of slot {slot}", key, level_key(&state.shelf, level))
        _expect(node.left_lots == state.pool.nodes[slot].qty_lots > 0, f"left_lots of waiting {slot}",
                node.left_lots, state.pool.nodes[slot].qty_lots)
        held[node.pay_wallet] = held.get(node.pay_wallet, 0) + waiting_hold(state, slot, node.left_lots)
        orders += 1
        lots += node.left_lots
        before = slot
        slot = node.next
    queue = state.shelf.levels[level]
    _expect(queue.tail == before, f"tail of triggers {level}", queue.tail, before)
    _expect(queue.qty_lots == lots, f"lots of triggers {level}", queue.qty_lots, lots)
    return orders


cdef int _audit_trail(State* state, Book* book, int side) except -1:
    """Sorted by extreme, which the last trade has not passed; each trigger is that of its extreme."""
    cdef uint32_t slot = book.trails[side]
    cdef uint32_t before = 0
    cdef int64_t key = side_key(side, book.last_ticks)
    cdef Extra* extra
    while slot != 0:
        extra = extra_of(&state.extras, slot)
        _expect(state.pool.nodes[slot].flags & ARMED and extra.trail_prev == before and extra.extreme_ticks != 0
                and state.pool.nodes[slot].instrument == book.instrument and state.pool.nodes[slot].side == side,
                f"trailing slot {slot}", extra.trail_prev, before)
        _expect(side_key(side, extra.extreme_ticks) <= key, f"extreme of slot {slot}", extra.extreme_ticks, key)
        _expect(extra.trigger_ticks == trailing_trigger(side, extra.extreme_ticks, extra.trailing_bps),
                f"trigger of trailing slot {slot}", extra.trigger_ticks, extra.extreme_ticks)
        key = side_key(side, extra.extreme_ticks)
        before = slot
        slot = extra.trail_next
    return 0


cdef int _audit_unreached(Book* book, Ladder* triggers, int direction) except -1:
    """No armed order's trigger has been reached by the last trade."""
    if book.last_ticks != 0:
        _expect(triggers.best_key < side_key(direction, book.last_ticks), "trigger reached by the last trade",
                side_key(direction, triggers.best_key), book.last_ticks)
    return 0


cdef object audit_lists(State* state, dict held):
    cdef uint32_t place, slot
    cdef List* item
    cdef int leg
    lists, pending, listed = 0, 0, 0
    for place in range(1, state.lists.fresh):
        item = &state.lists.items[place]
        if item.list_id == 0:
            continue
        lists += 1
        held[item.pay_wallet] = held.get(item.pay_wallet, 0) + item.excess
        _expect(item.excess >= 0 and (item.excess == 0 or item.stage == PAIR), f"excess of {place}", item.excess, 0)
        _expect(item.acted | item.filled & 0xFE | item.canceled == 0 or item.stage == SINGLE, f"notes of list {place}",
                item.acted, 0)
        for leg in range(item.legs):
            slot = item.slots[leg]
            if slot != 0:
                listed += 1
                pending += state.pool.nodes[slot].flags & PENDING != 0
                _expect(state.pool.nodes[slot].order_id == item.list_id + <uint64_t>leg + 1, f"leg {leg} of {place}",
                        state.pool.nodes[slot].order_id, item.list_id)
                _expect(state.pool.nodes[slot].flags & LISTED and extra_of(&state.extras, slot).list == place
                        and extra_of(&state.extras, slot).leg == leg, f"list of slot {slot}", place, leg)
                _expect((state.pool.nodes[slot].flags & PENDING != 0) == (item.stage == WORKING and leg > 0),
                        f"leg {leg} of {place}", state.pool.nodes[slot].flags, item.stage)
    for slot in range(1, state.pool.fresh):
        listed -= state.pool.nodes[slot].order_id != 0 and state.pool.nodes[slot].flags & LISTED != 0
    _expect(listed == 0, "orders with a list and legs", listed, 0)
    _expect(state.lists.touched_first == 0, "touched lists", state.lists.touched_first, 0)
    return lists, pending


cdef int audit_extras(State* state) except -1:
    """Every record belongs to one order; nothing is on its way into a book between commands."""
    cdef uint32_t slot
    cdef uint32_t place = state.extras.free
    used, free = 0, 0
    for slot in range(1, state.pool.fresh):
        if state.pool.nodes[slot].order_id != 0 and state.pool.nodes[slot].flags & EXTRA:
            _expect(slot < state.extras.slots and state.extras.places[slot] != 0, f"extra of slot {slot}", 0, "one")
            used += 1
    while place != 0:
        free += 1
        place = state.extras.items[place].next_free
    made = state.extras.fresh - 1 if state.extras.fresh else 0
    _expect(used + free == made, "extras in use and free", used + free, made)
    _expect(state.entering_first == 0, "orders on their way in", state.entering_first, 0)
    return 0


cdef int audit_icebergs(State* state) except -1:
    """Each shows something, and no more than it says; each book knows how many rest in it."""
    cdef uint32_t slot, instrument
    cdef Node* node
    icebergs = {}
    for slot in range(1, state.pool.fresh):
        node = &state.pool.nodes[slot]
        if node.order_id != 0 and node.flags & ICEBERG:
            icebergs[node.instrument] = icebergs.get(node.instrument, 0) + 1
            _expect(node.flags & EXTRA and not node.flags & (ARMED | PENDING), f"flags of iceberg {slot}", node.flags,
                    "resting")
            _expect(0 < node.left_lots <= extra_of(&state.extras, slot).display_lots, f"shown of iceberg {slot}",
                    node.left_lots, extra_of(&state.extras, slot).display_lots)
            _expect(hidden_lots(state, slot) >= 0, f"hidden of iceberg {slot}", hidden_lots(state, slot), ">= 0")
    for instrument in range(1, state.books_capacity):
        if state.books[instrument].known:
            _expect(state.books[instrument].icebergs == icebergs.get(instrument, 0), f"icebergs of {instrument}",
                    state.books[instrument].icebergs, icebergs.get(instrument, 0))
    return 0
