"""Taken back trades are an array in order of instrument and trade; a bust is rare enough for O(n)."""
from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.string cimport memcpy, memmove, memset

from engine.core.bits cimport mul_overflows
from engine.core.events cimport event_next
from engine.core.memory cimport block_grow
from engine.core.purse cimport purse_take
from engine.core.state cimport Book, Bust, account_known, book_known
from engine.core.types cimport (
    BUST, BUSTED, CAPACITY, CONFLICT, INSUFFICIENT_BALANCE, NONE, REJECTED, SELL, UNKNOWN_ACCOUNT, UNKNOWN_INSTRUMENT,
    UNKNOWN_TRADE, Code, Event)
from engine.core.wallets cimport Wallet

cdef enum:
    PARTIES = 6


cdef struct Reversal:       # wallets and what each gets back
    uint32_t[6] wallets
    int64_t[6] amounts


cdef void bust(State* state, TradeEvent* command) noexcept nogil:
    cdef Reversal reversal
    cdef Code code = _check(state, command, &reversal)
    cdef TradeEvent* event
    if code == NONE:
        code = _move(state, &reversal)
    if code != NONE:
        _refuse(state, command, code)
        return
    keep_bust(state, command.instrument, command.trade_id)
    event = <TradeEvent*>event_next(&state.events)
    memcpy(event, command, sizeof(TradeEvent))
    event.kind = BUSTED
    event.slot = 0
    event.left_lots = event.maker_left_lots = 0
    event.code = event.flags = 0


cdef Code _check(State* state, TradeEvent* command, Reversal* reversal) noexcept nogil:
    cdef Book* book
    cdef int64_t base = 0
    cdef int64_t quote = 0
    if not book_known(state, command.instrument):
        return UNKNOWN_INSTRUMENT
    if not (account_known(state, command.account) and account_known(state, command.maker_account)):
        return UNKNOWN_ACCOUNT
    book = &state.books[command.instrument]
    if (command.trade_id == 0 or command.trade_id > book.trade_id or command.fill_id < command.trade_id
            or command.fill_id > state.fill_id or command.side > SELL or command.price_ticks < 1
            or command.qty_lots < 1 or command.account == 0 or command.maker_account == 0
            or mul_overflows(command.qty_lots, book.lot_value, &base)
            or mul_overflows(command.price_ticks, command.qty_lots, &quote)
            or mul_overflows(quote, book.tick_value, &quote) or quote != command.quote_amount
            or not _fee_fits(command.taker_fee, quote if command.side else base)
            or not _fee_fits(command.maker_fee, base if command.side else quote)):
        return UNKNOWN_TRADE
    if _is_busted(state, command.instrument, command.trade_id):
        return CONFLICT
    if state.busts_count >= BUSTS_MAX:
        return CAPACITY
    _fill(state, command, book, base, quote, reversal)
    return NONE


cdef bint _fee_fits(int64_t fee, int64_t received) noexcept nogil:
    return -received <= fee <= received


cdef void _fill(
    State* state, TradeEvent* command, Book* book, int64_t base, int64_t quote, Reversal* reversal
) noexcept nogil:
    """First what goes, then what comes: no sum on the way exceeds the supply."""
    cdef int64_t taken = quote if command.side else base    # by the taker
    cdef int64_t given = base if command.side else quote
    cdef uint32_t taken_asset = book.pay_asset[1 - command.side]
    cdef uint32_t given_asset = book.pay_asset[<int>command.side]
    reversal.wallets[0] = purse_take(state, command.account, taken_asset)
    reversal.amounts[0] = command.taker_fee - taken
    reversal.wallets[1] = purse_take(state, command.maker_account, given_asset)
    reversal.amounts[1] = command.maker_fee - given
    reversal.wallets[2] = book.fee_wallet[<int>command.side]
    reversal.amounts[2] = -command.taker_fee
    reversal.wallets[3] = book.fee_wallet[1 - command.side]
    reversal.amounts[3] = -command.maker_fee
    reversal.wallets[4] = purse_take(state, command.maker_account, taken_asset)
    reversal.amounts[4] = taken
    reversal.wallets[5] = purse_take(state, command.account, given_asset)
    reversal.amounts[5] = given


cdef Code _move(State* state, Reversal* reversal) noexcept nogil:
    """All of it, or nothing when a party has not enough available."""
    cdef Wallet* wallets = state.wallets.items
    cdef int party
    cdef bint covered = True
    for party in range(PARTIES):
        wallets[reversal.wallets[party]].available += reversal.amounts[party]
    for party in range(PARTIES):
        covered &= wallets[reversal.wallets[party]].available >= 0
    if covered:
        return NONE
    for party in range(PARTIES):
        wallets[reversal.wallets[party]].available -= reversal.amounts[party]
    return INSUFFICIENT_BALANCE


cdef void _refuse(State* state, TradeEvent* command, Code code) noexcept nogil:
    cdef Event* event = event_next(&state.events)
    memset(event, 0, sizeof(Event))
    memcpy(event, command, 32)  # kind .. time_ns
    event.kind = REJECTED
    event.slot = 0
    event.order_id, event.price_ticks, event.qty_lots = command.order_id, command.price_ticks, command.qty_lots
    event.code = code
    event.flags = BUST


cdef uint32_t _place(State* state, uint32_t instrument, uint64_t trade_id) noexcept nogil:
    """Number of entries before this one."""
    cdef uint32_t low = 0
    cdef uint32_t high = state.busts_count
    cdef uint32_t middle
    cdef Bust* entry
    while low < high:
        middle = low + (high - low) / 2
        entry = &state.busts[middle]
        if entry.instrument < instrument or (entry.instrument == instrument and entry.trade_id < trade_id):
            low = middle + 1
        else:
            high = middle
    return low


cdef bint _is_busted(State* state, uint32_t instrument, uint64_t trade_id) noexcept nogil:
    cdef uint32_t place = _place(state, instrument, trade_id)
    return (place < state.busts_count and state.busts[place].instrument == instrument
            and state.busts[place].trade_id == trade_id)


cdef bint keep_bust(State* state, uint32_t instrument, uint64_t trade_id) noexcept nogil:
    cdef uint32_t place = _place(state, instrument, trade_id)
    cdef uint32_t capacity = state.busts_capacity * 2 if state.busts_capacity != 0 else 4
    cdef void* busts
    if _is_busted(state, instrument, trade_id):
        return False
    if state.busts_count == state.busts_capacity:
        busts = block_grow(state.busts, capacity * sizeof(Bust))
        if busts == NULL:
            state.failed = True
            return False
        state.busts = <Bust*>busts
        state.busts_capacity = capacity
    memmove(&state.busts[place + 1], &state.busts[place], (state.busts_count - place) * sizeof(Bust))
    memset(&state.busts[place], 0, sizeof(Bust))
    state.busts[place].instrument = instrument
    state.busts[place].trade_id = trade_id
    state.busts_count += 1
    return True
