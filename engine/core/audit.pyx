"""Raises AssertionError naming the first thing that is not as it must be."""
from libc.stdint cimport int64_t, uint32_t, uint64_t

from engine.core.audit_ids cimport audit_ids
from engine.core.audit_extras cimport audit_extras, audit_icebergs, audit_lists, audit_triggers
from engine.core.clients cimport client_find
from engine.core.iceberg cimport open_lots
from engine.core.ladder cimport FAN_BITS, LOW_ROOT, NO_KEY, Ladder, Level, ladder_below, level_key
from engine.core.pool cimport ARMED, EXTRA, NAMED, PENDING, UNFUNDED, Node
from engine.core.state cimport Book, pay_per_lot, side_key
from engine.core.types cimport AUCTION_STATUS, GTD
from engine.core.wallets cimport Wallet, wallet_find


cdef int audit(State* state) except -1:
    held = {}
    orders = 0
    leaves = 0
    armed = 0
    for instrument in range(1, state.books_capacity):
        if state.books[instrument].known:
            for side in range(2):
                orders += _audit_side(state, instrument, side, held)
                leaves += _audit_trie(state, &state.books[<uint32_t>instrument].ladders[<int>side])
            waiting = audit_triggers(state, instrument, held)
            for side in range(2):
                leaves += _audit_trie(state, &state.books[<uint32_t>instrument].triggers[<int>side])
            orders += waiting
            armed += waiting
            _audit_uncrossed(&state.books[<uint32_t>instrument], instrument)
    lists, pending = audit_lists(state, held)
    orders += pending
    _expect(armed + lists == state.watched, "watched", state.watched, armed + lists)
    _expect(orders == state.pool.open, "pool.open", state.pool.open, orders)
    _audit_free_lists(state, orders, leaves)
    _audit_accounts(state, orders)
    _audit_clients(state)
    _audit_wallets(state, held)
    audit_extras(state)
    audit_icebergs(state)
    _audit_deadlines(state)
    audit_ids(&state.placed_ids)
    return 0


cdef int _expect(bint holds, str what, found, expected) except -1:
    if not holds:
        raise AssertionError(f"{what}: found {found}, expected {expected}")
    return 0


cdef object _audit_side(State* state, uint32_t instrument, int side, dict held):
    """Levels strictly falling, sums and queues right; adds what the orders hold to held[wallet]."""
    cdef Ladder* ladder = &state.books[instrument].ladders[side]
    cdef uint32_t level = ladder.best_level
    cdef int64_t above = ladder.best_key + 1
    orders = 0
    _expect((level == 0) == (ladder.best_key == NO_KEY), "best level of an empty side", level, ladder.best_key)
    while level != 0:
        key = level_key(&state.shelf, level)
        _expect(key < above, f"order of levels, instrument {instrument} side {side}", key, above - 1)
        _expect(above != ladder.best_key + 1 or key == ladder.best_key, "best_key", ladder.best_key, key)
        orders += _audit_level(state, instrument, side, level, held)
        above = key
        level = ladder_below(&state.shelf, ladder, level)
    return orders


cdef object _audit_level(State* state, uint32_t instrument, int side, uint32_t level, dict held):
    cdef Level* queue = &state.shelf.levels[level]
    cdef uint32_t slot = queue.head
    cdef uint32_t before = 0
    cdef Node* node
    orders, lots, last_id = 0, 0, 0
    while slot != 0:
        node = &state.pool.nodes[slot]
        _expect(node.prev == before and node.level == level, f"links of slot {slot}", node.prev, before)
        _expect(node.instrument == instrument and node.side == side, f"book of {slot}", node.instrument, instrument)
        _expect(side_key(side, node.price_ticks) == level_key(&state.shelf, level), "price", node.price_ticks, level)
        _expect(0 < node.left_lots <= state.pool.nodes[slot].qty_lots, f"left_lots of {slot}", node.left_lots, "> 0")
        if not node.flags & EXTRA:
            _expect(last_id < node.order_id, "queue", node.order_id, "rising")
            last_id = node.order_id
        _expect(not node.flags & (ARMED | PENDING | UNFUNDED), f"flags of slot {slot}", node.flags, "not waiting")
        _expect(open_lots(state, slot) <= state.pool.nodes[slot].qty_lots, f"open_lots of {slot}", node.left_lots,
                state.pool.nodes[slot].qty_lots)
        money = open_lots(state, slot) * pay_per_lot(&state.books[instrument], side, node.price_ticks)
        held[node.pay_wallet] = held.get(node.pay_wallet, 0) + money
        orders += 1
        lots += node.left_lots
        before = slot
        slot = node.next
    _expect(queue.tail == before and orders > 0, f"tail of level {level}", queue.tail, before)
    _expect(queue.qty_lots == lots, f"quantity of level {level}", queue.qty_lots, lots)
    return orders


