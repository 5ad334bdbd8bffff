"""Sums of consecutive trades of an instrument: what candles and statistics are made of; ticks, lots, minor units.

A bar grows only at its end. Bars of adjacent spans can be joined, in their order, without looking at trades again.
"""
from msgspec import Struct

from engine.instruments import PLACES, Instrument

E8 = 10**PLACES


class Bar(Struct, gc=False):
    """At least one trade, first to last; `buy` is the part in which the buyer took."""

    open_ms: int       # of the span the bar stands for
    open: int
    high: int
    low: int
    close: int
    last_lots: int     # quantity of the last trade
    lots: int
    quote: int
    buy_lots: int
    buy_quote: int
    first_id: int
    last_id: int
    first_agg: int     # number of the first aggregated trade
    first_seq: int     # command of the first trade
    seq: int           # command of the last trade

    def extend(self, later: "Bar") -> None:
        """Take in the bar that follows."""
        if later.high > self.high:
            self.high = later.high
        if later.low < self.low:
            self.low = later.low
        self.close, self.last_lots = later.close, later.last_lots
        self.lots += later.lots
        self.quote += later.quote
        self.buy_lots += later.buy_lots
        self.buy_quote += later.buy_quote
        self.last_id, self.seq = later.last_id, later.seq


class Statistics(Struct, frozen=True):
    """What happened in a span that ends now. Nothing: prices and sums 0, ids -1; `before` and `last` remain."""

    open_ms: int       # beginning of the span
    open: int = 0
    high: int = 0
    low: int = 0
    last: int = 0      # price of the last trade, in the span or before it; 0: there was none
    last_lots: int = 0
    lots: int = 0
    quote: int = 0
    first_id: int = -1
    last_id: int = -1
    before: int = 0    # price of the last trade before the span

    @property
    def count(self) -> int:
        """Number of trades: ids have no gap."""
        return self.last_id - self.first_id + 1 if self.first_id >= 0 else 0

    @property
    def change(self) -> int:
        """Of the price over the span, in ticks."""
        return self.last - self.open if self.open else 0


def statistics_of(open_ms: int, bars: list[Bar], before: int, before_lots: int) -> Statistics:
    """The statistics of consecutive bars, after a last trade at the price `before` (0: none)."""
    if not bars:
        return Statistics(open_ms, last=before, last_lots=before_lots, before=before)
    first, last = bars[0], bars[-1]
    return Statistics(
        open_ms, first.open, max(bar.high for bar in bars), min(bar.low for bar in bars), last.close, last.last_lots,
        sum(bar.lots for bar in bars), sum(bar.quote for bar in bars), first.first_id, last.last_id, before)


def average_text(instrument: Instrument, quote: int, lots: int) -> str:
    """Average price of so many lots for so much quote, rounded to 8 places; zero lots: 0."""
    if not lots:
        return instrument.price_text(0)
    whole = instrument.tick_value * lots
    value = (2 * quote * instrument.tick_e8 + whole) // (2 * whole)
    return f"{value // E8}.{value % E8:0{PLACES}d}"


def percent_text(change: int, of: int) -> str:
    """change / of in percent with 3 places, rounded away from zero at the half; of = 0: 0."""
    value = (2 * abs(change) * 100_000 + of) // (2 * of) if of else 0
    return f"{'-' if change < 0 and value else ''}{value // 1000}.{value % 1000:03d}"
