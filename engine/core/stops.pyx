"""Admission of stops, in the order of questions of engine.core.admission, and their place among the triggers."""
from libc.string cimport memcpy, memset

from engine.core.admission cimport check_limit, check_market, check_parties, check_shape, prepare
from engine.core.bits cimport mul_overflows
from engine.core.clients cimport client_find
from engine.core.extras cimport Extra, extra_of, extra_open
from engine.core.iceberg cimport fits_iceberg
from engine.core.index cimport index_add
from engine.core.ladder cimport ladder_level, ladder_push, ladder_unlink
from engine.core.limits cimport check_limits, has_orders
from engine.core.pool cimport ARMED, EXTRA, NAMED, PENDING, UNFUNDED, Node, pool_give, pool_take
from engine.core.reports cimport echo, report_refused
from engine.core.resting cimport forget, list_append, list_remove
from engine.core.state cimport pay_per_lot, side_key
from engine.core.tags cimport tag_order
from engine.core.taker cimport Taker
from engine.core.trailing cimport TRAILING_MAX_BPS, arm_new, stop_trailing, trailing_trigger
from engine.core.types cimport (
    ACCEPTED, BAD_COMMAND, BAD_ICEBERG, BUY, CAPACITY, DUPLICATE_CLIENT_ID, EXPIRED_ALREADY, GTD, INSUFFICIENT_BALANCE,
    LIMIT, MARKET, NONE, OVERFLOW, PRICE_RANGE, TAKE_PROFIT_LIMIT, TEXT_BYTES, TOO_MANY_ORDERS, TOO_MANY_STOPS,
    WOULD_TRIGGER, Code, Event)
from engine.core.wallets cimport Wallet


cdef void place_stop(State* state, Command* command) noexcept nogil:
    cdef Taker taker
    cdef Command plain = command[0]
    cdef Code code = admit_stop(state, command, &plain, &taker, True)
    cdef uint32_t slot
    if code != NONE:
        report_refused(state, command, code)
        return
    slot = accept_waiting(state, command, taker.pay_wallet)
    if slot != 0:
        fund(state, slot)
        arm_new(state, slot)


cdef uint32_t accept_waiting(State* state, Command* command, uint32_t pay_wallet) noexcept nogil:
    cdef uint32_t slot = pool_take(&state.pool)
    if slot == 0 or extra_open(&state.extras, slot) == NULL:
        state.failed = True
        return 0
    _fill(state, command, pay_wallet, slot)
    _report(state, command, slot)
    return slot


cdef Code admit_stop(State* state, Command* command, Command* plain, Taker* taker, bint now) noexcept nogil:
    plain.order_type = MARKET if is_market_stop(command.order_type) else LIMIT
    cdef Code code = check_shape(plain)
    if ((code != NONE and code != EXPIRED_ALREADY) or command.order_type <= MARKET
            or command.order_type > TAKE_PROFIT_LIMIT or command.amount != 0
            or (command.trigger_ticks | command.trailing_bps == 0) or command.trailing_bps > TRAILING_MAX_BPS):
        return BAD_COMMAND
    if code == NONE and command.display_lots != 0 and not fits_iceberg(plain):
        return BAD_ICEBERG
    if code == NONE:
        code = check_parties(state, plain, False)
    if code != NONE:
        return code
    prepare(state, plain, taker, False)
    code = _check_numbers(command, plain, taker)
    if code == NONE:
        code = _check_limits(state, plain, taker)
    if code != NONE:
        return code
    return _check_use(state, command, taker) if now else NONE


cdef Code _check_numbers(Command* command, Command* plain, Taker* taker) noexcept nogil:
    """A market BUY holds its quantity at the trigger price it may be expected to have."""
    cdef Code code = check_market(plain, taker) if plain.order_type == MARKET else check_limit(plain, taker)
    if code != NONE:
        return code
    if (command.trigger_ticks < 1 and not _trails_at_once(command)) or command.trigger_ticks > taker.book.max_ticks:
        return PRICE_RANGE
    if plain.order_type == LIMIT or command.side != BUY:
        return NONE
    if _hold_ticks(command, taker.book) == 0:
        return PRICE_RANGE  # it trails at once, and there is no price yet to reckon with
    if (mul_overflows(_hold_ticks(command, taker.book), command.qty_lots, &taker.hold)
            or mul_overflows(taker.hold, taker.book.tick_value, &taker.hold)):
        return OVERFLOW
    return NONE


