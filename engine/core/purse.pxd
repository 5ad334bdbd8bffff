"""From an account to its wallets without the hash table.

An account's record, which every order touches anyway, remembers the wallets of four assets (place = asset mod 4). A
miss asks the table and remembers the answer. Wallets are never removed, so what is remembered stays true.
"""
from libc.stdint cimport uint32_t

from engine.core.state cimport PURSE_SIZE, Account, State

cdef uint32_t purse_miss(State* state, uint32_t account, uint32_t asset) noexcept nogil
cdef uint32_t purse_open(State* state, uint32_t account, uint32_t asset) noexcept nogil


cdef inline uint32_t purse_find(State* state, uint32_t account, uint32_t asset) noexcept nogil:
    """Index of a known account's wallet, 0 if it has none."""
    return purse_find_of(state, &state.accounts[account], account, asset)


cdef inline uint32_t purse_find_of(State* state, Account* owner, uint32_t account, uint32_t asset) noexcept nogil:
    cdef uint32_t place = asset % PURSE_SIZE
    return owner.purse_wallet[place] if owner.purse_asset[place] == asset else purse_miss(state, account, asset)


cdef inline uint32_t purse_take(State* state, uint32_t account, uint32_t asset) noexcept nogil:
    """Index of a known account's wallet, made if missing; 0 and state.failed when memory ran out."""
    cdef uint32_t index = purse_find(state, account, asset)
    return index if index != 0 else purse_open(state, account, asset)
