"""Canceling one order may end others with it, so the walk starts over when the next one has gone meanwhile."""
from libc.stdint cimport uint64_t

from engine.core.orders cimport take_off, why_unknown
from engine.core.pool cimport Node
from engine.core.reports cimport report_control
from engine.core.state cimport account_known, book_known
from engine.core.tags cimport session_of
from engine.core.types cimport (
    ACTIVE, BAD_COMMAND, DISCONNECTED, KILL_REASON, MASS_CANCEL, NONE, STATUS, TRADING, UNKNOWN_ACCOUNT,
    UNKNOWN_INSTRUMENT, Code, Event)


cdef bint cancel_selected(State* state, Command* command, Selection* selection, int reason) noexcept nogil:
    cdef uint32_t account
    cdef bint found = False
    if selection.account != 0:
        return _cancel_of(state, command, selection, selection.account, reason)
    for account in range(state.accounts_capacity):
        if state.accounts[account].open_orders != 0:
            found |= _cancel_of(state, command, selection, account, reason)
    return found


cdef bint _cancel_of(
    State* state, Command* command, Selection* selection, uint32_t account, int reason
) noexcept nogil:
    cdef uint32_t slot, after
    cdef uint64_t after_id
    cdef bint found = False
    if not account_known(state, account):
        return False
    slot = state.accounts[account].first_order
    while slot != 0:
        after = state.pool.links[slot].next
        after_id = state.pool.nodes[after].order_id
        if _is_selected(state, selection, slot):
            take_off(state, command, slot, reason)
            found = True
            if after != 0 and state.pool.nodes[after].order_id != after_id:
                after = state.accounts[account].first_order
        slot = after
    return found


cdef inline bint _is_selected(State* state, Selection* selection, uint32_t slot) noexcept nogil:
    cdef Node* node = &state.pool.nodes[slot]
    return ((selection.instrument == 0 or node.instrument == selection.instrument)
            and (selection.session == 0 or session_of(state, slot) == selection.session)
            and (selection.time_in_force == 0 or node.time_in_force == selection.time_in_force))


cdef void mass_cancel(State* state, ControlCommand* command) noexcept nogil:
    cdef Selection selection
    cdef Code code = NONE
    selection.account, selection.instrument, selection.session = command.account, command.instrument, command.session
    selection.time_in_force = 0
    if command.mode > 1 or (command.account == 0 and (command.instrument == 0 or command.session != 0)):
        code = BAD_COMMAND
    elif not cancel_selected(state, <Command*>command, &selection, DISCONNECTED if command.mode else MASS_CANCEL):
        code = <Code>(NONE + why_unknown(state, <Command*>command))
    if code != NONE:
        report_control(state, command, NONE, code)


cdef void kill(State* state, ControlCommand* command) noexcept nogil:
    """Nothing named: everybody, and whoever comes while the switch is on."""
    cdef Selection selection
    cdef Event* event
    cdef Code code = _check_kill(state, command)
    selection.account, selection.instrument = command.account, command.instrument
    selection.session = selection.time_in_force = 0
    if code == NONE:
        if command.account != 0:
            state.accounts[command.account].killed = command.mode
            bar_account(state, command.account)
        elif command.instrument != 0:
            state.books[command.instrument].killed = command.mode
            bar_book(state, command.instrument)
        else:
            state.killed = command.mode
            bar_books(state)
    event = report_control(state, command, STATUS, code)
    event.amount = command.mode
    if code == NONE and command.status == 1:
        cancel_selected(state, <Command*>command, &selection, KILL_REASON)


cdef Code _check_kill(State* state, ControlCommand* command) noexcept nogil:
    if (command.mode > 1 or command.status > command.mode or command.session != 0
            or (command.account != 0 and command.instrument != 0)):
        return BAD_COMMAND
    if command.account != 0 and not account_known(state, command.account):
        return UNKNOWN_ACCOUNT
    if command.instrument != 0 and not book_known(state, command.instrument):
        return UNKNOWN_INSTRUMENT
    return NONE


cdef void bar_account(State* state, uint32_t account) noexcept nogil:
    state.accounts[account].takes_orders = (
        account != 0 and state.accounts[account].status == ACTIVE and not state.accounts[account].killed)


cdef void bar_book(State* state, uint32_t instrument) noexcept nogil:
    state.books[instrument].takes_orders = (
        state.books[instrument].status == TRADING and not state.books[instrument].killed and not state.killed)


cdef void bar_books(State* state) noexcept nogil:
    cdef uint32_t instrument
    for instrument in range(1, state.books_capacity):
        if state.books[instrument].known:
            bar_book(state, instrument)
