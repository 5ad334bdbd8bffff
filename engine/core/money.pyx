"""A CREDIT that would carry an asset's supply beyond int64 is refused; no later sum of wallets can wrap then."""
from libc.stdint cimport INT64_MAX, int64_t, uint32_t

from engine.core.reports cimport echo, report_refused
from engine.core.state cimport account_known, asset_known
from engine.core.types cimport (
    BAD_COMMAND, INSUFFICIENT_BALANCE, MONEY, NONE, OVERFLOW, UNKNOWN_ACCOUNT, UNKNOWN_ASSET, Code, Event)
from engine.core.wallets cimport wallet_find, wallet_key, wallet_open


cdef void credit(State* state, Command* command) noexcept nogil:
    cdef Code code = _check(state, command)
    if code == NONE and command.amount > INT64_MAX + state.wallets.items[_external(state, command)].available:
        code = OVERFLOW
    if code != NONE:
        report_refused(state, command, code)
        return
    cdef uint32_t wallet = wallet_open(&state.wallets, command.account, command.instrument)
    if wallet == 0:
        state.failed = True
    _move(state, command, wallet, command.amount)


cdef void debit(State* state, Command* command) noexcept nogil:
    cdef Code code = _check(state, command)
    cdef uint32_t wallet = wallet_find(&state.wallets, wallet_key(command.account, command.instrument))
    if code == NONE and state.wallets.items[wallet].available < command.amount:
        code = INSUFFICIENT_BALANCE
    if code != NONE:
        report_refused(state, command, code)
        return
    _move(state, command, wallet, -command.amount)


cdef Code _check(State* state, Command* command) noexcept nogil:
    if command.amount <= 0 or command.account == 0:
        return BAD_COMMAND
    if not account_known(state, command.account):
        return UNKNOWN_ACCOUNT
    return NONE if asset_known(state, command.instrument) else UNKNOWN_ASSET


cdef uint32_t _external(State* state, Command* command) noexcept nogil:
    return state.assets[command.instrument].external_wallet


cdef void _move(State* state, Command* command, uint32_t wallet, int64_t amount) noexcept nogil:
    state.wallets.items[wallet].available += amount
    state.wallets.items[_external(state, command)].available -= amount
    cdef Event* event = echo(state, command, MONEY)
    event.amount = amount
