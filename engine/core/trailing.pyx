"""The list of a book's side is sorted by extreme: who starts at a price comes before all that have seen that price."""
from engine.core.extras cimport extra_of
from engine.core.pool cimport Node
from engine.core.state cimport MAX_TICKS, side_key
from engine.core.stops cimport FALLING, RISING, arm, disarm_only

cdef enum:
    WHOLE_BPS = 10000


cdef void arm_new(State* state, uint32_t slot) noexcept nogil:
    cdef Node* node = &state.pool.nodes[slot]
    cdef Extra* extra = extra_of(&state.extras, slot)
    cdef int64_t last = state.books[node.instrument].last_ticks
    if extra.trailing_bps == 0 or extra.stop_ticks != 0:
        arm(state, slot)
    elif last != 0:
        start_trailing(state, slot, last)
    else:
        extra.direction, extra.trigger_ticks = RISING, 1    # the first price there is
        arm(state, slot)


cdef void start_trailing(State* state, uint32_t slot, int64_t price_ticks) noexcept nogil:
    cdef int side = state.pool.nodes[slot].side
    cdef uint32_t* head = &state.books[state.pool.nodes[slot].instrument].trails[side]
    cdef Extra* extra = extra_of(&state.extras, slot)
    cdef uint32_t before = 0
    cdef uint32_t after = head[0]
    while after != 0 and _passes(side, extra_of(&state.extras, after).extreme_ticks, price_ticks):
        before = after
        after = extra_of(&state.extras, after).trail_next
    extra.extreme_ticks = price_ticks
    extra.trail_prev, extra.trail_next = before, after
    if before != 0:
        extra_of(&state.extras, before).trail_next = slot
    else:
        head[0] = slot
    if after != 0:
        extra_of(&state.extras, after).trail_prev = slot
    extra.direction = RISING if side == 0 else FALLING
    extra.trigger_ticks = trailing_trigger(side, price_ticks, extra.trailing_bps)
    arm(state, slot)


cdef inline bint _passes(int side, int64_t extreme_ticks, int64_t price_ticks) noexcept nogil:
    """Is that price a new extreme?"""
    return side_key(side, extreme_ticks) > side_key(side, price_ticks)


cdef void trail(State* state, Book* book, int64_t price_ticks) noexcept nogil:
    """Each run from its end: who had the better extreme, then who follows longer, comes to the new trigger first."""
    cdef int side
    cdef uint32_t slot, after
    for side in range(2):
        slot = 0
        after = book.trails[side]
        while after != 0 and _passes(side, extra_of(&state.extras, after).extreme_ticks, price_ticks):
            slot = after
            after = extra_of(&state.extras, slot).trail_next
        while slot != 0:
            _move(state, slot, side, price_ticks)
            slot = extra_of(&state.extras, slot).trail_prev


cdef void _move(State* state, uint32_t slot, int side, int64_t price_ticks) noexcept nogil:
    """An order whose trigger stays where it was, by rounding, keeps its place in the queue."""
    cdef Extra* extra = extra_of(&state.extras, slot)
    cdef int64_t trigger = trailing_trigger(side, price_ticks, extra.trailing_bps)
    extra.extreme_ticks = price_ticks
    if trigger != extra.trigger_ticks:
        disarm_only(state, slot)
        extra.trigger_ticks = trigger
        arm(state, slot)


cdef void stop_trailing(State* state, uint32_t slot) noexcept nogil:
    cdef Extra* extra = extra_of(&state.extras, slot)
    cdef Node* node = &state.pool.nodes[slot]
    if extra.trail_prev != 0:
        extra_of(&state.extras, extra.trail_prev).trail_next = extra.trail_next
    else:
        state.books[node.instrument].trails[<int>node.side] = extra.trail_next
    if extra.trail_next != 0:
        extra_of(&state.extras, extra.trail_next).trail_prev = extra.trail_prev
    extra.trail_next = extra.trail_prev = 0


cdef int64_t trailing_trigger(int side, int64_t extreme_ticks, int64_t trailing_bps) noexcept nogil:
    cdef int64_t share = WHOLE_BPS - trailing_bps if side else WHOLE_BPS + trailing_bps
    cdef int64_t rest = extreme_ticks % WHOLE_BPS * share
    cdef int64_t trigger = extreme_ticks / WHOLE_BPS * share + (rest if side else rest + WHOLE_BPS - 1) / WHOLE_BPS
    return trigger if trigger < MAX_TICKS else MAX_TICKS
