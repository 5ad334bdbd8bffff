"""What makes a list: shapes, prices, and each leg's own admission; then its legs become orders."""
from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy

from engine.core.admission cimport admit, check_limit, check_market, check_parties, check_shape, prepare
from engine.core.clients cimport client_find, client_hash
from engine.core.entering cimport enter
from engine.core.extras cimport extra_of
from engine.core.iceberg cimport fits_iceberg
from engine.core.limits cimport has_orders
from engine.core.list_table cimport WORKING, List, list_open
from engine.core.lists cimport EXECUTING, find_list, report_list, start_pair
from engine.core.once cimport once_code, once_keep
from engine.core.pool cimport ARMED, LISTED, PENDING
from engine.core.purse cimport purse_take
from engine.core.reports cimport report_refused
from engine.core.state cimport Book
from engine.core.stops cimport accept_waiting, admit_stop, is_stop
from engine.core.taker cimport Taker
from engine.core.types cimport (
    BAD_ICEBERG, BAD_LIST, BUY, CAPACITY, DUPLICATE_CLIENT_ID, LIMIT, LIMIT_MAKER, MARKET, NONE, OCO, ONCE, OTOCO,
    PLACE, STOP_LOSS, STOP_LOSS_LIMIT, TEXT_BYTES, TOO_MANY_ORDERS, TOO_MANY_STOPS, Code)


cdef void begin_list(State* state, Command* command) noexcept nogil:
    state.lists.commands[0] = command[0]
    state.lists.gathered = 1
    state.lists.expected = 4 if command.mode == OTOCO else 3


cdef bint gather(State* state, Command* command) noexcept nogil:
    cdef bint leg = command.kind == PLACE
    state.lists.commands[state.lists.gathered] = command[0]
    state.lists.gathered += 1
    if leg and state.lists.gathered < state.lists.expected:
        return True
    state.lists.expected = 0
    if leg:
        _place(state, command)
        return True
    _refuse(state, command, 0, BAD_LIST)
    return False


cdef void _refuse(State* state, Command* cause, uint64_t order_id, Code code) noexcept nogil:
    """One REJECTED for the whole list; order_id is that of the leg it is about, 0 for none."""
    cdef Command header = state.lists.commands[0]
    header.seq, header.time_ns, header.order_id = cause.seq, cause.time_ns, order_id
    report_refused(state, &header, code)


cdef void _place(State* state, Command* cause) noexcept nogil:
    cdef Command* commands = state.lists.commands
    cdef int legs = state.lists.gathered - 1
    cdef uint64_t order_id
    cdef int leg
    cdef Code code = _check_list(state, commands, legs)
    if code != NONE:
        _refuse(state, cause, 0, code)
        return
    for leg in range(1, legs + 1):
        order_id = commands[leg].seq
        code = once_code(state, &commands[leg], &order_id) if commands[leg].mode & ONCE else NONE
        if code == NONE:
            code = _check_leg(state, commands, legs, leg)
        if code != NONE:
            _refuse(state, cause, order_id, code)
            return
    _accept(state, cause, legs)
    for leg in range(1, legs + 1):
        if commands[leg].mode & ONCE and not state.failed:
            once_keep(state, &commands[leg])


cdef Code _check_list(State* state, Command* commands, int legs) noexcept nogil:
    """Shapes of the legs among each other, and whether there is room for all of them."""
    cdef Command* header = &commands[0]
    cdef int pair = legs - 1 if header.mode != 1 else 0
    cdef int leg
    cdef Code code
    if header.mode > OTOCO:
        return BAD_LIST
    for leg in range(1, legs + 1):
        if commands[leg].account != header.account or commands[leg].instrument != header.instrument:
            return BAD_LIST
        if commands[leg].amount != 0:
            return BAD_LIST
    if header.mode != OCO and commands[1].order_type != LIMIT and commands[1].order_type != LIMIT_MAKER:
        return BAD_LIST
    if pair != 0 and not _is_pair(&commands[pair], &commands[pair + 1]):
        return BAD_LIST
    code = check_parties(state, header, False)
    if code != NONE:
        return code
    header.order_id = 0
    if find_list(state, header) != 0:
        return DUPLICATE_CLIENT_ID
    return _check_room(state, commands, legs)


cdef bint _is_pair(Command* one, Command* other) noexcept nogil:
    """Of one side and quantity: a stop-loss and a limit maker or take-profit on its two sides of the market."""
    cdef Command* stop = one if _is_stop_loss(one) else other
    cdef Command* profit = other if _is_stop_loss(one) else one
    cdef int64_t price
    if (not _is_stop_loss(stop) or _is_stop_loss(profit) or one.side != other.side
            or one.qty_lots != other.qty_lots or not (profit.order_type == LIMIT_MAKER or is_stop(profit.order_type))):
        return False
    price = profit.trigger_ticks if is_stop(profit.order_type) else profit.price_ticks
    if price == 0 or stop.trigger_ticks == 0:
        return True     # one that trails has no price yet
    return price < stop.trigger_ticks if one.side == BUY else price > stop.trigger_ticks


