"""An account's timers are a list in order of (session, instrument), so that equal states have equal lists."""
from libc.stdint cimport INT64_MAX

from engine.core.bits cimport add_overflows
from engine.core.deadlines cimport deadline_add, deadline_remove
from engine.core.mass cimport Selection, cancel_selected
from engine.core.memory cimport block_grow
from engine.core.reports cimport report_control
from engine.core.state cimport Timer, account_known, book_known
from engine.core.types cimport (
    BAD_COMMAND, CAPACITY, NONE, STATUS, TIMER_COMMAND, TIMER_REASON, UNKNOWN_ACCOUNT, UNKNOWN_INSTRUMENT, Code, Event)


cdef void set_timer(State* state, ControlCommand* command) noexcept nogil:
    """STATUS tells in `amount` when it ends, 0 if it was taken away."""
    cdef Code code = _check(state, command)
    cdef int64_t ends_ns = 0
    cdef uint32_t timer = 0
    cdef Event* event
    if code == NONE and command.countdown_ns != 0:
        if add_overflows(command.time_ns, command.countdown_ns, &ends_ns):
            ends_ns = INT64_MAX
        keep_timer(state, command.account, command.session, command.instrument, ends_ns, command.seq)
    elif code == NONE:
        timer = _link(state, command.account, command.session, command.instrument)[0]
        if _is(state, timer, command.session, command.instrument):
            _remove(state, timer)
    event = report_control(state, command, STATUS, code)
    event.slot = command.session
    event.amount = ends_ns


cdef Code _check(State* state, ControlCommand* command) noexcept nogil:
    cdef uint32_t timer
    cdef uint32_t count = 0
    if command.account == 0 or command.countdown_ns < 0:
        return BAD_COMMAND
    if not account_known(state, command.account):
        return UNKNOWN_ACCOUNT
    if command.instrument != 0 and not book_known(state, command.instrument):
        return UNKNOWN_INSTRUMENT
    timer = state.accounts[command.account].first_timer
    while timer != 0:
        count += not _is(state, timer, command.session, command.instrument)
        timer = state.timers[timer].next
    return CAPACITY if count >= TIMERS_MAX else NONE


cdef uint32_t* _link(State* state, uint32_t account, uint32_t session, uint32_t instrument) noexcept nogil:
    """The link to the first timer of the account that does not come before this one. O(its timers)."""
    cdef uint32_t* link = &state.accounts[account].first_timer
    cdef Timer* timer
    while link[0] != 0:
        timer = &state.timers[link[0]]
        if timer.session > session or (timer.session == session and timer.instrument >= instrument):
            break
        link = &timer.next
    return link


cdef inline bint _is(State* state, uint32_t timer, uint32_t session, uint32_t instrument) noexcept nogil:
    return (timer != 0 and state.timers[timer].session == session
            and state.timers[timer].instrument == instrument)


cdef void keep_timer(
    State* state, uint32_t account, uint32_t session, uint32_t instrument, int64_t time_ns, uint64_t seq
) noexcept nogil:
    cdef uint32_t number = _link(state, account, session, instrument)[0]
    cdef Timer* timer
    if _is(state, number, session, instrument):
        deadline_remove(&state.deadlines, state.timers[number].deadline)
    else:
        number = _take(state)
        if number == 0:
            state.failed = True
            return
        timer = &state.timers[number]
        timer.account, timer.session, timer.instrument = account, session, instrument
        timer.next = _link(state, account, session, instrument)[0]
        _link(state, account, session, instrument)[0] = number
    state.timers[number].deadline = deadline_add(&state.deadlines, time_ns, seq, number, True)
    state.failed |= state.timers[number].deadline == 0


cdef uint32_t _take(State* state) noexcept nogil:
    cdef uint32_t number = state.timer_free
    cdef uint32_t capacity = state.timers_capacity * 2 if state.timers_capacity != 0 else 4
    cdef void* timers
    if number != 0:
        state.timer_free = state.timers[number].next
        return number
    if state.timer_fresh + 1 >= state.timers_capacity:
        timers = block_grow(state.timers, <size_t>capacity * sizeof(Timer))
        if timers == NULL:
            return 0
        state.timers = <Timer*>timers
        state.timers_capacity = capacity
    state.timer_fresh += 1
    return state.timer_fresh


cdef void _remove(State* state, uint32_t number) noexcept nogil:
    cdef Timer* timer = &state.timers[number]
    deadline_remove(&state.deadlines, timer.deadline)
    _link(state, timer.account, timer.session, timer.instrument)[0] = timer.next
    timer.next = state.timer_free
    state.timer_free = number


cdef void end_timer(State* state, Command* command, uint32_t timer) noexcept nogil:
    cdef Selection selection
    cdef ControlCommand told = (<ControlCommand*>command)[0]
    cdef Event* event
    selection.account, selection.session = state.timers[timer].account, state.timers[timer].session
    selection.instrument, selection.time_in_force = state.timers[timer].instrument, 0
    _remove(state, timer)
    told.kind = TIMER_COMMAND
    told.account, told.instrument = selection.account, selection.instrument
    event = report_control(state, &told, STATUS, NONE)
    event.slot = selection.session
    event.code = TIMER_REASON
    cancel_selected(state, command, &selection, TIMER_REASON)
