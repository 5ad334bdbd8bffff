"""Candles of one instrument in all intervals, as a function of its trades alone; what a clock says is not asked.

Pure. A candle exists when something was traded in its time. Bars of at most a second come in, in the order of time, and
are added to all candles at once: a trade costs one addition, a second with trades one for each interval.
"""
from engine.bars import Bar
from engine.intervals import ALL_INTERVALS

Key = tuple[int, int]   # number of the interval, open_ms


class Candles:
    """`now[i]` is the newest candle of ALL_INTERVALS[i]; `changed` gathers those of UTC until the owner takes them."""

    def __init__(self) -> None:
        self.now: list[Bar] = []           # empty before the first trade
        self.changed: dict[Key, Bar] = {}
        self._ends: list[int] = []

    def add(self, piece: Bar) -> None:
        """Take trades of one second, later than all before."""
        if not self.now:
            self.now, self._ends = [piece] * len(ALL_INTERVALS), [0] * len(ALL_INTERVALS)
        for place, interval in enumerate(ALL_INTERVALS):
            candle = self.now[place]
            if piece.open_ms < self._ends[place]:
                candle.extend(piece)
            else:
                candle = self.now[place] = _begin(piece, interval.open_ms(piece.open_ms))
                self._ends[place] = interval.next_ms(candle.open_ms)
            if not interval.offset_ms:   # others can be put together from hours
                self.changed[interval.number, candle.open_ms] = candle

    def take(self) -> dict[Key, Bar]:
        """The candles that changed since the last call. They go on changing."""
        changed, self.changed = self.changed, {}
        return changed


def _begin(piece: Bar, open_ms: int) -> Bar:
    return Bar(open_ms, piece.open, piece.high, piece.low, piece.close, piece.last_lots, piece.lots, piece.quote,
               piece.buy_lots, piece.buy_quote, piece.first_id, piece.last_id, piece.first_agg, piece.first_seq,
               piece.seq)
