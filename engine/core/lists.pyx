"""The steps of a list, in the order in which its life goes."""
from libc.string cimport memcmp, memcpy, memset

from engine.core.entering cimport enter
from engine.core.events cimport event_next
from engine.core.extras cimport extra_of
from engine.core.iceberg cimport open_lots, refill, show_all
from engine.core.ladder cimport Ladder
from engine.core.list_table cimport LEGS_MAX, PAIR, SINGLE, WORKING, List, list_close
from engine.core.orders cimport lower, release
from engine.core.pool cimport ARMED, ICEBERG, LISTED, PENDING, UNFUNDED, Node
from engine.core.reports cimport report_refused, report_resting
from engine.core.resting cimport retire
from engine.core.state cimport account_known, side_key
from engine.core.stops cimport (
    check_parties_again, check_stop_now, drop_waiting, fund, hold_if_funded, is_stop)
from engine.core.trailing cimport arm_new
from engine.core.types cimport (
    CANCELED, INSUFFICIENT_BALANCE, LIST, LIST_DONE, NONE, OCO, REQUESTED, TEXT_BYTES, TRIGGER_REFUSED, TRIGGERED,
    UNKNOWN_ORDER, WOULD_MATCH, Code, Event, TradeEvent)


cdef inline List* _list_of(State* state, uint32_t slot) noexcept nogil:
    return &state.lists.items[extra_of(&state.extras, slot).list]


cdef void _touch(State* state, uint32_t place) noexcept nogil:
    cdef List* item = &state.lists.items[place]
    if item.next_touched != 0 or state.lists.touched_last == place:
        return
    if state.lists.touched_first == 0:
        state.lists.touched_first = place
    else:
        state.lists.items[state.lists.touched_last].next_touched = place
    state.lists.touched_last = place


cdef void marked_traded(State* state, uint32_t slot) noexcept nogil:
    cdef TradeEvent* event = <TradeEvent*>&state.events.items[state.events.count - 1]
    if state.pool.nodes[slot].flags & ICEBERG:
        event.maker_left_lots = open_lots(state, slot)
        refill(state, slot)
    if state.pool.nodes[slot].flags & LISTED:
        leg_traded(state, slot)


cdef void leg_traded(State* state, uint32_t slot) noexcept nogil:
    leg_acted(state, slot)
    if state.pool.nodes[slot].left_lots == 0:
        leg_ended(state, extra_of(&state.extras, slot).list, extra_of(&state.extras, slot).leg, True)


cdef void leg_acted(State* state, uint32_t slot) noexcept nogil:
    _list_of(state, slot).acted |= <unsigned char>(1 << extra_of(&state.extras, slot).leg)
    _touch(state, extra_of(&state.extras, slot).list)


cdef void leg_ended(State* state, uint32_t place, int leg, bint filled) noexcept nogil:
    cdef List* item = &state.lists.items[place]
    item.slots[leg] = 0
    if filled:
        item.filled |= <unsigned char>(1 << leg)
    else:
        item.canceled |= <unsigned char>(1 << leg)
    _touch(state, place)


cdef void take_off_rare(State* state, Command* command, uint32_t slot, int reason) noexcept nogil:
    cdef Node* node = &state.pool.nodes[slot]
    if node.flags & ICEBERG:
        show_all(state, slot)
    report_resting(state, command, slot, CANCELED, reason)
    if node.flags & LISTED:
        leg_ended(state, extra_of(&state.extras, slot).list, extra_of(&state.extras, slot).leg, False)
    if node.flags & (ARMED | PENDING):
        drop_waiting(state, slot)
        return
    release(state, node, node.left_lots)
    retire(state, &state.books[node.instrument].ladders[node.side], node, slot)


cdef inline int _pair_begin(List* item) noexcept nogil:
    """Number of the pair's first leg."""
    return item.legs - 2


cdef bint _has_pair(List* item) noexcept nogil:
    return item.stage == PAIR or (item.stage == WORKING and item.legs == LEGS_MAX)


cdef void lower_leg(State* state, Command* command, uint32_t slot, int64_t lots) noexcept nogil:
    cdef List* item = _list_of(state, slot)
    cdef int begin = _pair_begin(item)
    cdef int64_t excess
    if not _has_pair(item) or extra_of(&state.extras, slot).leg < begin:
        lower(state, command, slot, lots)
        return
    lower(state, command, item.slots[begin], lots)
    lower(state, command, item.slots[begin + 1], lots)
    if item.stage == PAIR:
        excess = _excess(state, item)
        _keep(state, item, excess)


