"""A level's quantity is what its orders show; what an iceberg holds of money is for all of it."""
from libc.stdint cimport uint64_t

from engine.core.admission cimport admit, check_shape
from engine.core.extras cimport Extra, extra_close, extra_open
from engine.core.ladder cimport Level
from engine.core.matching cimport work
from engine.core.pool cimport EXTRA, Node
from engine.core.reports cimport report_refused
from engine.core.settings cimport watch_book
from engine.core.state cimport Book
from engine.core.taker cimport Taker
from engine.core.types cimport BAD_ICEBERG, NONE, Code


cdef void place_iceberg(State* state, Command* command) noexcept nogil:
    cdef Taker taker
    cdef Extra* extra
    cdef uint64_t accepted = state.events.count
    cdef Code code = check_shape(command)
    if code == NONE:
        code = admit(state, command, &taker, False) if fits_iceberg(command) else BAD_ICEBERG
    if code != NONE:
        report_refused(state, command, code)
        return
    work(state, &taker, False)
    state.events.items[accepted].left_lots = command.display_lots
    if state.failed or taker.slot == 0 or state.pool.nodes[taker.slot].order_id != command.seq:
        return
    extra = extra_open(&state.extras, taker.slot)
    if extra == NULL:
        state.failed = True
        return
    extra.display_lots = command.display_lots
    state.pool.nodes[taker.slot].flags |= EXTRA
    hide(state, taker.slot)


cdef void hide(State* state, uint32_t slot) noexcept nogil:
    state.pool.nodes[slot].flags |= ICEBERG
    count_iceberg(state, slot, 1)
    hide_again(state, slot, extra_of(&state.extras, slot).display_lots)


cdef void hide_again(State* state, uint32_t slot, int64_t shown) noexcept nogil:
    cdef Node* node = &state.pool.nodes[slot]
    cdef int64_t hidden = node.left_lots - shown if node.left_lots > shown else 0
    extra_of(&state.extras, slot).hidden_lots = hidden
    node.left_lots -= hidden
    state.shelf.levels[node.level].qty_lots -= hidden


cdef int64_t show_all(State* state, uint32_t slot) noexcept nogil:
    cdef Node* node = &state.pool.nodes[slot]
    cdef Extra* extra = extra_of(&state.extras, slot)
    cdef int64_t shown = node.left_lots
    node.left_lots += extra.hidden_lots
    state.shelf.levels[node.level].qty_lots += extra.hidden_lots
    extra.hidden_lots = 0
    return shown


cdef void refill(State* state, uint32_t slot) noexcept nogil:
    cdef Node* node = &state.pool.nodes[slot]
    cdef Level* level = &state.shelf.levels[node.level]
    cdef int64_t part = part_of(state, slot, 1)
    if node.left_lots != 0 or part == 0:
        return
    extra_of(&state.extras, slot).hidden_lots -= part
    node.left_lots = part
    level.qty_lots += part
    if node.next == 0:
        return
    level.head = node.next
    state.pool.nodes[node.next].prev = 0
    node.next = 0
    node.prev = level.tail
    state.pool.nodes[level.tail].next = slot
    level.tail = slot


cdef int64_t part_of(State* state, uint32_t slot, int64_t number) noexcept nogil:
    cdef Extra* extra = extra_of(&state.extras, slot)
    cdef int64_t rest = extra.hidden_lots - (number - 1) * extra.display_lots
    return min(rest, extra.display_lots) if rest > 0 else 0


cdef void count_iceberg(State* state, uint32_t slot, int change) noexcept nogil:
    """What sweeps levels instead of orders must know whether levels tell all."""
    cdef Book* book = &state.books[state.pool.nodes[slot].instrument]
    book.icebergs += <uint32_t>change
    watch_book(book)


cdef void drop_extra(State* state, uint32_t slot) noexcept nogil:
    if state.pool.nodes[slot].flags & ICEBERG:
        count_iceberg(state, slot, -1)
    extra_close(&state.extras, slot)
