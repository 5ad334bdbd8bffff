"""The table of sections. A feature with state of its own adds a line to both functions; DESIGN.md says how."""
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport uint32_t, uint64_t

from engine.core.auction cimport keep_indicated
from engine.core.sections cimport (
    ACCOUNTS, ASSETS, BOOKS, BUSTS, COUNTERS, EXTRAS, FEE_ROWS, FREE_LISTS, FREE_SLOTS, GATHERED, INSTRUMENTS, LISTS,
    ORDERS, PLACED_IDS, TAGS, TIMERS, WAITING, WALLETS, AccountItem, AssetItem, BookItem, CountersItem, ExtraItem,
    FeeItem, ListItem, OrderItem, PlacedIdItem, TagItem, TimerItem, WalletItem)
from engine.core.snapshot_ids cimport dump_placed_ids, load_placed_ids
from engine.core.snapshot_lists cimport (
    dump_free_lists, dump_gathered, dump_lists, load_free_lists, load_gathered, load_lists)
from engine.core.snapshot_market cimport (
    dump_busts, dump_fees, dump_tags, dump_timers, load_busts, load_fees, load_tags, load_timers)
from engine.core.snapshot_orders cimport dump_free_slots, dump_orders, load_free_slots, load_orders
from engine.core.snapshot_settings cimport (
    dump_accounts, dump_assets, dump_books, dump_counters, dump_instruments, dump_wallets, load_accounts, load_assets,
    load_books, load_counters, load_instruments, load_wallets)
from engine.core.snapshot_waiting cimport dump_extras, dump_waiting, load_extras, load_waiting
from engine.core.state cimport Bust
from engine.core.tops cimport book_top
from engine.core.types cimport AUCTION_STATUS, Command, InstrumentCommand

ctypedef int (*Load)(State*, const char*, uint64_t, size_t) except -1


cdef list snapshot_dump(State* state):
    return [
        (<int>COUNTERS, 1, sizeof(CountersItem), dump_counters(state)),
        (<int>WALLETS, 1, sizeof(WalletItem), dump_wallets(state)),
        (<int>ASSETS, 1, sizeof(AssetItem), dump_assets(state)),
        (<int>INSTRUMENTS, 1, sizeof(InstrumentCommand), dump_instruments(state)),
        (<int>BOOKS, 1, sizeof(BookItem), dump_books(state)),
        (<int>ACCOUNTS, 1, sizeof(AccountItem), dump_accounts(state)),
        (<int>FEE_ROWS, 1, sizeof(FeeItem), dump_fees(state)),
        (<int>ORDERS, 1, sizeof(OrderItem), dump_orders(state)),
        (<int>WAITING, 1, sizeof(OrderItem), dump_waiting(state)),
        (<int>EXTRAS, 1, sizeof(ExtraItem), dump_extras(state)),
        (<int>TAGS, 1, sizeof(TagItem), dump_tags(state)),
        (<int>TIMERS, 1, sizeof(TimerItem), dump_timers(state)),
        (<int>LISTS, 1, sizeof(ListItem), dump_lists(state)),
        (<int>FREE_LISTS, 1, sizeof(uint32_t), dump_free_lists(state)),
        (<int>GATHERED, 1, sizeof(Command), dump_gathered(state)),
        (<int>BUSTS, 1, sizeof(Bust), dump_busts(state)),
        (<int>PLACED_IDS, 1, sizeof(PlacedIdItem), dump_placed_ids(state)),
        (<int>FREE_SLOTS, 1, sizeof(uint32_t), dump_free_slots(state)),
    ]


cdef int snapshot_load(State* state, sections) except -1:
    found = {section[0]: section for section in sections}
    if len(found) != len(sections):
        raise ValueError("a section stands twice in the snapshot")
    _load(state, found, COUNTERS, 1, sizeof(CountersItem), load_counters, required=True)
    _load(state, found, WALLETS, 1, sizeof(WalletItem), load_wallets, required=True)
    _load(state, found, ASSETS, 1, sizeof(AssetItem), load_assets, required=True)
    _load(state, found, INSTRUMENTS, 1, sizeof(InstrumentCommand), load_instruments, required=True)
    _load(state, found, BOOKS, 1, sizeof(BookItem), load_books, required=True)
    _load(state, found, ACCOUNTS, 1, sizeof(AccountItem), load_accounts, required=True)
    _load(state, found, FEE_ROWS, 1, sizeof(FeeItem), load_fees, required=False)
    _load(state, found, ORDERS, 1, sizeof(OrderItem), load_orders, required=True)
    _load(state, found, WAITING, 1, sizeof(OrderItem), load_waiting, required=False)
    _load(state, found, EXTRAS, 1, sizeof(ExtraItem), load_extras, required=False)
    _load(state, found, TAGS, 1, sizeof(TagItem), load_tags, required=False)
    _load(state, found, TIMERS, 1, sizeof(TimerItem), load_timers, required=False)
    _load(state, found, LISTS, 1, sizeof(ListItem), load_lists, required=False)
    _load(state, found, FREE_LISTS, 1, sizeof(uint32_t), load_free_lists, required=False)
    _load(state, found, GATHERED, 1, sizeof(Command), load_gathered, required=False)
    _load(state, found, BUSTS, 1, sizeof(Bust), load_busts, required=False)
    _load(state, found, PLACED_IDS, 1, sizeof(PlacedIdItem), load_placed_ids, required=False)
    _load(state, found, FREE_SLOTS, 1, sizeof(uint32_t), load_free_slots, required=True)
    if found:
        raise ValueError(f"unknown sections {sorted(found)}: a newer version of Buttonwood wrote this snapshot")
    _publish_tops(state)
    return 0


cdef int _load(
    State* state, dict found, int section, int version, size_t size, Load load, bint required
) except -1:
    """A section that is not there and not required is one that its feature had not brought yet: empty."""
    cdef Py_buffer view
    cdef size_t item_bytes
    if section not in found:
        if required:
            raise ValueError(f"section {section} is missing")
        return 0
    _, found_version, found_bytes, items = found.pop(section)
    if found_version > version or not 0 < found_bytes <= size:
        raise ValueError(f"section {section} has version {found_version} with {found_bytes} bytes an item, known is "
                         f"version {version} with {size}: a newer version of Buttonwood wrote this snapshot")
    item_bytes = found_bytes
    PyObject_GetBuffer(items, &view, PyBUF_SIMPLE)
    try:
        if view.len % item_bytes:
            raise ValueError(f"section {section}: {view.len} bytes are no multiple of {item_bytes}")
        load(state, <const char*>view.buf, <uint64_t>view.len / item_bytes, item_bytes)
    finally:
        PyBuffer_Release(&view)
    return 0


cdef void _publish_tops(State* state) noexcept:
    """What TOP events have told so far: they keep nothing back, so it is the best prices as they are."""
    cdef uint32_t instrument
    for instrument in range(1, state.books_capacity):
        if state.top_events and state.books[instrument].known:
            state.books[instrument].top = book_top(state, &state.books[instrument])
            if state.books[instrument].status == AUCTION_STATUS:
                keep_indicated(state, &state.books[instrument])
