"""64-bit hash of the state in an order that does not depend on where things lie in memory.

Covers seq, time, counters, settings, account states, wallets that hold something, and every open order in the order in
which it would trade. Slots and capacities are left out: they are places, not state. A checksum against bugs and damage,
not against forgery. O(state).

Journals hold these hashes: what an older state had must hash as before. A new field goes in by _mix_if, which passes
over 0; whoever changes anything else raises DIGEST_VERSION.
"""
from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport qsort
from libc.string cimport memcpy, memset

from engine.core.bits cimport prefetch
from engine.core.extras cimport Extra, extra_of
from engine.core.fees cimport TIERS
from engine.core.ladder cimport Ladder, ladder_below
from engine.core.list_table cimport List
from engine.core.memory cimport block_free, block_grow
from engine.core.once cimport REMEMBERED_DEFAULT
from engine.core.pool cimport EXTRA, PENDING, Node
from engine.core.state cimport Book, FeeRow, Timer
from engine.core.tags cimport expires_of, session_of
from engine.core.types cimport Command, InstrumentCommand
from engine.core.wallets cimport Wallet

cdef enum:
    SCOUTS = 8
    LEAD = 512          # orders asked for and not mixed yet: they must stay in the cache

# Walk the queues of the price levels ahead side by side, so that many orders come from memory at once: one queue alone
# waits for each of its orders in turn.
cdef struct Scouts:
    uint32_t[SCOUTS] slots      # where each is; 0: it needs a price level
    uint32_t turn
    uint32_t level              # the last one that was given out; 0: there are no more
    int lead

cdef struct Place:      # of a wallet
    uint64_t key
    uint32_t index


cdef bint state_digest(State* state, uint64_t* digest) noexcept nogil:
    digest[0] = _mix(_mix(_mix(0, state.seq), <uint64_t>state.time_ns), state.fill_id)
    if state.broken_seq:
        digest[0] = _mix(digest[0], state.broken_seq)
    digest[0] = _mix_assets(digest[0], state)
    digest[0] = _mix_accounts(digest[0], state)
    digest[0] = _mix_books(digest[0], state)
    digest[0] = _mix_if(digest[0], 4, state.killed)
    digest[0] = _mix_lists(digest[0], state)
    digest[0] = _mix_busts(digest[0], state)
    digest[0] = _mix_if(_mix_if(digest[0], 13, state.placed_ids.max ^ REMEMBERED_DEFAULT), 14, state.placed_ids.digest)
    return _mix_wallets(digest, state)


cdef inline uint64_t _mix(uint64_t digest, uint64_t word) noexcept nogil:
    digest = (digest ^ word) * <uint64_t>0x9E3779B97F4A7C15
    return digest ^ (digest >> 29)


cdef inline uint64_t _mix_if(uint64_t digest, uint64_t tag, uint64_t word) noexcept nogil:
    """For a field that younger features brought: 0, as in every older journal, leaves the hash as it was."""
    return _mix(_mix(digest, tag), word) if word != 0 else digest


cdef uint64_t _mix_bytes(uint64_t digest, const void* data, size_t size) noexcept nogil:
    """The last word is filled up with zeros."""
    cdef uint64_t word = 0
    cdef size_t offset
    for offset in range(0, size & ~<size_t>7, 8):
        memcpy(&word, <const char*>data + offset, 8)
        digest = _mix(digest, word)
    if size & 7:
        word = 0
        memcpy(&word, <const char*>data + (size & ~<size_t>7), size & 7)
        digest = _mix(digest, word)
    return digest


cdef uint64_t _mix_assets(uint64_t digest, State* state) noexcept nogil:
    cdef uint32_t asset
    for asset in range(1, state.assets_capacity):
        if state.assets[asset].known:
            digest = _mix_bytes(_mix(digest, asset), state.assets[asset].text, 36)
            digest = _mix(digest, state.assets[asset].scale)
    return digest


cdef uint64_t _mix_accounts(uint64_t digest, State* state) noexcept nogil:
    cdef uint32_t account
    for account in range(state.accounts_capacity):
        if state.accounts[account].known:
            digest = _mix(_mix(digest, account), state.accounts[account].status)
            digest = _mix_if(digest, 1, state.accounts[account].trade_group)
            digest = _mix_if(digest, 3, state.accounts[account].tier)
            digest = _mix_if(digest, 5, state.accounts[account].killed)
            digest = _mix_timers(digest, state, state.accounts[account].first_timer)
    return digest