cdef inline bint _trails_at_once(Command* command) noexcept nogil:
    return command.trigger_ticks == 0 and command.trailing_bps != 0


cdef int64_t _hold_ticks(Command* command, Book* book) noexcept nogil:
    """Its limit, or the trigger price; of one that trails what that is at its stop price or the last trade's."""
    if command.price_ticks != 0 or command.trailing_bps == 0:
        return command.price_ticks if command.price_ticks != 0 else command.trigger_ticks
    return trailing_trigger(command.side, command.trigger_ticks if command.trigger_ticks != 0 else book.last_ticks,
                            command.trailing_bps)


cdef Code _check_limits(State* state, Command* plain, Taker* taker) noexcept nogil:
    cdef Code code = check_limits(state, taker) if taker.book.limited else NONE
    if code != NONE:
        return code
    if taker.book.limits.orders_max != 0 and has_orders(state, plain, taker.book.limits.orders_max, 0):
        return TOO_MANY_ORDERS
    if taker.book.stops_max != 0 and has_orders(state, plain, taker.book.stops_max, ARMED):
        return TOO_MANY_STOPS
    return NONE


cdef Code _check_use(State* state, Command* command, Taker* taker) noexcept nogil:
    cdef int64_t last = taker.book.last_ticks
    if command.text[0] != 0 and client_find(
            &state.clients, &state.pool, command.account, command.text, state.text_hash) != 0:
        return DUPLICATE_CLIENT_ID
    if last != 0 and command.trigger_ticks != 0 and (
            last >= command.trigger_ticks if direction_of(command) == RISING else last <= command.trigger_ticks):
        return WOULD_TRIGGER
    if state.wallets.items[taker.pay_wallet].available < taker.hold:
        return INSUFFICIENT_BALANCE
    return CAPACITY if state.pool.open >= state.pool.open_max else NONE


cdef void _fill(State* state, Command* command, uint32_t pay_wallet, uint32_t slot) noexcept nogil:
    """An order's node and extra, its account's list and the client index; it is in no queue yet."""
    cdef Node* node = &state.pool.nodes[slot]
    cdef Extra* extra = extra_of(&state.extras, slot)
    memset(node, 0, sizeof(Node))
    node.account = command.account
    node.order_id = command.seq
    node.price_ticks = command.price_ticks
    node.left_lots = node.qty_lots = command.qty_lots
    node.instrument = command.instrument
    node.pay_wallet = pay_wallet
    node.side = command.side
    node.order_type = command.order_type
    node.time_in_force = command.time_in_force
    node.flags = EXTRA | UNFUNDED | (NAMED if command.text[0] != 0 else 0)
    memcpy(node.text, command.text, TEXT_BYTES)
    node.time_ns = node.update_ns = command.time_ns
    extra.stop_ticks = extra.trigger_ticks = command.trigger_ticks
    extra.hold_ticks = _hold_ticks(command, &state.books[command.instrument])
    extra.trailing_bps = command.trailing_bps
    extra.display_lots = command.display_lots
    extra.stp = command.stp
    extra.direction = <unsigned char>direction_of(command)
    if state.tags != NULL or command.slot != 0 or command.time_in_force >= GTD:
        tag_order(state, command, slot)
    list_append(state, &state.accounts[command.account], slot)
    if command.text[0] != 0:
        node.hash = state.text_hash
        if not index_add(&state.clients, node.hash, slot):
            state.failed = True


cdef void _report(State* state, Command* command, uint32_t slot) noexcept nogil:
    cdef Event* event = echo(state, command, ACCEPTED)
    event.slot = slot
    event.order_id = command.seq
    event.left_lots = command.display_lots if command.display_lots != 0 else command.qty_lots
    event.stp = command.stp
    event.trailing_bps = command.trailing_bps
    event.trigger_ticks = command.trigger_ticks