cdef inline bint _is_stop_loss(Command* command) noexcept nogil:
    return command.order_type == STOP_LOSS or command.order_type == STOP_LOSS_LIMIT


cdef Code _check_room(State* state, Command* commands, int legs) noexcept nogil:
    """Each leg counts as an open order from the start."""
    cdef Book* book = &state.books[commands[0].instrument]
    cdef uint32_t stops = 0
    cdef int leg, other
    for leg in range(1, legs + 1):
        stops += is_stop(commands[leg].order_type)
        for other in range(1, leg):
            if commands[leg].text[0] != 0 and memcmp(commands[leg].text, commands[other].text, TEXT_BYTES) == 0:
                return DUPLICATE_CLIENT_ID
    if book.limits.orders_max != 0 and has_orders(
            state, commands, book.limits.orders_max - legs + 1 if book.limits.orders_max >= <uint32_t>legs else 0, 0):
        return TOO_MANY_ORDERS
    if book.stops_max != 0 and stops != 0 and has_orders(
            state, commands, book.stops_max - stops + 1 if book.stops_max >= stops else 0, ARMED):
        return TOO_MANY_STOPS
    return CAPACITY if state.pool.open + legs > state.pool.open_max else NONE


cdef Code _check_leg(State* state, Command* commands, int legs, int leg) noexcept nogil:
    """What would be refused of it alone; of a pending leg only what does not hang on the moment."""
    cdef Command* command = &commands[leg]
    cdef bint now = commands[0].mode == OCO or leg == 1
    cdef Command plain = command[0]
    cdef Taker taker
    cdef Code code
    state.text_hash = client_hash(command.account, command.text)
    if command.text[0] != 0 and client_find(
            &state.clients, &state.pool, command.account, command.text, state.text_hash) != 0:
        return DUPLICATE_CLIENT_ID
    if is_stop(command.order_type):
        return admit_stop(state, command, &plain, &taker, now)
    if command.trigger_ticks | command.trailing_bps != 0:
        return BAD_LIST
    if now and commands[0].mode == OCO and _is_beyond_last(state, command):
        return BAD_LIST
    code = check_shape(command)
    if code == NONE and command.display_lots != 0 and not fits_iceberg(command):
        code = BAD_ICEBERG
    if code != NONE:
        return code
    if now:
        return admit(state, command, &taker, False)
    prepare(state, command, &taker, False)
    return check_market(command, &taker) if command.order_type == MARKET else check_limit(command, &taker)


cdef bint _is_beyond_last(State* state, Command* command) noexcept nogil:
    """The limit maker of an OCO must lie on the better side of the last trade."""
    cdef int64_t last = state.books[command.instrument].last_ticks
    if last == 0:
        return False
    return command.price_ticks >= last if command.side == BUY else command.price_ticks <= last


cdef void _accept(State* state, Command* cause, int legs) noexcept nogil:
    cdef uint32_t place = list_open(&state.lists)
    cdef uint64_t first_event = state.events.count
    cdef uint32_t slot
    cdef int leg
    if place == 0:
        state.failed = True
        return
    state.watched += 1
    _fill(state, place, legs)
    for leg in range(legs):
        slot = _wait(state, &state.lists.commands[leg + 1])
        if slot == 0:
            return
        state.lists.items[place].slots[leg] = slot
        state.pool.nodes[slot].flags |= LISTED | PENDING
        extra_of(&state.extras, slot).list = place
        extra_of(&state.extras, slot).leg = <unsigned char>leg
        state.lists.items[place].pay_wallet = state.pool.nodes[slot].pay_wallet
    report_list(state, cause, place, EXECUTING)
    while first_event < state.events.count:
        state.events.items[first_event].seq = cause.seq
        state.events.items[first_event].time_ns = cause.time_ns
        first_event += 1
    if state.lists.commands[0].mode == OCO:
        start_pair(state, cause, place)
    else:
        enter(state, cause, state.lists.items[place].slots[0])


cdef void _fill(State* state, uint32_t place, int legs) noexcept nogil:
    cdef List* item = &state.lists.items[place]
    cdef Command* header = &state.lists.commands[0]
    item.list_id = header.seq
    item.account = header.account
    item.instrument = header.instrument
    item.list_type = header.mode
    item.stage = WORKING
    item.legs = <unsigned char>legs
    memcpy(item.text, header.text, TEXT_BYTES)


cdef uint32_t _wait(State* state, Command* command) noexcept nogil:
    cdef uint32_t wallet = purse_take(
        state, command.account, state.books[command.instrument].pay_asset[command.side])
    state.text_hash = client_hash(command.account, command.text)
    return accept_waiting(state, command, wallet)