cdef uint64_t _mix_timers(uint64_t digest, State* state, uint32_t number) noexcept nogil:
    cdef Timer* timer
    while number != 0:
        timer = &state.timers[number]
        digest = _mix(_mix(_mix(digest, 10), timer.session), timer.instrument)
        digest = _mix(digest, <uint64_t>state.deadlines.items[timer.deadline].time_ns)
        digest = _mix(digest, state.deadlines.items[timer.deadline].seq)
        number = timer.next
    return digest


cdef uint64_t _mix_busts(uint64_t digest, State* state) noexcept nogil:
    cdef uint32_t index
    for index in range(state.busts_count):
        digest = _mix(_mix(_mix(digest, 12), state.busts[index].instrument), state.busts[index].trade_id)
    return digest


cdef uint64_t _mix_books(uint64_t digest, State* state) noexcept nogil:
    cdef uint32_t instrument
    cdef Book* book
    cdef int side
    for instrument in range(1, state.books_capacity):
        book = &state.books[instrument]
        if not book.known:
            continue
        digest = _mix_bytes(digest, &state.instruments[instrument], sizeof(InstrumentCommand))
        digest = _mix(_mix(digest, book.update_id), book.trade_id)
        digest = _mix_if(digest, 2, book.prevented_id)
        digest = _mix_if(digest, 6, book.killed)
        digest = _mix_if(digest, 7, book.day_end_s)
        digest = _mix_if(digest, 11, book.slippage_ppm)
        if book.limited:
            digest = _mix_limits(digest, book)
        if book.fee_rows != 0:
            digest = _mix_fees(digest, &state.fees[book.fee_rows])
        for side in range(2):
            digest = _mix_side(digest, state, &book.ladders[side], side)
        if book.armed != 0:
            for side in range(2):
                digest = _mix_side(digest, state, &book.triggers[side], 2 + side)
    return digest


cdef uint64_t _mix_limits(uint64_t digest, Book* book) noexcept nogil:
    digest = _mix(_mix(digest, <uint64_t>book.limits.max_notional), <uint64_t>book.limits.reference_ticks)
    digest = _mix(_mix(digest, <uint64_t>book.limits.band_up_ppm), <uint64_t>book.limits.band_down_ppm)
    return _mix(_mix(digest, book.limits.orders_max), <uint64_t>book.last_ticks)


cdef uint64_t _mix_fees(uint64_t digest, FeeRow* rows) noexcept nogil:
    cdef int tier
    for tier in range(TIERS):
        if rows[tier].own:
            digest = _mix(_mix(digest, <uint64_t>(256 + tier)), <uint64_t>rows[tier].maker_fee_ppm)
            digest = _mix(digest, <uint64_t>rows[tier].taker_fee_ppm)
    return digest


cdef uint64_t _mix_side(uint64_t digest, State* state, Ladder* ladder, int side) noexcept nogil:
    cdef uint32_t level = ladder.best_level
    cdef uint32_t slot, after
    cdef Scouts scouts
    memset(&scouts, 0, sizeof(scouts))
    scouts.level = level
    while level != 0:
        slot = state.shelf.levels[level].head
        while slot != 0:
            after = state.pool.nodes[slot].next
            _ask_for(state, after)
            _scout(state, ladder, &scouts)
            digest = _mix_order(digest, &state.pool.nodes[slot])
            if state.pool.nodes[slot].flags & EXTRA:
                digest = _mix_extra(digest, extra_of(&state.extras, slot))
                digest = _mix_trail(digest, state, extra_of(&state.extras, slot))
            digest = _mix_if(digest, 8, session_of(state, slot))
            digest = _mix_if(digest, 9, <uint64_t>expires_of(state, slot))
            slot = after
        level = ladder_below(&state.shelf, ladder, level)
    return _mix(digest, <uint64_t>side)


cdef inline void _ask_for(State* state, uint32_t slot) noexcept nogil:
    prefetch(&state.pool.nodes[slot])
    prefetch(state.pool.nodes[slot].text)


cdef inline void _scout(State* state, Ladder* ladder, Scouts* scouts) noexcept nogil:
    """Called for every order: takes a step, or two until there is a lead."""
    scouts.lead -= 1
    scouts.lead += _step(state, ladder, scouts)
    if scouts.lead < LEAD:
        scouts.lead += _step(state, ladder, scouts)