cdef void arm(State* state, uint32_t slot) noexcept nogil:
    cdef Node* node = &state.pool.nodes[slot]
    cdef Extra* extra = extra_of(&state.extras, slot)
    cdef Book* book = &state.books[node.instrument]
    cdef int64_t key = side_key(extra.direction, extra.trigger_ticks)
    node.level = ladder_level(&state.shelf, &book.triggers[extra.direction], key)
    if node.level == 0:
        state.failed = True
        return
    ladder_push(&state.shelf, &book.triggers[extra.direction], &state.pool, slot, key)
    node.flags = (node.flags & ~PENDING) | ARMED
    book.armed += 1
    state.watched += 1


cdef void disarm(State* state, uint32_t slot) noexcept nogil:
    if extra_of(&state.extras, slot).extreme_ticks != 0:
        stop_trailing(state, slot)
    disarm_only(state, slot)


cdef void disarm_only(State* state, uint32_t slot) noexcept nogil:
    cdef Node* node = &state.pool.nodes[slot]
    cdef Book* book = &state.books[node.instrument]
    state.shelf.levels[node.level].qty_lots -= node.left_lots
    ladder_unlink(&state.shelf, &book.triggers[extra_of(&state.extras, slot).direction], &state.pool, slot)
    node.flags &= ~ARMED
    book.armed -= 1
    state.watched -= 1


cdef int64_t waiting_hold(State* state, uint32_t slot, int64_t lots) noexcept nogil:
    cdef Node* node = &state.pool.nodes[slot]
    return 0 if node.flags & UNFUNDED else hold_if_funded(state, slot, lots)


cdef int64_t hold_if_funded(State* state, uint32_t slot, int64_t lots) noexcept nogil:
    cdef Node* node = &state.pool.nodes[slot]
    return lots * pay_per_lot(&state.books[node.instrument], node.side, extra_of(&state.extras, slot).hold_ticks)


cdef void fund(State* state, uint32_t slot) noexcept nogil:
    cdef Node* node = &state.pool.nodes[slot]
    cdef int64_t money = hold_if_funded(state, slot, node.left_lots)
    state.wallets.items[node.pay_wallet].available -= money
    state.wallets.items[node.pay_wallet].held += money
    node.flags &= ~UNFUNDED


cdef Code check_parties_again(State* state, uint32_t slot) noexcept nogil:
    cdef Node* node = &state.pool.nodes[slot]
    cdef Command command
    memset(&command, 0, sizeof(command))
    command.account, command.instrument, command.time_in_force = node.account, node.instrument, node.time_in_force
    command.order_type = node.order_type
    if is_stop(node.order_type):
        command.order_type = MARKET if is_market_stop(node.order_type) else LIMIT
    return check_parties(state, &command, False)


cdef Code check_stop_now(State* state, uint32_t slot) noexcept nogil:
    cdef Node* node = &state.pool.nodes[slot]
    cdef Extra* extra = extra_of(&state.extras, slot)
    cdef int64_t last = state.books[node.instrument].last_ticks
    cdef Code code = check_parties_again(state, slot)
    if code != NONE:
        return code
    if last != 0 and extra.stop_ticks != 0 and side_key(extra.direction, extra.stop_ticks) >= side_key(
            extra.direction, last):
        return WOULD_TRIGGER
    if state.wallets.items[node.pay_wallet].available < hold_if_funded(state, slot, node.left_lots):
        return INSUFFICIENT_BALANCE
    return NONE


cdef void drop_waiting(State* state, uint32_t slot) noexcept nogil:
    cdef Node* node = &state.pool.nodes[slot]
    _release(state, slot, node.left_lots)
    if node.flags & ARMED:
        disarm(state, slot)
    list_remove(state, node.account, slot)
    forget(state, node, slot)
    pool_give(&state.pool, slot)


cdef void lower_waiting(State* state, uint32_t slot, int64_t lots) noexcept nogil:
    _release(state, slot, lots)
    if state.pool.nodes[slot].flags & ARMED:
        state.shelf.levels[state.pool.nodes[slot].level].qty_lots -= lots


cdef void _release(State* state, uint32_t slot, int64_t lots) noexcept nogil:
    cdef Wallet* wallet = &state.wallets.items[state.pool.nodes[slot].pay_wallet]
    cdef int64_t money = waiting_hold(state, slot, lots)
    wallet.held -= money
    wallet.available += money
