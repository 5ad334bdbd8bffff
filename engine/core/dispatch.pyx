"""The loop over a batch, and the only place that knows all kinds of commands; it says when it was built for another
processor.
"""
from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcpy, memset

from engine.core.checkpoint cimport checkpoint
from engine.core.clients cimport client_hash
from engine.core.controls cimport control
from engine.core.list_placing cimport begin_list, gather
from engine.core.lists cimport cancel_list
from engine.core.lookahead cimport (
    BETWEEN, FAR, LAST, NEAR, RING, Seen, is_wide, look_between, look_far, look_last, look_near)
from engine.core.money cimport credit, debit
from engine.core.orders cimport cancel_all, reduce
from engine.core.plain cimport cancel, cancel_here, is_plain, place_plain, place_plain_here
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


cdef extern from *:
    """
    #if defined(__AVX2__) && defined(__x86_64__)
    #include <stdio.h>
    #include <stdlib.h>
    /* On a processor without what setup.py found where it was built, the process would end without a word. */
    __attribute__((constructor, target("arch=x86-64"))) static void buttonwood_check_processor(void) {
        __builtin_cpu_init();
        if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"))
            return;
        fputs("engine.core was built for a processor with AVX2 and BMI2, which this one has not: "
              "build it here, or with ENGINE_ARCH=portable\\n", stderr);
        exit(1);
    }
    #endif
    """

cdef enum:
    COPIED = 32     # commands copied at a time to an aligned place


cdef uint64_t apply_commands(State* state, const char* data, uint64_t count) noexcept nogil:
    cdef Command[COPIED] copies
    cdef uint64_t position = 0
    cdef uint64_t part, applied
    state.events.count = 0
    if <size_t>data % sizeof(uint64_t) == 0:
        return _apply_aligned(state, <Command*>data, count)
    while position < count:
        part = count - position if count - position < COPIED else COPIED
        memcpy(copies, data + position * sizeof(Command), part * sizeof(Command))
        applied = _apply_aligned(state, copies, part)
        position += applied
        if applied < part:
            break
    return position


cdef uint64_t _apply_aligned(State* state, Command* commands, uint64_t count) noexcept nogil:
    state.wide = is_wide(state)
    if count == 1:
        return _apply_one(state, commands)
    return _apply_wide(state, commands, count) if state.wide else _apply_near(state, commands, count)


cdef uint64_t _apply_one(State* state, Command* command) noexcept nogil:
    cdef uint32_t hashed = client_hash(command.account, command.text) if command.text[0] != 0 else 0
    return 1 if _apply(state, command, hashed) else 0


cdef uint64_t _apply_near(State* state, Command* commands, uint64_t count) noexcept nogil:
    """One command after the other, one looked at FAR ahead."""
    cdef Seen[RING] seen
    cdef uint64_t position
    for position in range(FAR if FAR < count else count):
        look_far(state, &commands[position], &seen[position], False)
    for position in range(count):
        if position + FAR < count:
            look_far(state, &commands[position + FAR], &seen[(position + FAR) % RING], False)
        if not _apply(state, &commands[position], seen[position % RING].hashed):
            return position
    return count


cdef uint64_t _apply_wide(State* state, Command* commands, uint64_t count) noexcept nogil:
    """The same, each command looked at four times."""
    cdef Seen[RING] seen
    cdef bint named = False
    cdef uint64_t position
    memset(seen, 0, sizeof(seen))
    for position in range(FAR if FAR < count else count):
        look_far(state, &commands[position], &seen[position], True)
    for position in range(BETWEEN if BETWEEN < count else count):
        look_between(state, &commands[position], &seen[position])
    for position in range(NEAR if NEAR < count else count):
        look_near(state, &commands[position], &seen[position], named)
    for position in range(count):
        if position + FAR < count:
            look_far(state, &commands[position + FAR], &seen[(position + FAR) % RING], True)
        if position + BETWEEN < count:
            named |= commands[position].kind == CANCEL and commands[position].order_id == 0
            look_between(state, &commands[position + BETWEEN], &seen[(position + BETWEEN) % RING])
            look_near(state, &commands[position + NEAR], &seen[(position + NEAR) % RING], named)
            look_last(state, &seen[(position + LAST) % RING])
        if not _apply(state, &commands[position], seen[position % RING].hashed):
            return position
    return count


cdef inline bint _apply(State* state, Command* command, uint32_t hashed) noexcept nogil:
    """False: out of sequence, or memory ran out."""
    if command.seq != state.seq + 1:
        return False
    state.seq = command.seq
    state.text_hash = hashed
    _dispatch(state, command)
    if <uint32_t>state.failed | <uint32_t>state.events.failed != 0:
        state.failed = True
        return False
    state.time_ns = command.time_ns
    return True


cdef inline void _dispatch(State* state, Command* command) noexcept nogil:
    """What comes all the time, while nothing waits to be set off by it and nobody is to be told more; and all else."""
    if state.watched | <uint32_t>state.top_events | state.lists.expected == 0:
        if is_plain(command):
            place_plain_here(state, command)
            return
        if command.kind == CANCEL:
            cancel_here(state, command)
            return
    _dispatch_any(state, command)


cdef void _dispatch_any(State* state, Command* command) noexcept nogil:
    cdef uint64_t first_event = state.events.count
    state.time_ns = command.time_ns
    if state.lists.expected != 0 and gather(state, command):
        pass
    elif is_plain(command):
        place_plain(state, command)
    elif command.kind == CANCEL:
        cancel(state, command)
    else:
        _dispatch_rare(state, command)
    if state.watched != 0:
        watch(state, command, first_event)
    if state.top_events:
        publish_tops(state, command, first_event)


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
