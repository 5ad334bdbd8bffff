"""What one instrument tells the world: turns its events into entries, and its book at a tick into differences.

The book itself is the replica core's; here is only which prices were touched since a tick and what was said last. The
touched prices are at most the prices of the events of one tick; between ticks an event costs one set insertion.
"""
from engine.core.codes import AuctionTold, Code, EventKind, OrderType, Side, TimeInForce
from engine.core.exchange import Exchange
from engine.core.unpack import Event
from engine.instruments import Instrument
from engine.market_channels import PARTIAL_LEVELS, REFRESH, Kind, encode_entry
from workers.market_data_json import (
    CRC_LEVELS,
    Level,
    crc_json,
    diff_json,
    orders_json,
    partial_json,
    ticker_json,
    trade_json,
)
from workers.market_orders import MarketOrders

_DEEPEST = max(PARTIAL_LEVELS.values())
_NEVER_RESTED = frozenset({
    Code.IOC_REMAINDER, Code.FOK_UNFILLED, Code.NO_LIQUIDITY, Code.SLIPPAGE})  # cancels that leave levels alone
_AT_ONCE = (TimeInForce.IOC, TimeInForce.FOK)
_NO_PRICE = 0   # of a market order, which self-trade prevention may end


class DepthWindow:
    """The span of one diff stream: from the update after `last_id` to now. Contiguous: U = the u before + 1."""

    def __init__(self, kind: Kind, last_id: int) -> None:
        self.kind, self.last_id = kind, last_id
        self.touched: tuple[set[int], set[int]] = (set(), set())   # price_ticks by side

    def clear(self) -> None:
        """Nothing is touched yet."""
        for prices in self.touched:
            prices.clear()


