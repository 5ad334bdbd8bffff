"""Finding the price walks both sides towards each other as if they traded; uncrossing trades orders that all rest."""
from libc.stdint cimport INT64_MAX, uint32_t
from libc.string cimport memset

from engine.core.events cimport event_next
from engine.core.fees cimport party_fee
from engine.core.iceberg cimport hidden_lots, open_lots, refill
from engine.core.ladder cimport NO_KEY, Ladder, ladder_below, level_key
from engine.core.limits cimport reference_price
from engine.core.lists cimport leg_traded
from engine.core.mass cimport Selection, bar_book, cancel_selected
from engine.core.pool cimport ICEBERG, LISTED, Node
from engine.core.purse cimport purse_take
from engine.core.reports cimport report_control
from engine.core.resting cimport retire
from engine.core.settings cimport watch_book
from engine.core.state cimport MAX_TICKS, book_known, side_key
from engine.core.types cimport (
    AUCTION_EVENT, AUCTION_STATUS, BAD_COMMAND, BUY, CLOSED, CONFIGURED, CONFLICT, DAY, EXPIRED, INDICATED, NONE, SELL,
    START, STARTED, TOUCHED, TRADE, UNCROSS, UNCROSSED, UNKNOWN_INSTRUMENT, AuctionTold, Code, Event, TradeEvent)
from engine.core.wallets cimport Wallet


cdef struct Walk:               # along one side, from the best price on
    Ladder* ladder
    uint32_t level              # 0 at the end
    int64_t lots                # of the level that are left
    int64_t price_ticks
    int64_t traded_ticks        # of the last level that traded
    bint hides                  # there are icebergs: levels do not tell all


cdef void _step(State* state, Walk* walk, int side, uint32_t level) noexcept nogil:
    walk.level = level
    if level != 0:
        walk.lots = state.shelf.levels[level].qty_lots
        if walk.hides:
            walk.lots += _hidden(state, level)
        walk.price_ticks = side_key(side, level_key(&state.shelf, level))
    else:
        walk.lots = INT64_MAX
        walk.price_ticks = MAX_TICKS + 2 if side else -1


cdef int64_t _hidden(State* state, uint32_t level) noexcept nogil:
    cdef uint32_t slot = state.shelf.levels[level].head
    cdef int64_t lots = 0
    while slot != 0:
        lots += hidden_lots(state, slot)
        slot = state.pool.nodes[slot].next
    return lots


cdef void _trade(State* state, Walk* walk, int side, int64_t lots) noexcept nogil:
    walk.traded_ticks = walk.price_ticks
    walk.lots -= lots
    if walk.lots == 0:
        _step(state, walk, side, ladder_below(&state.shelf, walk.ladder, walk.level))


cdef int64_t _next_price(State* state, Walk* walk, int side) noexcept nogil:
    cdef Walk after = walk[0]
    _step(state, &after, side, ladder_below(&state.shelf, walk.ladder, walk.level) if walk.level != 0 else 0)
    return after.price_ticks


cdef Crossing crossing(State* state, Book* book, int64_t reference_ticks) noexcept nogil:
    cdef Crossing found
    cdef Walk bid, ask
    cdef int64_t lots
    memset(&found, 0, sizeof(found))
    bid.hides = ask.hides = book.icebergs != 0
    bid.ladder, ask.ladder = &book.ladders[<int>BUY], &book.ladders[<int>SELL]
    _step(state, &bid, BUY, bid.ladder.best_level)
    _step(state, &ask, SELL, ask.ladder.best_level)
    while bid.level != 0 and ask.level != 0 and bid.price_ticks >= ask.price_ticks:
        lots = bid.lots if bid.lots < ask.lots else ask.lots
        _trade(state, &bid, BUY, lots)
        _trade(state, &ask, SELL, lots)
        found.lots += lots
    if found.lots != 0:
        _choose(state, &bid, &ask, reference_ticks, &found)
    return found


