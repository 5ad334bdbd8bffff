"""Queries. Cold paths: they may allocate, and cost O(what they return) unless a line says otherwise."""
from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from engine.core.extras cimport Extra, extra_of
from engine.core.ladder cimport Ladder, ladder_below, ladder_find_leaf, level_key
from engine.core.list_table cimport LEGS_MAX, List
from engine.core.memory cimport Block
from engine.core.pool cimport ARMED, EXTRA, LISTED, PENDING, Node
from engine.core.records cimport ListRecord, OrderRecord, WalletRecord
from engine.core.state cimport account_known, book_known, side_key
from engine.core.tags cimport expires_of, session_of
from engine.core.types cimport InstrumentCommand
from engine.core.wallets cimport Wallet, wallet_find, wallet_key


cdef list view_depth(State* state, uint32_t instrument, int side, int64_t limit):
    cdef list levels = []
    cdef Ladder* ladder
    cdef uint32_t level
    if not book_known(state, instrument):
        return levels
    ladder = &state.books[instrument].ladders[side]
    level = ladder.best_level
    while level != 0 and len(levels) < limit:
        levels.append((side_key(side, level_key(&state.shelf, level)), state.shelf.levels[level].qty_lots))
        level = ladder_below(&state.shelf, ladder, level)
    return levels


cdef int64_t view_level(State* state, uint32_t instrument, int side, int64_t price_ticks) except -1:
    """O(height of the trie)."""
    cdef Ladder* ladder
    cdef uint32_t leaf
    cdef int64_t key = side_key(side, price_ticks)
    if not book_known(state, instrument) or price_ticks < 1 or key < 0:
        return 0
    ladder = &state.books[instrument].ladders[side]
    leaf = ladder_find_leaf(&state.shelf, ladder, key)
    return state.shelf.levels[<uint64_t>leaf * 64 + <uint64_t>(key & 63)].qty_lots if leaf != 0 else 0


cdef list view_queue(State* state, uint32_t instrument, int side, int64_t limit):
    cdef list orders = []
    cdef Ladder* ladder
    cdef uint32_t level, slot
    if not book_known(state, instrument):
        return orders
    ladder = &state.books[instrument].ladders[side]
    level = ladder.best_level
    while level != 0 and len(orders) < limit:
        slot = state.shelf.levels[level].head
        while slot != 0 and len(orders) < limit:
            orders.append((state.pool.nodes[slot].price_ticks, state.pool.nodes[slot].left_lots,
                           state.pool.nodes[slot].order_id))
            slot = state.pool.nodes[slot].next
        level = ladder_below(&state.shelf, ladder, level)
    return orders


cdef list view_unseen(State* state, uint32_t instrument):
    """O(slots)."""
    cdef list orders = []
    cdef Node* node
    cdef int64_t display_lots
    cdef bint waits
    cdef uint32_t slot
    for slot in range(1, state.pool.fresh):
        node = &state.pool.nodes[slot]
        if node.order_id == 0 or node.instrument != instrument or not node.flags & EXTRA:
            continue
        display_lots = extra_of(&state.extras, slot).display_lots
        waits = node.flags & (ARMED | PENDING) != 0
        if waits or display_lots != 0:
            orders.append((node.order_id, node.side, node.price_ticks, display_lots, 0 if waits else node.left_lots))
    return orders


cdef void _fill_order(State* state, uint32_t slot, OrderRecord* record) noexcept nogil:
    cdef Node* node = &state.pool.nodes[slot]
    memset(record, 0, sizeof(OrderRecord))
    record.order_id = node.order_id
    record.slot = slot
    record.account = node.account
    record.instrument = node.instrument
    record.side = node.side
    record.order_type = node.order_type
    record.time_in_force = node.time_in_force
    record.price_ticks = node.price_ticks
    record.qty_lots = node.qty_lots
    record.left_lots = node.left_lots
    record.quote_filled = node.quote_filled
    record.time_ns = node.time_ns
    record.update_ns = node.update_ns
    memcpy(record.text, node.text, 36)
    record.session = session_of(state, slot)
    record.expires_ns = expires_of(state, slot)
    record.flags = node.flags
    if node.flags & EXTRA:
        _fill_extra(extra_of(&state.extras, slot), record)
    if node.flags & LISTED:
        record.list_id = state.lists.items[extra_of(&state.extras, slot).list].list_id


