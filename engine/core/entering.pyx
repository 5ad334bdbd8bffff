"""The order leaves its slot and comes back as a command with its order_id for seq; what rests of it keeps its past.

A slot freed last is used first, so an order that rests has its old slot again.
"""
from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memcpy, memset

from engine.core.admission cimport admit
from engine.core.extras cimport Extra, extra_of, extra_open
from engine.core.iceberg cimport hide
from engine.core.lists cimport leg_ended
from engine.core.pool cimport EXTRA, LISTED, Node, pool_give, pool_take
from engine.core.prevention cimport fills_apart, match_apart, sweep_apart
from engine.core.reports cimport echo
from engine.core.resting cimport forget, list_remove
from engine.core.state cimport Account, may_stay
from engine.core.stops cimport is_market_stop, is_stop, waiting_hold
from engine.core.sweep cimport Sweep, sweep_lots
from engine.core.tags cimport expires_of, session_of
from engine.core.taker cimport Taker
from engine.core.types cimport (
    BUY, CANCELED, FOK, INSUFFICIENT_BALANCE, LIMIT, MARKET, NONE, PLACE, REDUCED, TEXT_BYTES, TRIGGER_REFUSED,
    Code, Event)
from libc.stdint cimport INT64_MAX


cdef void enter(State* state, Command* cause, uint32_t slot) noexcept nogil:
    cdef Node past = state.pool.nodes[slot]
    cdef Extra extra = extra_of(&state.extras, slot)[0]
    cdef int order_type = state.pool.nodes[slot].order_type
    cdef uint64_t first_event = state.events.count
    cdef Command command
    cdef Taker taker
    cdef Code code
    cdef int flags = state.pool.nodes[slot].flags & LISTED
    extra.working_ns = cause.time_ns
    as_plain(state, cause, slot, &command)
    _leave(state, slot)
    state.text_hash = past.hash
    code = _admit(state, &command, &taker)
    if code != NONE:
        _report(state, &command, CANCELED, TRIGGER_REFUSED).flags = code
    else:
        command.order_type = <unsigned char>order_type
        _work(state, &taker)
        if state.pool.nodes[slot].order_id == command.seq:
            _resume(state, slot, &past, &extra)
            state.pool.nodes[slot].flags |= flags
    if flags and state.pool.nodes[slot].order_id != command.seq:
        leg_ended(state, extra.list, extra.leg, not _was_canceled(state, first_event, command.seq))
    _stamp(state, cause, first_event, command.seq, slot, order_type)


cdef bint _was_canceled(State* state, uint64_t position, uint64_t order_id) noexcept nogil:
    while position < state.events.count:
        if state.events.items[position].kind == CANCELED and state.events.items[position].order_id == order_id:
            return True
        position += 1
    return False


cdef void as_plain(State* state, Command* cause, uint32_t slot, Command* command) noexcept nogil:
    cdef Node* node = &state.pool.nodes[slot]
    memset(command, 0, sizeof(Command))
    command.kind = PLACE
    command.side = node.side
    command.order_type = node.order_type
    if is_stop(node.order_type):
        command.order_type = MARKET if is_market_stop(node.order_type) else LIMIT
    command.time_in_force = node.time_in_force
    command.account = node.account
    command.instrument = node.instrument
    command.seq = node.order_id
    command.time_ns = cause.time_ns
    command.price_ticks = node.price_ticks
    command.qty_lots = node.left_lots
    command.stp = extra_of(&state.extras, slot).stp
    command.slot = session_of(state, slot)
    command.expires_ns = expires_of(state, slot)
    memcpy(command.text, state.pool.nodes[slot].text, TEXT_BYTES)


cdef void _leave(State* state, uint32_t slot) noexcept nogil:
    cdef Node* node = &state.pool.nodes[slot]
    cdef int64_t money = waiting_hold(state, slot, node.left_lots)
    state.wallets.items[node.pay_wallet].held -= money
    state.wallets.items[node.pay_wallet].available += money
    list_remove(state, node.account, slot)
    forget(state, node, slot)
    pool_give(&state.pool, slot)