cdef void _choose(State* state, Walk* bid, Walk* ask, int64_t reference_ticks, Crossing* found) noexcept nogil:
    """Prices of full volume lie from the last sell to the last buy traded; what is left over stands outside or in them.

    Between the next buy and the next sell there is no surplus. If none of those prices is one of full volume, there is
    the next buy's surplus at and just below its price, and the next sell's at and just above.
    """
    cdef int64_t low = max(ask.traded_ticks, bid.price_ticks + 1)
    cdef int64_t high = min(bid.traded_ticks, ask.price_ticks - 1)
    cdef int64_t buying = bid.lots if bid.price_ticks >= ask.traded_ticks else INT64_MAX
    cdef int64_t selling = ask.lots if ask.price_ticks <= bid.traded_ticks else INT64_MAX
    if low > high:
        if buying <= selling:
            low = max(ask.traded_ticks, _next_price(state, bid, BUY) + 1)
            high = min(bid.price_ticks, bid.traded_ticks)
        if selling <= buying:
            high = min(bid.traded_ticks, _next_price(state, ask, SELL) - 1)
            low = low if buying == selling else max(ask.price_ticks, ask.traded_ticks)
    if reference_ticks == 0:
        reference_ticks = low + (high - low) / 2
    found.price_ticks = min(max(reference_ticks, low), high)
    if found.price_ticks <= bid.price_ticks:
        found.surplus_lots = bid.lots
    elif found.price_ticks >= ask.price_ticks:
        found.surplus_lots = ask.lots
        found.side = SELL


cdef bint is_crossed(Book* book) noexcept nogil:
    return (book.ladders[<int>BUY].best_key != NO_KEY and book.ladders[<int>SELL].best_key != NO_KEY
            and book.ladders[<int>BUY].best_key >= side_key(SELL, book.ladders[<int>SELL].best_key))


cdef void auction(State* state, ControlCommand* command) noexcept nogil:
    cdef Code code = _check(state, command)
    cdef Book* book
    cdef Crossing found
    report_control(state, command, CONFIGURED, code)
    if code != NONE:
        return
    book = &state.books[command.instrument]
    found = crossing(state, book, command.reference_ticks if command.reference_ticks != 0 else reference_price(book))
    _set_status(state, book, AUCTION_STATUS if command.mode == START else command.status)
    _tell(state, <Command*>command, book, &found, STARTED if command.mode == START else UNCROSSED)
    if command.mode == UNCROSS:
        _uncross(state, <Command*>command, book, &found)
        if command.status == CLOSED:
            end_day(state, <Command*>command, book)


cdef Code _check(State* state, ControlCommand* command) noexcept nogil:
    if (command.mode > UNCROSS or command.status > CLOSED or command.status == AUCTION_STATUS
            or (command.mode == START and command.status != 0) or command.reference_ticks < 0
            or command.reference_ticks > MAX_TICKS):
        return BAD_COMMAND
    if not book_known(state, command.instrument):
        return UNKNOWN_INSTRUMENT
    if (state.books[command.instrument].status == AUCTION_STATUS) == (command.mode == START):
        return CONFLICT
    return NONE


cdef void _set_status(State* state, Book* book, int status) noexcept nogil:
    memset(book.indicated, 0, sizeof(book.indicated))
    book.status = <unsigned char>status
    state.instruments[book.instrument].status = <unsigned char>status
    bar_book(state, book.instrument)
    watch_book(book)


cdef Event* _tell(State* state, Command* command, Book* book, Crossing* found, AuctionTold told) noexcept nogil:
    cdef Event* event = event_next(&state.events)
    memset(event, 0, sizeof(Event))
    event.kind = AUCTION_EVENT
    event.side = found.side
    event.instrument = book.instrument
    event.seq = command.seq
    event.time_ns = command.time_ns
    event.price_ticks = found.price_ticks
    event.qty_lots = found.lots
    event.left_lots = found.surplus_lots
    event.flags = told
    return event


cdef void indicate(State* state, Command* command, Book* book) noexcept nogil:
    cdef Crossing found = crossing(state, book, reference_price(book))
    if (found.price_ticks == book.indicated[0] and found.lots == book.indicated[1]
            and found.surplus_lots == book.indicated[2] and found.side == book.indicated[3]):
        return
    keep_indicated(state, book)
    _tell(state, command, book, &found, INDICATED)


cdef void keep_indicated(State* state, Book* book) noexcept nogil:
    cdef Crossing found = crossing(state, book, reference_price(book))
    book.indicated[0], book.indicated[1] = found.price_ticks, found.lots
    book.indicated[2], book.indicated[3] = found.surplus_lots, found.side


cdef void _uncross(State* state, Command* command, Book* book, Crossing* found) noexcept nogil:
    cdef int64_t left = found.lots
    cdef uint32_t buy, sell
    cdef int64_t lots
    if state.top_events:
        _tell_touched(state, command, book, found.price_ticks, BUY)
        _tell_touched(state, command, book, found.price_ticks, SELL)
    while left > 0:
        buy = state.shelf.levels[book.ladders[<int>BUY].best_level].head
        sell = state.shelf.levels[book.ladders[<int>SELL].best_level].head
        lots = min(left, min(state.pool.nodes[buy].left_lots, state.pool.nodes[sell].left_lots))
        left -= lots
        if state.pool.nodes[buy].order_id > state.pool.nodes[sell].order_id:
            _cross(state, command, book, buy, sell, lots, found.price_ticks)
        else:
            _cross(state, command, book, sell, buy, lots, found.price_ticks)


