"""Moves the money of one trade. The maker pays from what it holds, the taker from what was taken at admission.

Fees are floor(received * ppm / 10**6) of what each side receives. What the taker receives is gathered and credited once
at the end of the command, so a sweep over n makers touches its wallet twice, not n times.
"""
from libc.stdint cimport INT64_MAX, int64_t, uint32_t, uint64_t

from engine.core.pool cimport Node
from engine.core.purse cimport purse_take
from engine.core.state cimport PPM, Book, State
from engine.core.taker cimport Taker
from engine.core.wallets cimport Wallet


cdef inline int64_t fee_of(int64_t received, int64_t ppm) noexcept nogil:
    """Exact without 128 bits: where the product may not fit, the millions and the rest are charged apart."""
    if received <= INT64_MAX / PPM:
        return received * ppm / PPM
    return received / PPM * ppm + received % PPM * ppm / PPM


cdef inline bint is_short(int64_t amounts) noexcept nogil:
    """Is each of the amounts that were or-ed together certain to leave room for a fee's product?"""
    return amounts < <int64_t>1 << 43   # the power of two below INT64_MAX / PPM


cdef inline int64_t charge_of(int64_t received, int64_t ppm) noexcept nogil:
    """fee_of for what is_short and no rebate: a division of unsigned numbers is shorter."""
    return <int64_t>(<uint64_t>(received * ppm) / <uint64_t>PPM)


cdef inline void settle(
    State* state, Taker* taker, Node* maker, int64_t taker_gets, int64_t maker_gets, int64_t taker_fee,
    int64_t maker_fee
) noexcept nogil:
    cdef Book* book = taker.book
    cdef Wallet* wallets
    if maker.receive_wallet == 0:
        maker.receive_wallet = purse_take(state, maker.account, book.pay_asset[taker.side])
    wallets = state.wallets.items
    wallets[maker.pay_wallet].held -= taker_gets
    wallets[maker.receive_wallet].available += maker_gets - maker_fee
    wallets[book.fee_wallet[taker.side]].available += taker_fee
    wallets[book.fee_wallet[taker.side ^ 1]].available += maker_fee
    taker.hold -= maker_gets
    taker.received += taker_gets - taker_fee


cdef inline void settle_taker(State* state, Taker* taker, int64_t rest_hold) noexcept nogil:
    """Releases what was taken and neither spent nor needed for the rest, and credits what was received."""
    cdef uint32_t receive
    state.wallets.items[taker.pay_wallet].available += taker.hold - rest_hold
    state.wallets.items[taker.pay_wallet].held += rest_hold
    if taker.received != 0:
        receive = purse_take(state, taker.command.account, taker.book.pay_asset[taker.side ^ 1])
        state.wallets.items[receive].available += taker.received
