"""A CREDIT that would carry an asset's supply beyond int64 is refused; no later sum of wallets can wrap then.

A linked CREDIT or DEBIT that is refused takes the next command with it, if that moves money too: CONFLICT. So a DEBIT
and the CREDITs behind it, submitted together, are one transfer, all or nothing (as linked events in TigerBeetle).
"""
from libc.stdint cimport INT64_MAX, int64_t, uint32_t

from engine.core.purse cimport purse_take
from engine.core.reports cimport echo, report_refused
from engine.core.state cimport account_known, asset_known
from engine.core.types cimport (
    BAD_COMMAND, CONFLICT, INSUFFICIENT_BALANCE, MONEY, NONE, OVERFLOW, UNKNOWN_ACCOUNT, UNKNOWN_ASSET, Code, Event)
from engine.core.wallets cimport wallet_find, wallet_key


cdef enum:
    LINKED = 1      # mode


cdef void credit(State* state, Command* command) noexcept nogil:
    cdef Code code = _check(state, command)
    if code == NONE and command.amount > INT64_MAX + state.wallets.items[_external(state, command)].available:
        code = OVERFLOW
    if code != NONE:
        _refuse(state, command, code)
        return
    cdef uint32_t wallet = purse_take(state, command.account, command.instrument)
    _move(state, command, wallet, command.amount)


cdef void debit(State* state, Command* command) noexcept nogil:
    cdef Code code = _check(state, command)
    cdef uint32_t wallet = wallet_find(&state.wallets, wallet_key(command.account, command.instrument))
    if code == NONE and state.wallets.items[wallet].available < command.amount:
        code = INSUFFICIENT_BALANCE
    if code != NONE:
        _refuse(state, command, code)
        return
    _move(state, command, wallet, -command.amount)


cdef void _refuse(State* state, Command* command, Code code) noexcept nogil:
    if command.mode == LINKED:
        state.broken_seq = command.seq
    report_refused(state, command, code)


cdef Code _check(State* state, Command* command) noexcept nogil:
    if state.broken_seq != 0 and state.broken_seq == command.seq - 1:
        return CONFLICT
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
