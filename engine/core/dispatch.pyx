"""The loop over a batch, and the only place that knows all kinds of commands."""
from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcpy

from engine.core.checkpoint cimport checkpoint
from engine.core.clients cimport client_hash
from engine.core.controls cimport control
from engine.core.list_placing cimport begin_list, gather
from engine.core.lists cimport cancel_list
from engine.core.lookahead cimport BETWEEN, FAR, NEAR, RING, is_wide, look_between, look_far, look_near
from engine.core.money cimport credit, debit
from engine.core.orders cimport cancel_all, reduce
from engine.core.plain cimport cancel, is_plain, place_plain
from engine.core.rare cimport place
from engine.core.replacing cimport replace
from engine.core.reports cimport report_refused
from engine.core.settings cimport set_account, set_asset, set_instrument, set_limits
from engine.core.tops cimport publish_tops
from engine.core.types cimport (
    ACCOUNT, ASSET, BAD_COMMAND, CANCEL, CANCEL_ALL, CANCEL_LIST, CHECKPOINT, CREDIT, DEBIT, INSTRUMENT,
    INSTRUMENT_LIMITS, PLACE, PLACE_LIST, REDUCE, REPLACE, AccountCommand, AssetCommand, Command, ControlCommand,
    InstrumentCommand, LimitsCommand)
from engine.core.watching cimport watch


cdef enum:
    COPIED = 32     # commands copied at a time to an aligned place


cdef uint64_t apply_commands(State* state, const char* data, uint64_t count) noexcept nogil:
    cdef Command[COPIED] copies
    cdef uint64_t position = 0
    cdef uint64_t part, applied
    state.events.count = 0
    if <size_t>data % sizeof(uint64_t) == 0:
        return _apply_one(state, <Command*>data) if count == 1 else _apply_aligned(state, <Command*>data, count)
    while position < count:
        part = count - position if count - position < COPIED else COPIED
        memcpy(copies, data + position * sizeof(Command), part * sizeof(Command))
        applied = _apply_aligned(state, copies, part)
        position += applied
        if applied < part:
            break
    return position


cdef uint64_t _apply_one(State* state, Command* command) noexcept nogil:
    if command.seq != state.seq + 1:
        return 0
    state.text_hash = client_hash(command.account, command.text) if command.text[0] != 0 else 0
    _dispatch(state, command)
    return 0 if state.failed else 1


cdef uint64_t _apply_aligned(State* state, Command* commands, uint64_t count) noexcept nogil:
    cdef uint32_t[RING] hashes
    cdef uint64_t position
    cdef bint wide = is_wide(state)
    for position in range(FAR if FAR < count else count):
        hashes[position] = look_far(state, &commands[position], wide)
    for position in range(count):
        if position + FAR < count:
            hashes[(position + FAR) % RING] = look_far(state, &commands[position + FAR], wide)
        if wide and position + BETWEEN < count:
            look_between(state, &commands[position + BETWEEN])
            look_near(state, &commands[position + NEAR], hashes[(position + NEAR) % RING])
        if commands[position].seq != state.seq + 1:
            return position
        state.text_hash = hashes[position % RING]
        _dispatch(state, &commands[position])
        if state.failed:
            return position
    return count


cdef inline void _dispatch(State* state, Command* command) noexcept nogil:
    cdef uint64_t first_event = state.events.count
    state.seq = command.seq
    state.time_ns = command.time_ns
    if state.lists.expected != 0 and gather(state, command):
        pass
    elif is_plain(command):
        place_plain(state, command)
    elif command.kind == CANCEL:
        cancel(state, command)
    else:
        _dispatch_rare(state, command)
    if state.watched | <uint32_t>state.top_events | <uint32_t>state.events.failed != 0:
        _follow(state, command, first_event)


cdef void _follow(State* state, Command* command, uint64_t first_event) noexcept nogil:
    """What a command sets off, and what is told of it where that was asked for."""
    if state.watched != 0:
        watch(state, command, first_event)
    if state.top_events:
        publish_tops(state, command, first_event)
    state.failed |= state.events.failed


cdef void _dispatch_rare(State* state, Command* command) noexcept nogil:
    if command.kind == PLACE:
        place(state, command)
    elif command.kind == REDUCE:
        reduce(state, command)
    elif command.kind == CANCEL_ALL:
        cancel_all(state, command)
    elif command.kind == REPLACE:
        replace(state, command)
    elif command.kind == PLACE_LIST:
        begin_list(state, command)
    elif command.kind == CANCEL_LIST:
        cancel_list(state, command)
    elif command.kind == CREDIT:
        credit(state, command)
    elif command.kind == DEBIT:
        debit(state, command)
    elif command.kind == ASSET:
        set_asset(state, <AssetCommand*>command)
    elif command.kind == INSTRUMENT:
        set_instrument(state, <InstrumentCommand*>command)
    elif command.kind == INSTRUMENT_LIMITS:
        set_limits(state, <LimitsCommand*>command)
    elif command.kind == ACCOUNT:
        set_account(state, <AccountCommand*>command)
    elif command.kind == CHECKPOINT:
        checkpoint(state, command)
    elif not control(state, <ControlCommand*>command):
        report_refused(state, command, BAD_COMMAND)
