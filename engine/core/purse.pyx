"""The slow half of the purse: ask the table, make wallets."""
from libc.stdint cimport uint32_t, uint64_t

from engine.core.wallets cimport wallet_add, wallet_find, wallet_key


cdef uint32_t purse_miss(State* state, uint32_t account, uint32_t asset) noexcept nogil:
    return _remember(state, account, asset, wallet_find(&state.wallets, wallet_key(account, asset)))


cdef uint32_t purse_open(State* state, uint32_t account, uint32_t asset) noexcept nogil:
    cdef uint64_t key = wallet_key(account, asset)
    cdef uint32_t index = wallet_find(&state.wallets, key)
    if index == 0:
        index = wallet_add(&state.wallets, key, &state.accounts[account].spare_wallet)
        if index == 0:
            state.failed = True
    return _remember(state, account, asset, index)


cdef inline uint32_t _remember(State* state, uint32_t account, uint32_t asset, uint32_t index) noexcept nogil:
    if index != 0:
        state.accounts[account].purse_asset[asset % PURSE_SIZE] = asset
        state.accounts[account].purse_wallet[asset % PURSE_SIZE] = index
    return index
