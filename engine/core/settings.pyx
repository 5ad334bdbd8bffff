"""Checks and stores settings. Repeating an ASSET or INSTRUMENT is allowed, so set-up scripts may run twice.

An ASSET may not change at all; an INSTRUMENT may change its limits, fees and status, not what its open orders were
priced with (assets, lot_value, tick_value, symbol); an ACCOUNT may change its status. Anything else is a CONFLICT.
"""
from libc.stdint cimport uint32_t
from libc.string cimport memcmp, memcpy, memset

from engine.core.auction cimport end_day, is_crossed
from engine.core.events cimport event_next
from engine.core.fees cimport fees_follow
from engine.core.ladder cimport ladder_init
from engine.core.mass cimport bar_account, bar_book
from engine.core.purse cimport purse_take
from engine.core.state cimport (
    ACCOUNT_MAX, ASSET_MAX, INSTRUMENT_MAX, MAX_TICKS, PPM, Asset, Book, Limits, asset_known, book_known,
    reserve_account, reserve_asset, reserve_book)
from engine.core.types cimport (
    AUCTION_STATUS, BAD_COMMAND, BUY, CAPACITY, CLOSED, CONFIGURED, CONFLICT, FROZEN, NONE, REJECTED, SELL,
    TEXT_BYTES, UNKNOWN_ASSET, UNKNOWN_INSTRUMENT, Code, Command, Event)

cdef enum:
    SCALE_MAX = 18  # 10**18 is the largest power of ten an int64 holds
    BAND_UP_MAX = 100000000  # ppm: a hundred times the price; what a band multiplies stays within int64


cdef void set_asset(State* state, AssetCommand* command) noexcept nogil:
    cdef Code code = _check_asset(state, command)
    if code == NONE and not asset_known(state, command.asset):
        keep_asset(state, command.asset, command.scale, command.text)
    _report(state, command, code, 0, command.asset)


cdef void keep_asset(State* state, uint32_t asset, uint8_t scale, const char* text) noexcept nogil:
    cdef Asset* kept
    if not reserve_asset(state, asset):
        state.failed = True
        return
    kept = &state.assets[asset]
    memcpy(kept.text, text, TEXT_BYTES)
    kept.scale = scale
    kept.external_wallet = purse_take(state, 0, asset)
    kept.known = True
    state.failed |= kept.external_wallet == 0


cdef Code _check_asset(State* state, AssetCommand* command) noexcept nogil:
    cdef uint32_t other
    cdef bint same_text
    if command.asset == 0 or command.scale > SCALE_MAX or command.text[0] == 0:
        return BAD_COMMAND
    if command.asset > ASSET_MAX:
        return CAPACITY
    for other in range(1, state.assets_capacity):
        same_text = memcmp(state.assets[other].text, command.text, TEXT_BYTES) == 0
        if state.assets[other].known and (other == command.asset) != same_text:
            return CONFLICT
    if asset_known(state, command.asset) and state.assets[command.asset].scale != command.scale:
        return CONFLICT
    return NONE


cdef void set_instrument(State* state, InstrumentCommand* command) noexcept nogil:
    cdef Code code = _check_instrument(state, command)
    if code == NONE:
        keep_instrument(state, command)
    _report(state, command, code, 0, command.instrument)
    if code == NONE and command.status == CLOSED:
        end_day(state, <Command*>command, &state.books[command.instrument])


cdef void keep_instrument(State* state, InstrumentCommand* command) noexcept nogil:
    if not book_known(state, command.instrument):
        if not reserve_book(state, command.instrument):
            state.failed = True
            return
        _open_book(state, command)
    _apply_instrument(state, command)


cdef Code _check_instrument(State* state, InstrumentCommand* command) noexcept nogil:
    cdef uint32_t other
    cdef bint same_text
    if (command.instrument == 0 or command.status > CLOSED or command.text[0] == 0
            or command.base_asset == command.quote_asset or command.lot_value < 1 or command.tick_value < 1
            or command.min_lots < 1 or command.max_lots < command.min_lots or command.max_ticks < 1
            or command.max_ticks > MAX_TICKS or command.min_notional < 0 or command.maker_fee_ppm < 0
            or command.maker_fee_ppm > PPM or command.taker_fee_ppm < 0 or command.taker_fee_ppm > PPM):
        return BAD_COMMAND
    if command.instrument > INSTRUMENT_MAX:
        return CAPACITY
    if not (asset_known(state, command.base_asset) and asset_known(state, command.quote_asset)):
        return UNKNOWN_ASSET
    for other in range(1, state.books_capacity):
        same_text = memcmp(state.instruments[other].text, command.text, TEXT_BYTES) == 0
        if state.books[other].known and (other == command.instrument) != same_text:
            return CONFLICT
    if not book_known(state, command.instrument):
        return NONE
    if (state.books[command.instrument].status == AUCTION_STATUS and command.status != AUCTION_STATUS
            and is_crossed(&state.books[command.instrument])):
        return CONFLICT
    return NONE if _same_terms(state, command) else CONFLICT