class MarketBook:
    """Publishes one instrument. `entries` gathers encoded entries until the owner takes them."""

    def __init__(
            self, core: Exchange, instrument: Instrument, tells_raw: bool = True, tells_orders: bool = False) -> None:
        self._instrument, self._tells_raw = instrument, tells_raw
        self._orders = MarketOrders(core, instrument) if tells_orders else None
        self.entries: list[bytes] = []
        self.seq = 0                 # of the instrument's channel, in the present epoch
        self._core, self._id = core, instrument.id
        self._states: dict[Kind, bytes] = {}             # the last text of each state
        self._best: tuple[list[Level], ...] = ([], [])   # bids and asks in them
        self._new_order = 0
        self._new_level: int | None = None   # level that the order accepted last touched as the first
        self.restart()

    @property
    def instrument(self) -> Instrument:
        """Its terms; set anew when they change."""
        return self._instrument

    @instrument.setter
    def instrument(self, instrument: Instrument) -> None:
        self._instrument = instrument
        if self._orders is not None:
            self._orders.instrument = instrument

    @property
    def symbol(self) -> str:
        """Names the channel."""
        return self.instrument.symbol

    def restart(self) -> None:
        """Forget what was said: the streams go on from the book as it is now."""
        update_id = self._core.update_id(self._id)
        self._raw = DepthWindow(Kind.DEPTH_RAW, update_id)
        self._fast, self._slow = DepthWindow(Kind.DEPTH_100, update_id), DepthWindow(Kind.DEPTH_1000, update_id)
        self._partial_id = -1
        self._new_level = None
        self._orders_id = update_id
        if self._orders is not None:
            self._orders.restart()
        self.entries.clear()
        bid_ticks, bid_lots, ask_ticks, ask_lots = self._core.top(self._id)
        self._states = {Kind.BOOK_TICKER: ticker_json(
            self.instrument, update_id, (bid_ticks, bid_lots), (ask_ticks, ask_lots))}
        self._renew_partials()

    def event(self, event: Event) -> None:
        """Take one event of this instrument, in order."""
        kind = event.kind
        if self._orders is not None:
            self._orders.event(event)
        if kind == EventKind.TOP:
            self._top(event)
        elif kind == EventKind.TRADE:
            self._trade(event)
        elif kind == EventKind.ACCEPTED:
            self._accepted(event)
        elif kind == EventKind.LIST:
            self._new_level = None
        elif kind == EventKind.AUCTION:
            self._auction(event)
        elif event.price_ticks == _NO_PRICE:
            return
        elif kind == EventKind.TRIGGERED:
            self._triggered(event)
        elif kind == EventKind.REDUCED or (kind == EventKind.CANCELED and event.code not in _NEVER_RESTED):
            self._raw.touched[event.side].add(event.price_ticks)

    def settle(self, now_ms: int) -> None:
        """A frame is over: what its commands touched is told raw, and again at the ticks."""
        self._new_level = None
        raw, fast = self._raw, self._fast
        for prices, touched in zip(fast.touched, raw.touched, strict=True):
            prices |= touched
        if self._tells_raw:
            self._diff(raw, now_ms)
        else:
            raw.clear()
        if self._orders is not None:
            self._tell_orders(self._orders, now_ms)

    def fast_tick(self, now_ms: int) -> None:
        """Every 100 ms: the difference, the best levels where they changed, and their checksum."""
        self.settle(now_ms)
        for side in Side:
            self._slow.touched[side].update(self._fast.touched[side])
        changed = self._diff(self._fast, now_ms)
        self._partials()
        if changed and self._tells_raw:
            bids, asks = (levels[:CRC_LEVELS] for levels in self._best)
            self.entries.append(encode_entry(
                Kind.DEPTH_CRC, crc_json(self.instrument, now_ms, self._partial_id, bids, asks)))

    def slow_tick(self, now_ms: int) -> None:
        """Every 1000 ms, after the fast tick: the other difference, and the state once more for late readers."""
        self._diff(self._slow, now_ms)
        self.refresh()

    def refresh(self) -> None:
        """Say the last known state once more, not as an event."""
        self._renew_partials()
        self.entries += [encode_entry(kind, text, REFRESH) for kind, text in self._states.items()]

    def _tell_orders(self, orders: MarketOrders, now_ms: int) -> None:
        told = orders.take()
        if told:
            update_id = self._core.update_id(self._id)
            ids = (self._orders_id + 1, update_id)
            self.entries.append(encode_entry(Kind.L3, orders_json(self._instrument, now_ms, ids, told)))
            self._orders_id = update_id

    def _top(self, top: Event) -> None:
        text = ticker_json(self.instrument, top.update_id, (top.bid_ticks, top.bid_lots), (top.ask_ticks, top.ask_lots))
        self._states[Kind.BOOK_TICKER] = text
        self.entries.append(encode_entry(Kind.BOOK_TICKER, text))

    def _trade(self, trade: Event) -> None:
        """The maker's level has changed; a taker that is filled has not made one at its own price."""
        self.entries.append(encode_entry(Kind.TRADE, trade_json(self.instrument, trade)))
        self._raw.touched[1 - trade.side].add(trade.price_ticks)
        if self._new_level is not None and trade.left_lots == 0 and trade.order_id == self._new_order:
            self._raw.touched[trade.side].discard(self._new_level)
            self._new_level = None

    def _accepted(self, order: Event) -> None:
        """An order that may rest touches its own level, unless its fills (which follow) leave nothing of it."""
        self._new_level = None
        waits = order.kind == EventKind.ACCEPTED and order.order_type > OrderType.MARKET
        if order.time_in_force in _AT_ONCE or order.order_type == OrderType.MARKET or waits:
            return
        touched = self._raw.touched[order.side]
        if order.price_ticks not in touched:
            touched.add(order.price_ticks)
            self._new_level, self._new_order = order.price_ticks, order.order_id

    def _auction(self, event: Event) -> None:
        """The trades of an uncross tell one price, not those of the levels they take from: these are told before."""
        self._new_level = None
        if event.flags == AuctionTold.TOUCHED:
            self._raw.touched[event.side].add(event.price_ticks)

    def _triggered(self, order: Event) -> None:
        """A stop or a pending leg begins to work and may come to rest; others of its command may trade before it."""
        self._new_level = None
        if order.time_in_force not in _AT_ONCE:
            self._raw.touched[order.side].add(order.price_ticks)

    def _diff(self, window: DepthWindow, now_ms: int) -> bool:
        """Tell the span up to now, and begin the next; whether there was anything."""
        update_id = self._core.update_id(self._id)
        changed = update_id != window.last_id
        if changed:
            bids, asks = self._levels(window, Side.BUY), self._levels(window, Side.SELL)
            text = diff_json(self.instrument, now_ms, (window.last_id + 1, update_id), bids, asks)
            self.entries.append(encode_entry(window.kind, text))
            window.last_id = update_id
        window.clear()
        return changed

    def _levels(self, window: DepthWindow, side: Side) -> list[Level]:
        """Final quantities of the touched levels, best first."""
        prices = sorted(window.touched[side], reverse=side == Side.BUY)
        return [(price, self._core.level(self._id, side, price)) for price in prices]

    def _partials(self) -> None:
        """Best levels that differ from those said last; the update id alone is no reason to speak."""
        said = self._best
        for kind in self._renew_partials():
            count = PARTIAL_LEVELS[kind]
            if any(now[:count] != before[:count] for now, before in zip(self._best, said, strict=True)):
                self.entries.append(encode_entry(kind, self._states[kind]))

    def _renew_partials(self) -> list[Kind]:
        """Make the texts new if the book has changed; the kinds that were made."""
        update_id = self._core.update_id(self._id)
        if update_id == self._partial_id:
            return []
        self._partial_id = update_id
        bids, asks = self._best = tuple(self._core.depth(self._id, side, _DEEPEST) for side in Side)
        for kind, count in PARTIAL_LEVELS.items():
            self._states[kind] = partial_json(self.instrument, update_id, bids[:count], asks[:count])
        return list(PARTIAL_LEVELS)