cdef int64_t _excess(State* state, List* item) noexcept nogil:
    """What the leg without a hold needs beyond what the other holds."""
    cdef int begin = _pair_begin(item)
    cdef int other = begin if state.pool.nodes[item.slots[begin]].flags & UNFUNDED else begin + 1
    cdef int holder = begin + begin + 1 - other
    cdef int64_t more = (hold_if_funded(state, item.slots[other], open_lots(state, item.slots[other]))
                         - hold_if_funded(state, item.slots[holder], open_lots(state, item.slots[holder])))
    return more if more > 0 else 0


cdef void _keep(State* state, List* item, int64_t excess) noexcept nogil:
    """Makes that the list's excess."""
    state.wallets.items[item.pay_wallet].available -= excess - item.excess
    state.wallets.items[item.pay_wallet].held += excess - item.excess
    item.excess = excess


cdef void settle_lists(State* state, Command* cause) noexcept nogil:
    cdef uint32_t place
    while state.lists.touched_first != 0 and not state.failed:
        place = state.lists.touched_first
        state.lists.touched_first = state.lists.items[place].next_touched
        state.lists.items[place].next_touched = 0
        if state.lists.touched_first == 0:
            state.lists.touched_last = 0
        _step(state, cause, place)


cdef void _step(State* state, Command* cause, uint32_t place) noexcept nogil:
    cdef List* item = &state.lists.items[place]
    if item.list_id == 0:
        return
    if item.stage == WORKING:
        if item.filled & 1:
            item.stage = SINGLE
            _activate(state, cause, place)
        elif item.canceled != 0:
            item.stage = SINGLE
            _cancel_but(state, cause, place, -1, LIST_DONE, NONE)
    elif item.stage == PAIR and item.acted | item.filled | item.canceled != 0:
        _split(state, cause, place)
    item = &state.lists.items[place]
    item.acted = 0
    if item.slots[0] | item.slots[1] | item.slots[2] == 0:
        report_list(state, cause, place, ALL_DONE)
        list_close(&state.lists, place)
        state.watched -= 1


cdef void _cancel_but(State* state, Command* cause, uint32_t place, int kept, int reason, int refusal) noexcept nogil:
    """Cancels the open legs but one."""
    cdef int leg
    for leg in range(LEGS_MAX):
        if leg != kept and state.lists.items[place].slots[leg] != 0:
            take_off_rare(state, cause, state.lists.items[place].slots[leg], reason)
            state.events.items[state.events.count - 1].flags = refusal


cdef void _split(State* state, Command* cause, uint32_t place) noexcept nogil:
    """One leg of a pair traded, was set off or ended: the other ends. A leg set off keeps the pair's money."""
    cdef List* item = &state.lists.items[place]
    cdef int begin = _pair_begin(item)
    cdef int leg
    cdef int kept = -1
    cdef uint32_t slot
    item.stage = SINGLE
    for leg in range(begin, begin + 2):
        if kept < 0 and item.slots[leg] != 0 and item.acted >> leg & 1:
            kept = leg
    _keep(state, item, 0)
    _cancel_but(state, cause, place, kept, LIST_DONE, NONE)
    if kept >= 0:
        slot = state.lists.items[place].slots[kept]
        if state.pool.nodes[slot].flags & UNFUNDED:
            fund(state, slot)


cdef void _activate(State* state, Command* cause, uint32_t place) noexcept nogil:
    """The working leg is filled: the pending ones are placed, or refused as new orders would be."""
    cdef List* item = &state.lists.items[place]
    cdef uint32_t slot = item.slots[1]
    cdef Code code
    if slot == 0 and item.legs == 2:
        return
    if item.canceled != 0:
        _cancel_but(state, cause, place, -1, LIST_DONE, NONE)
    elif item.legs == LEGS_MAX:
        code = start_pair(state, cause, place)
        if code != NONE:
            _cancel_but(state, cause, place, -1, TRIGGER_REFUSED, code)
    elif not is_stop(state.pool.nodes[slot].order_type):
        _report_placed(state, cause, slot)
        enter(state, cause, slot)
    else:
        code = check_stop_now(state, slot)
        if code != NONE:
            _cancel_but(state, cause, place, -1, TRIGGER_REFUSED, code)
        else:
            fund(state, slot)
            arm_new(state, slot)