cdef void _fill_extra(Extra* extra, OrderRecord* record) noexcept nogil:
    record.stp = extra.stp
    record.display_lots = extra.display_lots
    record.left_lots += extra.hidden_lots
    record.trailing_bps = extra.trailing_bps
    record.stop_ticks = extra.stop_ticks
    record.trigger_ticks = extra.trigger_ticks
    record.working_ns = extra.working_ns


cdef bytes view_order(State* state, uint32_t slot):
    cdef OrderRecord record
    _fill_order(state, slot, &record)
    return PyBytes_FromStringAndSize(<char*>&record, sizeof(OrderRecord))


cdef bytes view_open_orders(State* state, uint32_t account, uint32_t instrument):
    """O(open orders of the account)."""
    cdef list records = []
    cdef uint32_t slot = 0
    if account_known(state, account):
        slot = state.accounts[account].first_order
    while slot != 0:
        if instrument == 0 or state.pool.nodes[slot].instrument == instrument:
            records.append(view_order(state, slot))
        slot = state.pool.links[slot].next
    return b"".join(records)


cdef object view_all_orders(State* state):
    """In order of slots. O(slots)."""
    cdef Block records = Block(state.pool.open * sizeof(OrderRecord))
    cdef OrderRecord* record = <OrderRecord*>records.data
    cdef uint32_t slot
    with nogil:
        for slot in range(1, state.pool.fresh):
            if state.pool.nodes[slot].order_id != 0:
                _fill_order(state, slot, record)
                record += 1
    return memoryview(records)


cdef bytes view_order_lists(State* state):
    """In order of place. O(lists)."""
    cdef list records = []
    cdef ListRecord record
    cdef List* kept
    cdef uint32_t place
    cdef int leg
    for place in range(1, state.lists.fresh):
        kept = &state.lists.items[place]
        if kept.list_id == 0:
            continue
        memset(&record, 0, sizeof(ListRecord))
        record.list_id, record.place = kept.list_id, place
        record.account, record.instrument = kept.account, kept.instrument
        record.list_type, record.legs = kept.list_type, kept.legs
        memcpy(record.text, kept.text, 36)
        for leg in range(LEGS_MAX):
            if kept.slots[leg] != 0:
                record.time_ns = state.pool.nodes[kept.slots[leg]].time_ns
        records.append(PyBytes_FromStringAndSize(<char*>&record, sizeof(ListRecord)))
    return b"".join(records)


cdef list sorted_wallets(State* state):
    cdef uint64_t* keys = state.wallets.keys
    return [index for _, index in sorted([(keys[i], i) for i in range(1, state.wallets.fresh) if keys[i] != 0])]


cdef bytes view_wallets(State* state):
    """O(n log n) for n wallets."""
    cdef WalletRecord record
    cdef Wallet* wallet
    cdef uint64_t key
    cdef list records = []
    for index in sorted_wallets(state):
        wallet = &state.wallets.items[<uint32_t>index]
        key = state.wallets.keys[<uint32_t>index]
        record.account, record.asset = <uint32_t>(key >> 32), <uint32_t>key
        record.available = wallet.available
        record.held = wallet.held
        records.append(PyBytes_FromStringAndSize(<char*>&record, sizeof(WalletRecord)))
    return b"".join(records)


cdef list view_account_wallets(State* state, uint32_t account):
    """O(assets)."""
    cdef list wallets = []
    cdef uint32_t asset, index
    for asset in range(1, state.assets_capacity):
        index = wallet_find(&state.wallets, wallet_key(account, asset))
        if index != 0:
            wallets.append((asset, state.wallets.items[index].available, state.wallets.items[index].held))
    return wallets


cdef list view_assets(State* state):
    return [(asset, PyBytes_FromStringAndSize(state.assets[asset].text, 36).rstrip(b"\0").decode("utf-8", "replace"),
             state.assets[asset].scale)
            for asset in range(1, state.assets_capacity) if state.assets[asset].known]


cdef bytes view_instruments(State* state):
    return b"".join([
        PyBytes_FromStringAndSize(<char*>&state.instruments[instrument], sizeof(InstrumentCommand))
        for instrument in range(1, state.books_capacity) if state.books[instrument].known])


cdef list view_timers(State* state, uint32_t account):
    """O(timers of the account)."""
    cdef list timers = []
    cdef uint32_t number = state.accounts[account].first_timer if account_known(state, account) else 0
    while number != 0:
        timers.append((state.timers[number].session, state.timers[number].instrument,
                       state.deadlines.items[state.timers[number].deadline].time_ns))
        number = state.timers[number].next
    return timers
