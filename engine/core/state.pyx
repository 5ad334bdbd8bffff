"""Start and end of the state, growth of its tables, and the two accounts every exchange has."""
from libc.stdint cimport uint32_t

from engine.core.deadlines cimport deadlines_free
from engine.core.events cimport events_free, events_init
from engine.core.extras cimport extras_free
from engine.core.id_ring cimport ring_free
from engine.core.index cimport index_free, index_init
from engine.core.ladder cimport shelf_free, shelf_init
from engine.core.list_table cimport lists_free
from engine.core.memory cimport block_free, block_grow
from engine.core.once cimport REMEMBERED_DEFAULT
from engine.core.pool cimport pool_free, pool_init
from engine.core.wallets cimport wallets_free, wallets_init


cdef bint state_init(
    State* state, size_t orders, size_t wallets, size_t accounts, size_t leaves, size_t events, uint32_t orders_max
) noexcept nogil:
    if not (pool_init(&state.pool, orders, orders_max) and shelf_init(&state.shelf, leaves)
            and wallets_init(&state.wallets, wallets) and index_init(&state.clients, orders)
            and events_init(&state.events, events)):
        return False
    if not (reserve_account(state, <uint32_t>accounts if accounts > 1 else 1) and reserve_book(state, 1)
            and reserve_asset(state, 1)):
        return False
    state.placed_ids.max = REMEMBERED_DEFAULT
    state.accounts[0].known = True
    state.accounts[1].known = state.accounts[1].takes_orders = True
    return True


cdef void state_free(State* state) noexcept nogil:
    pool_free(&state.pool)
    shelf_free(&state.shelf)
    wallets_free(&state.wallets)
    index_free(&state.clients)
    events_free(&state.events)
    extras_free(&state.extras)
    lists_free(&state.lists)
    block_free(state.books)
    block_free(state.instruments)
    block_free(state.accounts)
    block_free(state.assets)
    block_free(state.fees)
    block_free(state.tags)
    block_free(state.timers)
    block_free(state.busts)
    deadlines_free(&state.deadlines)
    ring_free(&state.placed_ids)


cdef bint reserve_book(State* state, uint32_t instrument) noexcept nogil:
    if instrument < state.books_capacity:
        return True
    cdef uint32_t capacity = _capacity(state.books_capacity, instrument)
    cdef void* books = block_grow(state.books, capacity * sizeof(Book))
    if books == NULL:
        return False
    state.books = <Book*>books
    cdef void* instruments = block_grow(state.instruments, capacity * sizeof(InstrumentCommand))
    if instruments == NULL:
        return False
    state.instruments = <InstrumentCommand*>instruments
    state.books_capacity = capacity
    return True


cdef bint reserve_account(State* state, uint32_t account) noexcept nogil:
    if account < state.accounts_capacity:
        return True
    cdef uint32_t capacity = _capacity(state.accounts_capacity, account)
    cdef void* accounts = block_grow(state.accounts, capacity * sizeof(Account))
    if accounts == NULL:
        return False
    state.accounts = <Account*>accounts
    state.accounts_capacity = capacity
    return True


cdef bint reserve_asset(State* state, uint32_t asset) noexcept nogil:
    if asset < state.assets_capacity:
        return True
    cdef uint32_t capacity = _capacity(state.assets_capacity, asset)
    cdef void* assets = block_grow(state.assets, capacity * sizeof(Asset))
    if assets == NULL:
        return False
    state.assets = <Asset*>assets
    state.assets_capacity = capacity
    return True


cdef uint32_t _capacity(uint32_t old, uint32_t identifier) noexcept nogil:
    """Room for an id, at least doubled: growth costs O(1) per id."""
    return identifier + 1 if identifier >= old * 2 else old * 2
