"""What the trades of one instrument amount to: aggregated trades at once, candles and statistics at the ticks.

Trades gather in the bar of their second; candles and statistics take it in when the second is over or when somebody
looks. History is taken in silence: `start` begins to speak, `live` = False stops it. Trades that are in what was stored
(`resume`) are not taken again.
"""
from collections.abc import Callable
from functools import partial

from engine.bars import Bar, Statistics
from engine.core.exchange import Exchange
from engine.core.unpack import Event, unpack_events
from engine.instruments import Instrument
from engine.intervals import DAY_MS, HOUR_MS, MINUTE_MS
from engine.market_channels import NS_PER_MS, REFRESH, TICKER_WINDOWS, Kind, encode_entry
from workers.agg_trades import AggTrade, AggTrades, Records
from workers.candle_past import Past
from workers.candles import Candles
from workers.market_klines import Klines
from workers.market_stats_json import (
    AVERAGE_MINUTES,
    agg_trade_json,
    average_json,
    day_ticker_json,
    mini_ticker_json,
    window_ticker_json,
)
from workers.rolling import Rolling, Span

BULK_MIN = 8   # fewer trades at a time are quicker one by one
_SPANS = {"1h": HOUR_MS, "4h": 4 * HOUR_MS, "1d": DAY_MS}
assert _SPANS.keys() == TICKER_WINDOWS.keys()


class MarketTape:
    """One instrument; appends encoded entries to `entries`, which its owner empties."""

    def __init__(self, core: Exchange, instrument: Instrument, entries: list[bytes]) -> None:
        self.candles = Candles()
        self.live = False
        self._core, self._instrument, self._entries = core, instrument, entries
        self._aggs = AggTrades()
        self._piece: Bar | None = None        # the trades of one second that nobody has looked at
        self._rolling = Rolling(Span(DAY_MS, fine=True), Span(AVERAGE_MINUTES * MINUTE_MS, fine=True),
                                *(Span(length_ms) for length_ms in _SPANS.values()))
        self._klines = Klines(instrument, self.candles, entries)
        self._traded_ms = 0                   # time of the last trade
        self._counted_seq = 0                 # the trades of commands up to here are counted
        self._texts: dict[Kind, tuple[object, bytes]] = {}   # what it was made of, and what was told last
        self._changed: dict[Kind, bytes] = {}

    @property
    def instrument(self) -> Instrument:
        """Its terms; set anew when they change."""
        return self._instrument

    @instrument.setter
    def instrument(self, instrument: Instrument) -> None:
        self._instrument = self._klines.instrument = instrument

    @property
    def last_agg(self) -> int:
        """Number of the last aggregated trade; 0 before the first."""
        return self._aggs.last_id

    def resume(self, past: Past, counted_seq: int) -> None:
        """Begin with the trades of all commands up to counted_seq; the second of the last one stands for its time."""
        self._counted_seq, self._aggs.last_id = counted_seq, past.last_agg
        self.candles.resume(past.now, past.whole)
        self._traded_ms = past.seconds[-1].open_ms
        for second in past.seconds:
            self._rolling.add(second)

    # trades in

    def trade(self, trade: Event) -> None:
        """Take the next trade."""
        if trade.seq <= self._counted_seq:
            return
        agg = self._aggs.add(trade)
        if agg is not None:
            self._take(agg)

    def settle(self) -> None:
        """All commands so far are over."""
        agg = self._aggs.flush()
        if agg is not None:
            self._take(agg)

    def remember(self, trades: Records) -> None:
        """Trades of whole commands of history; many at one moment are summed up at once, which costs a tenth."""
        if self._counted_seq and trades["seq"][0] <= self._counted_seq:
            self._traded_ms = int(trades["time_ns"][-1]) // NS_PER_MS
            trades = trades[trades["seq"] > self._counted_seq]
            if not len(trades):
                return
        if len(trades) >= BULK_MIN and trades["time_ns"][0] == trades["time_ns"][-1]:
            self._gather(self._aggs.add_all(trades), int(trades["time_ns"][-1]) // NS_PER_MS)
            return
        for trade in unpack_events(trades.tobytes()):
            self.trade(trade)
        self.settle()

    def fold(self) -> None:
        """Bring candles and statistics up to date."""
        piece, self._piece = self._piece, None
        if piece is None:
            return
        first = not self.candles.now
        self.candles.add(piece)
        self._rolling.add(piece)
        if first and self.live:
            self._klines.start(piece.open_ms, self._traded_ms)

    def _take(self, agg: AggTrade) -> None:
        if self.live:
            self._entries.append(encode_entry(Kind.AGG_TRADE, agg_trade_json(self._instrument, agg)))
        self._gather(agg.bar(), agg.time_ns // NS_PER_MS)

    def _gather(self, bar: Bar, traded_ms: int) -> None:
        if self._piece is None or self._piece.open_ms != bar.open_ms:
            self.fold()
            if self.live:
                self._klines.end(bar.open_ms, traded_ms)
            self._piece = bar
        else:
            self._piece.extend(bar)
        self._traded_ms = traded_ms

    # entries out

    def start(self, at_ms: int) -> None:
        """Speak from this moment on."""
        self.live = True
        self.fold()
        self._texts.clear()
        self._klines.start(at_ms, at_ms)

    def fast_tick(self, until_ms: int, now_ms: int) -> None:
        """Nothing more will happen before until_ms."""
        self.fold()
        self._klines.end(until_ms, now_ms)

    def slow_tick(self, now_ms: int, even: bool) -> dict[Kind, bytes]:
        """Every 1000 ms, `even` at every second one; gives the statistics that have changed."""
        self.fold()
        self._klines.tell(now_ms, long=even)
        terms, traded_ms = self._instrument, self._traded_ms
        day, average, *windows = self._rolling.at(now_ms)
        best = self._core.top(terms.id)
        self._changed = {}
        self._tell(Kind.MINI_TICKER, _values(day)[:6], lambda: mini_ticker_json(terms, now_ms, day))
        self._tell(Kind.TICKER, (_values(day), best), lambda: day_ticker_json(terms, now_ms, day, best[:2], best[2:]))
        self._tell(Kind.AVG_PRICE, (average.quote, average.lots, average.last, traded_ms),
                   lambda: average_json(terms, now_ms, average, traded_ms))
        for (name, (kind, _)), span in zip(TICKER_WINDOWS.items(), windows, strict=True):
            self._tell(kind, _values(span), partial(window_ticker_json, terms, now_ms, name, span))
        return self._changed

    def refresh(self) -> None:
        """The last states once more."""
        self._klines.refresh()
        self._entries += [encode_entry(kind, text, REFRESH) for kind, (_, text) in self._texts.items()]

    def _tell(self, kind: Kind, value: object, make: Callable[[], bytes]) -> None:
        """As news if the value has changed, else the last text once more."""
        said = self._texts.get(kind)
        if said is not None and said[0] == value:
            self._entries.append(encode_entry(kind, said[1], REFRESH))
            return
        text = self._changed[kind] = make()
        self._texts[kind] = value, text
        self._entries.append(encode_entry(kind, text))


def _values(span: Statistics) -> tuple[int, ...]:
    """All that is told of it but its times, what the short ticker needs first."""
    return (span.open, span.high, span.low, span.last, span.lots, span.quote, span.last_lots, span.first_id,
            span.last_id, span.before)
