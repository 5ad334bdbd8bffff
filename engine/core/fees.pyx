"""Rows are made by the first schedule of an instrument and never given back."""
from libc.stdint cimport int32_t, uint8_t, uint32_t

from engine.core.memory cimport block_grow
from engine.core.reports cimport report_control
from engine.core.settlement cimport fee_of
from engine.core.state cimport PPM, FeeRow, account_known, book_known
from engine.core.types cimport BAD_COMMAND, CONFIGURED, NONE, UNKNOWN_ACCOUNT, UNKNOWN_INSTRUMENT, Code


cdef void set_fees(State* state, ControlCommand* command) noexcept nogil:
    cdef Code code = _check(state, command)
    if code == NONE:
        keep_fees(state, &state.books[command.instrument], command.tier, command.maker_fee_ppm,
                  command.taker_fee_ppm, command.mode == 0)
    report_control(state, command, CONFIGURED, code)


cdef void keep_fees(
    State* state, Book* book, int tier, int64_t maker_fee_ppm, int64_t taker_fee_ppm, bint own
) noexcept nogil:
    cdef FeeRow* row
    if not _open_rows(state, book):
        state.failed = True
        return
    row = &state.fees[book.fee_rows + <uint32_t>tier]
    row.own = own
    row.maker_fee_ppm = <int32_t>maker_fee_ppm
    row.taker_fee_ppm = <int32_t>taker_fee_ppm
    fees_follow(state, book)


cdef Code _check(State* state, ControlCommand* command) noexcept nogil:
    if (command.tier >= TIERS or command.mode > 1 or command.maker_fee_ppm > PPM or command.maker_fee_ppm < -PPM
            or command.taker_fee_ppm > PPM or command.taker_fee_ppm < -PPM):
        return BAD_COMMAND
    return NONE if book_known(state, command.instrument) else UNKNOWN_INSTRUMENT


cdef bint _open_rows(State* state, Book* book) noexcept nogil:
    """TIERS rows for a book that has none; the first TIERS of all belong to nobody, so that 0 means none."""
    cdef void* fees
    cdef uint32_t capacity
    if book.fee_rows != 0:
        return True
    if state.fee_rows + 2 * TIERS > state.fee_rows_capacity:
        capacity = (state.fee_rows + 2 * TIERS) * 2
        fees = block_grow(state.fees, capacity * sizeof(FeeRow))
        if fees == NULL:
            return False
        state.fees = <FeeRow*>fees
        state.fee_rows_capacity = capacity
    state.fee_rows += TIERS
    book.fee_rows = state.fee_rows
    return True


cdef void fees_follow(State* state, Book* book) noexcept nogil:
    cdef FeeRow* rows
    cdef int tier
    if book.fee_rows == 0:
        return
    rows = &state.fees[book.fee_rows]
    if not rows[0].own:
        rows[0].maker_fee_ppm = <int32_t>book.maker_fee_ppm
        rows[0].taker_fee_ppm = <int32_t>book.taker_fee_ppm
    for tier in range(1, TIERS):
        if not rows[tier].own:
            rows[tier].maker_fee_ppm = rows[0].maker_fee_ppm
            rows[tier].taker_fee_ppm = rows[0].taker_fee_ppm


cdef void set_tier(State* state, ControlCommand* command) noexcept nogil:
    cdef Code code = NONE
    if command.tier >= TIERS:
        code = BAD_COMMAND
    elif not account_known(state, command.account):
        code = UNKNOWN_ACCOUNT
    else:
        state.accounts[command.account].tier = <uint8_t>command.tier
    report_control(state, command, CONFIGURED, code)


cdef Fees tier_fees(
    State* state, Book* book, int side, uint32_t taker, uint32_t maker, int64_t taker_gets, int64_t maker_gets
) noexcept nogil:
    cdef FeeRow* rows = &state.fees[book.fee_rows]
    cdef int64_t taker_ppm = rows[state.accounts[taker].tier].taker_fee_ppm
    cdef int64_t maker_ppm = rows[state.accounts[maker].tier].maker_fee_ppm
    cdef Fees fees
    fees.taker = _payable(state, taker, book.fee_wallet[side], fee_of(taker_gets, taker_ppm))
    fees.maker = _payable(state, maker, book.fee_wallet[1 - side], fee_of(maker_gets, maker_ppm))
    return fees


cdef inline int64_t _payable(State* state, uint32_t account, uint32_t wallet, int64_t fee) noexcept nogil:
    cdef int64_t available = state.wallets.items[wallet].available if account != FEE_ACCOUNT else 0
    return fee if fee >= -available else -available


cdef int64_t party_fee(
    State* state, Book* book, uint32_t account, int side, int64_t received, bint taker
) noexcept nogil:
    cdef int64_t ppm = book.taker_fee_ppm if taker else book.maker_fee_ppm
    cdef FeeRow* row
    if book.fee_rows != 0:
        row = &state.fees[book.fee_rows + state.accounts[account].tier]
        ppm = row.taker_fee_ppm if taker else row.maker_fee_ppm
    return _payable(state, account, book.fee_wallet[side], fee_of(received, ppm))
