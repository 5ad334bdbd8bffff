"""The slow half of the purse: ask the table, make wallets."""
from libc.stdint cimport uint32_t

from engine.core.wallets cimport wallet_find, wallet_key, wallet_open


cdef uint32_t purse_miss(State* state, uint32_t account, uint32_t asset) noexcept nogil:
    cdef Account* owner = &state.accounts[account]
    cdef uint32_t place = asset % PURSE_SIZE
    cdef uint32_t index = wallet_find(&state.wallets, wallet_key(account, asset))
    if index != 0:
        owner.purse_asset[place] = asset
        owner.purse_wallet[place] = index
    return index


cdef uint32_t purse_open(State* state, uint32_t account, uint32_t asset) noexcept nogil:
    cdef uint32_t index = wallet_open(&state.wallets, account, asset)
    if index == 0:
        state.failed = True
    return index