cdef int _audit_uncrossed(Book* book, instrument) except -1:
    cdef int64_t bid = book.ladders[0].best_key
    cdef int64_t ask = side_key(1, book.ladders[1].best_key)
    if bid != NO_KEY and book.ladders[1].best_key != NO_KEY and book.status != AUCTION_STATUS:
        _expect(bid < ask, f"crossed book of instrument {instrument}", bid, ask)
    return 0


cdef object _audit_trie(State* state, Ladder* ladder):
    """Every branch has at least one child and its own parent, a high root two or more. Returns the leaves' number."""
    if ladder.root == 0:
        _expect(ladder.height == 0, "height of an empty ladder", ladder.height, 0)
        return 0
    if ladder.height > LOW_ROOT:
        bits = state.shelf.branches[ladder.root].bits
        _expect(bits & (bits - 1) != 0, "children of a high root", bin(bits), "at least two")
    return _audit_place(state, ladder.root, ladder.height, ladder.prefix, 0)


cdef object _audit_place(State* state, uint32_t place, uint32_t height, int64_t prefix, uint32_t parent):
    cdef int child
    if height == 0:
        _expect(state.shelf.leaves[place].prefix == prefix, f"prefix of leaf {place}", prefix, "as its place")
        _expect(state.shelf.leaves[place].parent == parent, f"parent of leaf {place}", parent, "as its place")
        _audit_leaf(state, place)
        return 1
    _expect(state.shelf.branches[place].parent == parent, f"parent of branch {place}", parent, "as its place")
    _expect(state.shelf.branches[place].bits != 0, f"children of branch {place}", 0, "at least one")
    leaves = 0
    for child in range(64):
        if (state.shelf.branches[place].bits >> child) & 1:
            leaves += _audit_place(
                state, state.shelf.branches[place].children[child], height - 1, (prefix << FAN_BITS) | child, place)
    return leaves


cdef int _audit_leaf(State* state, uint32_t leaf) except -1:
    cdef int position
    for position in range(64):
        occupied = (state.shelf.leaves[leaf].bits >> position) & 1
        head = state.shelf.levels[<uint64_t>leaf * 64 + <uint64_t>position].head
        _expect(occupied == (head != 0), f"bit {position} of leaf {leaf}", occupied, head != 0)
    _expect(state.shelf.leaves[leaf].bits != 0, f"bits of leaf {leaf}", 0, "at least one")
    return 0


cdef int _audit_free_lists(State* state, orders, leaves) except -1:
    cdef uint32_t slot = state.pool.free
    cdef uint32_t leaf = state.shelf.leaf_free
    free = 0
    while slot != 0:
        _expect(state.pool.nodes[slot].order_id == 0, f"order_id of free slot {slot}", "an order", 0)
        free += 1
        slot = state.pool.nodes[slot].next
    _expect(free + orders == state.pool.fresh - 1, "slots free and in use", free + orders, state.pool.fresh - 1)
    free = 0
    while leaf != 0:
        _expect(state.shelf.leaves[leaf].bits == 0, f"bits of free leaf {leaf}", state.shelf.leaves[leaf].bits, 0)
        free += 1
        leaf = state.shelf.leaves[leaf].parent
    _expect(free + leaves == state.shelf.leaf_fresh - 1, "leaves", free + leaves, state.shelf.leaf_fresh - 1)
    return 0


