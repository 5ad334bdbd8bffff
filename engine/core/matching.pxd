"""An incoming order's whole way: admit, take its money, trade by price then time, rest or cancel what is left.

Both sides share every line: a side is seen through keys, the highest key being the best.
"""
from libc.stdint cimport INT64_MAX

from engine.core.admission cimport admit
from engine.core.pool cimport pool_take
from engine.core.prevention cimport fills_apart, match_apart
from engine.core.reports cimport report_accepted, report_refused
from engine.core.resting cimport rest
from engine.core.state cimport State, may_stay
from engine.core.sweep cimport sweep_fills
from engine.core.taker cimport Taker
from engine.core.trading cimport finish, trade
from engine.core.types cimport FOK, GTC, MARKET, NONE, Code, Command
from engine.core.wallets cimport Wallet


cdef inline void place_any(State* state, Command* command) noexcept nogil:
    """A PLACE that is no stop and no iceberg."""
    cdef Taker taker
    cdef Code code = admit(state, command, &taker, False)
    if code != NONE:
        report_refused(state, command, code)
    else:
        work(state, &taker, False)


cdef inline void rest_whole(State* state, Taker* taker) noexcept nogil:
    """What work() does to a plain order that may rest and meets nobody."""
    cdef Wallet* wallet = &state.wallets.items[taker.pay_wallet]
    wallet.available -= taker.hold
    wallet.held += taker.hold
    taker.slot = pool_take(&state.pool)
    report_accepted(state, taker, True)
    if taker.slot == 0:
        state.failed = True
    else:
        rest(state, taker, True)


cdef inline void work(State* state, Taker* taker, bint plain) noexcept nogil:
    """An admitted order's way; plain as engine.core.admission has it."""
    _accept(state, taker, plain)
    if not plain and taker.apart:
        match_apart(state, taker)
        return
    while taker.left_lots > 0 and taker.against.best_key >= taker.limit_key:
        trade(state, taker)
    finish(state, taker)


cdef inline void _accept(State* state, Taker* taker, bint plain) noexcept nogil:
    """Takes the money out of available before anything trades, so that no order of itself can spend it again."""
    cdef Command* command = taker.command
    state.wallets.items[taker.pay_wallet].available -= taker.hold
    if may_rest(command, plain):
        taker.slot = pool_take(&state.pool)
        if taker.slot == 0:
            state.failed = True
    report_accepted(state, taker, plain)
    if not plain and command.time_in_force == FOK and not _fills(state, taker):
        taker.limit_key = INT64_MAX  # nothing trades


cdef inline bint may_rest(Command* command, bint plain) noexcept nogil:
    if plain:
        return command.time_in_force == GTC
    return command.order_type != MARKET and may_stay(command.time_in_force)


cdef inline bint _fills(State* state, Taker* taker) noexcept nogil:
    if taker.apart:
        return fills_apart(state, taker)
    return sweep_fills(&state.shelf, taker.against, taker.limit_key, taker.left_lots)
