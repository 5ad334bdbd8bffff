"""Compares each touched book's best prices with those last published."""
from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memset

from engine.core.auction cimport indicate
from engine.core.events cimport event_next
from engine.core.ladder cimport NO_KEY, Ladder
from engine.core.state cimport side_key
from engine.core.types cimport (
    AUCTION_STATUS, BUSTED, BUY, CONFIGURED, INSTRUMENT_LIMITS, MONEY, REJECTED, SELL, STATUS, TOP, Event, TopEvent)


cdef Top book_top(State* state, Book* book) noexcept nogil:
    cdef Top top
    top.bid_ticks = _best_ticks(book, BUY)
    top.ask_ticks = _best_ticks(book, SELL)
    top.bid_lots = state.shelf.levels[book.ladders[<int>BUY].best_level].qty_lots
    top.ask_lots = state.shelf.levels[book.ladders[<int>SELL].best_level].qty_lots
    return top


cdef int64_t _best_ticks(Book* book, int side) noexcept nogil:
    cdef Ladder* ladder = &book.ladders[side]
    return 0 if ladder.best_key == NO_KEY else side_key(side, ladder.best_key)


cdef void publish_tops(State* state, Command* command, uint64_t first_event) noexcept nogil:
    cdef uint64_t after = state.events.count
    cdef uint64_t position
    for position in range(first_event, after):
        _publish_after(state, command, state.events.items[position])


cdef void _publish_after(State* state, Command* command, Event event) noexcept nogil:
    """The event is a copy: what is written here may move the others."""
    cdef bint of_a_book = _of_a_book(event.kind)
    if of_a_book:
        _publish(state, command, &state.books[event.instrument])
    if ((of_a_book or (event.kind == CONFIGURED and event.flags == INSTRUMENT_LIMITS))
            and state.books[event.instrument].status == AUCTION_STATUS):
        indicate(state, command, &state.books[event.instrument])


cdef inline bint _of_a_book(int kind) noexcept nogil:
    return (kind != REJECTED and kind != MONEY and kind != CONFIGURED and kind != STATUS and kind != BUSTED)


cdef void _publish(State* state, Command* command, Book* book) noexcept nogil:
    cdef Top top = book_top(state, book)
    if (top.bid_ticks == book.top.bid_ticks and top.bid_lots == book.top.bid_lots
            and top.ask_ticks == book.top.ask_ticks and top.ask_lots == book.top.ask_lots):
        return
    book.top = top
    cdef TopEvent* event = <TopEvent*>event_next(&state.events)
    memset(event, 0, sizeof(TopEvent))
    event.kind = TOP
    event.instrument = book.instrument
    event.seq = command.seq
    event.time_ns = command.time_ns
    event.update_id = book.update_id
    event.bid_ticks = top.bid_ticks
    event.bid_lots = top.bid_lots
    event.ask_ticks = top.ask_ticks
    event.ask_lots = top.ask_lots