cdef Code _admit(State* state, Command* command, Taker* taker) noexcept nogil:
    """A market BUY is lowered to what its account can pay, if that is an order at all."""
    cdef Code code = admit(state, command, taker, False)
    cdef int64_t lots
    if code != INSUFFICIENT_BALANCE or command.order_type != MARKET or command.side != BUY:
        return code
    lots = _payable(state, taker)
    if lots < taker.book.min_lots:
        return code
    command.qty_lots = lots
    _report(state, command, REDUCED, 0).left_lots = lots
    return admit(state, command, taker, False)


cdef int64_t _payable(State* state, Taker* taker) noexcept nogil:
    """The most lots whose sweep the account can pay, fewer than it wants: O(log lots) sweeps."""
    cdef Command* command = taker.command
    cdef int64_t available = state.wallets.items[taker.pay_wallet].available
    cdef int64_t payable = 0
    cdef int64_t wanted = command.qty_lots
    cdef int64_t beyond = wanted
    cdef Sweep sweep
    while beyond - payable > 1:
        command.qty_lots = payable + (beyond - payable) / 2
        taker.left_lots = command.qty_lots
        if taker.apart:
            sweep = sweep_apart(state, taker)
        else:
            sweep = sweep_lots(&state.shelf, taker.against, taker.book, command.side, command.qty_lots)
        if sweep.overflow or sweep.quote > available:
            beyond = command.qty_lots
        else:
            payable = command.qty_lots
    command.qty_lots = wanted
    return payable


cdef void _work(State* state, Taker* taker) noexcept nogil:
    """As engine.core.matching.place, without an ACCEPTED."""
    cdef Command* command = taker.command
    state.wallets.items[taker.pay_wallet].available -= taker.hold
    if command.price_ticks != 0 and may_stay(command.time_in_force):
        taker.slot = pool_take(&state.pool)
        if taker.slot == 0:
            state.failed = True
    if command.time_in_force == FOK and not fills_apart(state, taker):
        taker.limit_key = INT64_MAX
    match_apart(state, taker)


cdef void _resume(State* state, uint32_t slot, Node* past, Extra* extra) noexcept nogil:
    """It rests: gives it back its extra, its first time and its place in its account's list."""
    cdef Extra* opened = extra_open(&state.extras, slot)
    if opened == NULL:
        state.failed = True
        return
    opened[0] = extra[0]
    state.pool.nodes[slot].flags |= EXTRA
    state.pool.nodes[slot].time_ns = past.time_ns
    if opened.display_lots != 0:
        hide(state, slot)
    _sort_in(state, slot)


cdef void _sort_in(State* state, uint32_t slot) noexcept nogil:
    """Moves the last order of its account's list to where its order_id belongs: O(younger orders of the account)."""
    cdef Account* owner = &state.accounts[state.pool.nodes[slot].account]
    cdef uint32_t before = state.pool.links[slot].prev
    cdef uint32_t after = 0
    while before != 0 and state.pool.nodes[before].order_id > state.pool.nodes[slot].order_id:
        after = before
        before = state.pool.links[before].prev
    if after == 0:
        return
    owner.last_order = state.pool.links[slot].prev
    state.pool.links[owner.last_order].next = 0
    state.pool.links[slot].prev = before
    state.pool.links[slot].next = after
    state.pool.links[after].prev = slot
    state.pool.links[before].next = slot  # slot 0 is the sink
    owner.first_order = slot if before == 0 else owner.first_order


cdef Event* _report(State* state, Command* command, int kind, int code) noexcept nogil:
    cdef Event* event = echo(state, command, kind)
    event.order_id = command.seq
    event.code = code
    return event


cdef void _stamp(
    State* state, Command* cause, uint64_t position, uint64_t order_id, uint32_t slot, int order_type
) noexcept nogil:
    """What happened happened at the cause's seq; the order's own stood there for its order_id."""
    cdef Event* event
    while position < state.events.count:
        event = &state.events.items[position]
        event.seq = cause.seq
        if event.order_id == order_id:
            event.slot = slot
            event.order_type = <unsigned char>order_type
        position += 1