cdef bint _same_terms(State* state, InstrumentCommand* command) noexcept nogil:
    cdef InstrumentCommand* old = &state.instruments[command.instrument]
    return (old.base_asset == command.base_asset and old.quote_asset == command.quote_asset
            and old.lot_value == command.lot_value and old.tick_value == command.tick_value)


cdef void _open_book(State* state, InstrumentCommand* command) noexcept nogil:
    cdef Book* book = &state.books[command.instrument]
    book.known = True
    book.instrument = command.instrument
    book.lot_value = command.lot_value
    book.tick_value = command.tick_value
    book.pay_asset[<int>BUY] = command.quote_asset
    book.pay_asset[<int>SELL] = command.base_asset
    book.fee_wallet[<int>BUY] = purse_take(state, 1, command.base_asset)
    book.fee_wallet[<int>SELL] = purse_take(state, 1, command.quote_asset)
    ladder_init(&book.ladders[<int>BUY])
    ladder_init(&book.ladders[<int>SELL])
    ladder_init(&book.triggers[0])
    ladder_init(&book.triggers[1])
    state.failed |= book.fee_wallet[<int>BUY] == 0 or book.fee_wallet[<int>SELL] == 0


cdef void _apply_instrument(State* state, InstrumentCommand* command) noexcept nogil:
    cdef Book* book = &state.books[command.instrument]
    state.instruments[command.instrument] = command[0]
    book.status = command.status
    bar_book(state, command.instrument)
    watch_book(book)
    book.min_lots = command.min_lots
    book.max_lots = command.max_lots
    book.max_ticks = command.max_ticks
    book.min_notional = command.min_notional
    book.maker_fee_ppm = command.maker_fee_ppm
    book.taker_fee_ppm = command.taker_fee_ppm
    fees_follow(state, book)


cdef void set_limits(State* state, LimitsCommand* command) noexcept nogil:
    cdef Code code = NONE
    cdef Limits limits
    if (command.max_notional < 0 or command.reference_ticks < 0 or command.reference_ticks > MAX_TICKS
            or command.band_up_ppm > BAND_UP_MAX or command.band_down_ppm > PPM):
        code = BAD_COMMAND
    elif not book_known(state, command.instrument):
        code = UNKNOWN_INSTRUMENT
    else:
        limits.max_notional = command.max_notional
        limits.reference_ticks = command.reference_ticks
        limits.band_up_ppm = command.band_up_ppm
        limits.band_down_ppm = command.band_down_ppm
        limits.orders_max = command.orders_max
        keep_limits(&state.books[command.instrument], &limits)
    _report(state, command, code, 0, command.instrument)


cdef void keep_limits(Book* book, Limits* limits) noexcept nogil:
    book.limits = limits[0]
    watch_book(book)


cdef void watch_book(Book* book) noexcept nogil:
    cdef Limits* limits = &book.limits
    book.limited = (limits.max_notional != 0 or limits.band_up_ppm != 0 or limits.band_down_ppm != 0
                    or limits.orders_max != 0 or book.slippage_ppm != 0 or book.icebergs != 0
                    or book.status == AUCTION_STATUS)


cdef void set_account(State* state, AccountCommand* command) noexcept nogil:
    cdef Code code = NONE
    if command.account == 0 or command.status > FROZEN:
        code = BAD_COMMAND
    elif command.account > ACCOUNT_MAX:
        code = CAPACITY
    elif not reserve_account(state, command.account):
        state.failed = True
        return
    else:
        state.accounts[command.account].known = True
        state.accounts[command.account].status = command.status
        state.accounts[command.account].trade_group = command.trade_group
        bar_account(state, command.account)
    _report(state, command, code, command.account, 0)


cdef void _report(State* state, void* command, Code code, uint32_t account, uint32_t identifier) noexcept nogil:
    """CONFIGURED or REJECTED; flags names the kind of command, as the ids of assets and instruments look alike."""
    cdef AssetCommand* common = <AssetCommand*>command  # kind, seq, time_ns and text lie alike in all four
    cdef Event* event = event_next(&state.events)
    memset(event, 0, sizeof(Event))
    event.kind = CONFIGURED if code == NONE else REJECTED
    event.account = account
    event.instrument = identifier
    event.seq = common.seq
    event.time_ns = common.time_ns
    memcpy(event.text, common.text, TEXT_BYTES)
    event.code = code
    event.flags = common.kind