cdef int _audit_accounts(State* state, orders) except -1:
    cdef uint32_t account, slot, before
    found = 0
    for account in range(state.accounts_capacity):
        slot = state.accounts[account].first_order
        before = 0
        count = 0
        while slot != 0:
            _expect(state.pool.nodes[slot].account == account, f"owner of slot {slot}",
                    state.pool.nodes[slot].account, account)
            _expect(state.pool.links[slot].prev == before, f"account list at slot {slot}",
                    state.pool.links[slot].prev, before)
            _expect(state.pool.nodes[before].order_id < state.pool.nodes[slot].order_id or before == 0,
                    f"account list of {account}", "unsorted", "by order_id")
            before = slot
            count += 1
            slot = state.pool.links[slot].next
        _expect(state.accounts[account].last_order == before, f"last order of account {account}",
                state.accounts[account].last_order, before)
        _expect(state.accounts[account].open_orders == count, f"open_orders of account {account}",
                state.accounts[account].open_orders, count)
        found += count
    _expect(found == orders, "orders in account lists", found, orders)
    return 0


cdef int _audit_clients(State* state) except -1:
    cdef uint32_t slot
    cdef Node* node
    named = 0
    for slot in range(1, state.pool.fresh):
        if state.pool.nodes[slot].order_id == 0 or not state.pool.nodes[slot].flags & NAMED:
            continue
        node = &state.pool.nodes[slot]
        found = client_find(&state.clients, &state.pool, node.account, node.text, node.hash)
        _expect(found == slot, f"client index of slot {slot}", found, slot)
        named += 1
    _expect(state.clients.count == named, "entries of the client index", state.clients.count, named)
    return 0


cdef int _audit_wallets(State* state, dict held) except -1:
    cdef Wallet* wallet
    cdef uint64_t key
    cdef uint32_t index
    sums = {}
    for index in range(1, state.wallets.fresh):
        wallet, key = &state.wallets.items[index], state.wallets.keys[index]
        if key == 0:
            _expect(wallet.available == 0 and wallet.held == 0, f"wallet {index}, kept for later", "money", 0)
            continue
        account, asset = key >> 32, key & 0xFFFFFFFF
        _expect(wallet_find(&state.wallets, key) == index, f"wallet table at {account}/{asset}", "none", index)
        _expect(account == 0 or wallet.available >= 0, f"available of {account}/{asset}", wallet.available, ">= 0")
        _expect(wallet.held == held.get(index, 0), f"held of {account}/{asset}", wallet.held, held.get(index, 0))
        sums[asset] = sums.get(asset, 0) + wallet.available + wallet.held
    for asset, total in sums.items():
        _expect(total == 0, f"sum over all accounts of asset {asset}", total, 0)
    _expect(state.wallets.items[0].available == 0 and state.wallets.items[0].held == 0, "wallet 0", "money", 0)
    return 0


cdef int _audit_deadlines(State* state) except -1:
    """Each order that expires and each timer has one entry of its own, and no other entry is there."""
    cdef uint32_t slot, account, number, place, handle
    found = 0
    for slot in range(1, state.pool.fresh):
        if state.pool.nodes[slot].order_id == 0:
            continue
        handle = state.tags[slot].deadline if slot < state.tags_capacity else 0
        _expect((handle != 0) == (state.pool.nodes[slot].time_in_force >= GTD), f"deadline of slot {slot}", handle, "")
        if handle != 0:
            _expect(state.deadlines.items[handle].subject == slot and not state.deadlines.items[handle].timer,
                    f"subject of deadline {handle}", state.deadlines.items[handle].subject, slot)
            found += 1
    for account in range(state.accounts_capacity):
        number = state.accounts[account].first_timer
        while number != 0:
            handle = state.timers[number].deadline
            _expect(state.timers[number].account == account and state.deadlines.items[handle].subject == number
                    and state.deadlines.items[handle].timer, f"timer {number}", state.timers[number].account, account)
            found += 1
            number = state.timers[number].next
    _expect(state.deadlines.count == found, "deadlines", state.deadlines.count, found)
    for place in range(1, state.deadlines.count + 1):
        handle = state.deadlines.heap[place]
        _expect(state.deadlines.items[handle].place == place, f"place of deadline {handle}", 0, place)
        _expect(place == 1 or state.deadlines.items[state.deadlines.heap[place / 2]].time_ns
                <= state.deadlines.items[handle].time_ns, f"deadline at {place}", "earlier than its parent", "later")
    return 0
