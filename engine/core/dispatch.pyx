"""The only place that knows all kinds of commands."""
from libc.stdint cimport uint64_t

from engine.core.matching cimport place
from engine.core.money cimport credit, debit
from engine.core.orders cimport cancel, cancel_all, reduce
from engine.core.reports cimport report_refused
from engine.core.settings cimport set_account, set_asset, set_instrument
from engine.core.tops cimport publish_tops
from engine.core.types cimport (
    ACCOUNT, ASSET, BAD_COMMAND, CANCEL, CANCEL_ALL, CREDIT, DEBIT, INSTRUMENT, PLACE, REDUCE, AccountCommand,
    AssetCommand, InstrumentCommand)


cdef void dispatch(State* state, Command* command) noexcept nogil:
    cdef uint64_t first_event = state.events.count
    state.seq = command.seq
    state.time_ns = command.time_ns
    if command.kind == PLACE:
        place(state, command)
    elif command.kind == CANCEL:
        cancel(state, command)
    elif command.kind == REDUCE:
        reduce(state, command)
    else:
        _dispatch_rare(state, command)
    if state.top_events:
        publish_tops(state, command, first_event)
    state.failed |= state.events.failed


cdef void _dispatch_rare(State* state, Command* command) noexcept nogil:
    if command.kind == CANCEL_ALL:
        cancel_all(state, command)
    elif command.kind == CREDIT:
        credit(state, command)
    elif command.kind == DEBIT:
        debit(state, command)
    elif command.kind == ASSET:
        set_asset(state, <AssetCommand*>command)
    elif command.kind == INSTRUMENT:
        set_instrument(state, <InstrumentCommand*>command)
    elif command.kind == ACCOUNT:
        set_account(state, <AccountCommand*>command)
    else:
        report_refused(state, command, BAD_COMMAND)