cdef void _report_placed(State* state, Command* cause, uint32_t slot) noexcept nogil:
    """TRIGGERED, as of a stop: a pending leg that is none begins to work."""
    cdef Event* event = report_resting(state, cause, slot, TRIGGERED, NONE)
    event.left_lots = event.qty_lots


cdef Code start_pair(State* state, Command* cause, uint32_t place) noexcept nogil:
    cdef List* item = &state.lists.items[place]
    cdef int begin = _pair_begin(item)
    cdef int holder = begin
    cdef int leg
    cdef Code code
    for leg in range(begin, begin + 2):
        code = (check_stop_now(state, item.slots[leg]) if is_stop(state.pool.nodes[item.slots[leg]].order_type)
                else _check_maker_now(state, item.slots[leg]))
        if code != NONE:
            return code
        if not is_stop(state.pool.nodes[item.slots[leg]].order_type):
            holder = leg
    item.stage = PAIR
    for leg in range(begin, begin + 2):
        if is_stop(state.pool.nodes[item.slots[leg]].order_type):
            if leg == holder:
                fund(state, item.slots[leg])
            arm_new(state, item.slots[leg])
    if not is_stop(state.pool.nodes[item.slots[holder]].order_type):
        if item.list_type != OCO:
            _report_placed(state, cause, item.slots[holder])
        enter(state, cause, item.slots[holder])
    if item.slots[holder] != 0:
        _keep(state, item, _excess(state, item))
    return NONE


cdef Code _check_maker_now(State* state, uint32_t slot) noexcept nogil:
    """What may have come in the way of a limit maker; it counts as an open order already."""
    cdef Node* node = &state.pool.nodes[slot]
    cdef Ladder* against = &state.books[node.instrument].ladders[1 - node.side]
    cdef Code code = check_parties_again(state, slot)
    if code != NONE:
        return code
    if against.best_key >= side_key(1 - node.side, node.price_ticks):
        return WOULD_MATCH
    if state.wallets.items[node.pay_wallet].available < hold_if_funded(state, slot, node.left_lots):
        return INSUFFICIENT_BALANCE
    return NONE


cdef uint32_t find_list(State* state, Command* command) noexcept nogil:
    """By text: O(open orders of the account)."""
    cdef uint32_t slot
    if command.order_id != 0:
        slot = command.slot
        return slot if (0 < slot < state.lists.fresh and state.lists.items[slot].list_id == command.order_id
                        and state.lists.items[slot].account == command.account
                        and state.lists.items[slot].instrument == command.instrument) else 0
    if command.text[0] == 0 or not account_known(state, command.account):
        return 0
    slot = state.accounts[command.account].first_order
    while slot != 0:
        if (state.pool.nodes[slot].flags & LISTED and state.pool.nodes[slot].instrument == command.instrument
                and memcmp(_list_of(state, slot).text, command.text, TEXT_BYTES) == 0):
            return extra_of(&state.extras, slot).list
        slot = state.pool.links[slot].next
    return 0


cdef void cancel_list(State* state, Command* command) noexcept nogil:
    cdef uint32_t place = find_list(state, command)
    if place == 0:
        report_refused(state, command, UNKNOWN_ORDER)
        return
    _cancel_but(state, command, place, -1, REQUESTED, NONE)


cdef void report_list(State* state, Command* cause, uint32_t place, int status) noexcept nogil:
    cdef List* item = &state.lists.items[place]
    cdef Event* event = event_next(&state.events)
    cdef int leg
    memset(event, 0, sizeof(Event))
    event.kind = LIST
    event.order_type = item.list_type
    event.account = item.account
    event.instrument = item.instrument
    event.slot = place
    event.seq = cause.seq
    event.time_ns = cause.time_ns
    event.order_id = item.list_id
    event.qty_lots = item.legs
    for leg in range(LEGS_MAX):
        event.left_lots += item.slots[leg] != 0
    memcpy(event.text, item.text, TEXT_BYTES)
    event.flags = status
