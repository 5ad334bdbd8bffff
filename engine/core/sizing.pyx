"""Blocks never shrink, so what is there already is only touched."""
from engine.core.events cimport events_reserve
from engine.core.index cimport Index, index_expand
from engine.core.ladder cimport shelf_reserve
from engine.core.memory cimport block_touch
from engine.core.pool cimport pool_reserve
from engine.core.state cimport reserve_account, reserve_book
from engine.core.wallets cimport wallets_reserve


cdef bint size_state(State* state, Sizes* sizes) noexcept nogil:
    if sizes.orders != 0 and not (
            pool_reserve(&state.pool, sizes.orders + 1) and index_expand(&state.clients, sizes.orders)):
        return False
    if sizes.wallets != 0 and not wallets_reserve(&state.wallets, sizes.wallets):
        return False
    if sizes.accounts != 0 and not reserve_account(state, sizes.accounts):
        return False
    if sizes.instruments != 0 and not reserve_book(state, sizes.instruments):
        return False
    if sizes.leaves != 0 and not shelf_reserve(&state.shelf, sizes.leaves):
        return False
    if sizes.events != 0 and not events_reserve(&state.events, sizes.events):
        return False
    _touch(state)
    return True


cdef void _touch(State* state) noexcept nogil:
    block_touch(state.pool.nodes)
    block_touch(state.pool.links)
    block_touch(state.shelf.levels)
    block_touch(state.shelf.leaves)
    block_touch(state.shelf.branches)
    block_touch(state.wallets.items)
    block_touch(state.wallets.keys)
    block_touch(state.books)
    block_touch(state.instruments)
    block_touch(state.accounts)
    block_touch(state.events.items)
    _touch_index(&state.clients)
    _touch_index(&state.wallets.index)


cdef void _touch_index(Index* index) noexcept nogil:
    block_touch(index.table.buckets)