cdef int _step(State* state, Ladder* ladder, Scouts* scouts) noexcept nogil:
    """The next scout in turn goes on in its queue, or to the next price level; 1: it has asked for an order."""
    cdef uint32_t* slot = &scouts.slots[scouts.turn]
    scouts.turn = (scouts.turn + 1) % SCOUTS
    if slot[0] != 0:
        slot[0] = state.pool.nodes[slot[0]].next
    elif scouts.level != 0:
        scouts.level = ladder_below(&state.shelf, ladder, scouts.level)
        slot[0] = state.shelf.levels[scouts.level].head if scouts.level != 0 else 0
    if slot[0] == 0:
        return 0
    _ask_for(state, slot[0])
    return 1


cdef uint64_t _mix_order(uint64_t digest, Node* node) noexcept nogil:
    digest = _mix(_mix(digest, node.order_id), <uint64_t>node.price_ticks)
    digest = _mix(_mix(digest, <uint64_t>node.left_lots), <uint64_t>node.quote_filled)
    digest = _mix(_mix(digest, node.account), <uint64_t>node.order_type << 8 | node.time_in_force)
    digest = _mix(_mix(digest, <uint64_t>node.qty_lots), <uint64_t>node.time_ns)
    return _mix_bytes(_mix(digest, <uint64_t>node.update_ns), node.text, 36)


cdef uint64_t _mix_extra(uint64_t digest, Extra* extra) noexcept nogil:
    digest = _mix(_mix(digest, <uint64_t>extra.stop_ticks), <uint64_t>extra.trigger_ticks)
    digest = _mix(_mix(digest, <uint64_t>extra.hold_ticks), extra.trailing_bps)
    digest = _mix_if(_mix_if(digest, 3, extra.list), 4, extra.leg)
    digest = _mix_if(_mix_if(digest, 5, <uint64_t>extra.display_lots), 6, <uint64_t>extra.hidden_lots)
    return _mix(_mix(digest, extra.stp), extra.direction)


cdef uint64_t _mix_trail(uint64_t digest, State* state, Extra* extra) noexcept nogil:
    """The list's order is state: it is the one in which its orders come to equal triggers."""
    if extra.extreme_ticks == 0:
        return digest
    return _mix(_mix(digest, <uint64_t>extra.extreme_ticks), state.pool.nodes[extra.trail_next].order_id)


cdef uint64_t _mix_lists(uint64_t digest, State* state) noexcept nogil:
    """Lists, their pending legs, and what has come of one on its way in. Places are state: commands name them."""
    cdef List* item
    cdef uint32_t place, slot
    cdef int leg
    for place in range(1, state.lists.fresh):
        item = &state.lists.items[place]
        if item.list_id == 0:
            continue
        digest = _mix(_mix(_mix(digest, item.list_id), place), <uint64_t>item.excess)
        digest = _mix_bytes(_mix(_mix(digest, item.list_type), item.stage), item.text, 36)
        for leg in range(item.legs):
            slot = item.slots[leg]
            digest = _mix(digest, state.pool.nodes[slot].order_id)
            if slot != 0 and state.pool.nodes[slot].flags & PENDING:
                digest = _mix_order(digest, &state.pool.nodes[slot])
                digest = _mix_extra(digest, extra_of(&state.extras, slot))
    if state.lists.expected != 0:
        digest = _mix_bytes(digest, &state.lists.commands[0], state.lists.gathered * sizeof(Command))
    return digest


cdef bint _mix_wallets(uint64_t* digest, State* state) noexcept nogil:
    """In order of account and asset."""
    cdef Place* places = <Place*>block_grow(NULL, state.wallets.count * sizeof(Place))
    cdef Wallet* wallet
    cdef uint32_t index
    cdef uint32_t count = 0
    if places == NULL:
        return False
    for index in range(1, state.wallets.fresh):
        wallet = &state.wallets.items[index]
        if wallet.available != 0 or wallet.held != 0:
            places[count].key = state.wallets.keys[index]
            places[count].index = index
            count += 1
    qsort(places, count, sizeof(Place), _compare)
    for index in range(count):
        wallet = &state.wallets.items[places[index].index]
        digest[0] = _mix(_mix(_mix(digest[0], places[index].key), <uint64_t>wallet.available), <uint64_t>wallet.held)
    block_free(places)
    return True


cdef int _compare(const void* one, const void* other) noexcept nogil:
    """No two wallets have the same key."""
    return 1 if (<const Place*>one).key > (<const Place*>other).key else -1