cdef void _tell_touched(State* state, Command* command, Book* book, int64_t price_ticks, int side) noexcept nogil:
    """The price levels that may lose orders: those of the price or better, where there is one."""
    cdef Ladder* ladder = &book.ladders[side]
    cdef uint32_t level = ladder.best_level
    cdef Crossing touched
    memset(&touched, 0, sizeof(touched))
    touched.side = <uint8_t>side
    while price_ticks != 0 and level != 0 and level_key(&state.shelf, level) >= side_key(side, price_ticks):
        touched.price_ticks = side_key(side, level_key(&state.shelf, level))
        _tell(state, command, book, &touched, TOUCHED)
        level = ladder_below(&state.shelf, ladder, level)


cdef void _cross(
    State* state, Command* command, Book* book, uint32_t taker_slot, uint32_t maker_slot, int64_t lots,
    int64_t price_ticks
) noexcept nogil:
    """One trade of two resting orders; the younger is the taker."""
    cdef Node* taker = &state.pool.nodes[taker_slot]
    cdef Node* maker = &state.pool.nodes[maker_slot]
    cdef int64_t base = lots * book.lot_value
    cdef int64_t quote = lots * price_ticks * book.tick_value
    cdef int64_t taker_fee = party_fee(state, book, taker.account, taker.side, quote if taker.side else base, True)
    cdef int64_t maker_fee = party_fee(state, book, maker.account, maker.side, quote if maker.side else base, False)
    book.update_id += 2
    book.trade_id += 1
    book.last_ticks = price_ticks
    state.fill_id += 1
    _settle(state, book, taker, lots, price_ticks, taker_fee)
    _settle(state, book, maker, lots, price_ticks, maker_fee)
    cdef TradeEvent* event = <TradeEvent*>event_next(&state.events)
    memset(event, 0, sizeof(TradeEvent))
    event.kind = TRADE
    event.side, event.order_type, event.time_in_force = taker.side, taker.order_type, taker.time_in_force
    event.account, event.instrument, event.slot = taker.account, book.instrument, taker_slot
    event.seq, event.time_ns = command.seq, command.time_ns
    event.order_id, event.price_ticks, event.qty_lots = taker.order_id, price_ticks, lots
    event.left_lots, event.maker_left_lots = open_lots(state, taker_slot), open_lots(state, maker_slot)
    event.maker_order_id, event.maker_account = maker.order_id, maker.account
    event.trade_id, event.fill_id, event.quote_amount = book.trade_id, state.fill_id, quote
    event.taker_fee, event.maker_fee = taker_fee, maker_fee
    _end(state, book, taker_slot, command.time_ns)
    _end(state, book, maker_slot, command.time_ns)


cdef void _settle(
    State* state, Book* book, Node* node, int64_t lots, int64_t price_ticks, int64_t fee
) noexcept nogil:
    """Out of its hold to the other side's available; a BUY gets back what its limit was above the price."""
    cdef int64_t base = lots * book.lot_value
    cdef int64_t quote = lots * price_ticks * book.tick_value
    cdef int64_t held = base if node.side else lots * node.price_ticks * book.tick_value
    cdef Wallet* wallets
    if node.receive_wallet == 0:
        node.receive_wallet = purse_take(state, node.account, book.pay_asset[1 - node.side])
    wallets = state.wallets.items
    wallets[node.pay_wallet].held -= held
    wallets[node.pay_wallet].available += 0 if node.side else held - quote
    wallets[node.receive_wallet].available += (quote if node.side else base) - fee
    wallets[book.fee_wallet[node.side]].available += fee
    state.shelf.levels[node.level].qty_lots -= lots
    node.left_lots -= lots
    node.quote_filled += quote


cdef void _end(State* state, Book* book, uint32_t slot, int64_t time_ns) noexcept nogil:
    if state.pool.nodes[slot].flags & ICEBERG:
        refill(state, slot)
    if state.pool.nodes[slot].flags & LISTED:
        leg_traded(state, slot)
    if state.pool.nodes[slot].left_lots == 0:
        retire(state, &book.ladders[state.pool.nodes[slot].side], &state.pool.nodes[slot], slot)
    else:
        state.pool.nodes[slot].update_ns = time_ns


cdef void end_day(State* state, Command* command, Book* book) noexcept nogil:
    cdef Selection selection
    selection.account = selection.session = 0
    selection.instrument, selection.time_in_force = book.instrument, DAY
    cancel_selected(state, command, &selection, EXPIRED)
