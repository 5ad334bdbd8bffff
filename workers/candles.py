"""Candles of one instrument in all intervals, as a function of its trades alone; what a clock says is not asked.

Pure. A candle exists when something was traded in its time. Bars of at most a second come in, in the order of time, and
are added to all candles at once: a trade costs one addition, a second with trades one for each interval.
A candle of which the beginning was not seen is no candle of its time: it is there to look at, and nobody takes it.
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
        self._whole: list[bool] = []

    def resume(self, now: list[Bar], whole: list[bool]) -> None:
        """Go on with the newest candles made elsewhere; `whole` tells which of them lack no trade."""
        self.now, self._whole = now, whole
        self._ends = [interval.next_ms(candle.open_ms) for interval, candle in zip(ALL_INTERVALS, now, strict=True)]

    def add(self, piece: Bar) -> None:
        """Take trades of one second, later than all before."""
        from_first = bool(self.now) or piece.first_id == 1
        if not self.now:
            count = len(ALL_INTERVALS)
            self.now, self._ends, self._whole = [piece] * count, [0] * count, [from_first] * count
        for place, interval in enumerate(ALL_INTERVALS):
            candle = self.now[place]
            if piece.open_ms < self._ends[place]:
                candle.extend(piece)
            else:
                candle = self.now[place] = begin(piece, interval.open_ms(piece.open_ms))
                self._ends[place], self._whole[place] = interval.next_ms(candle.open_ms), from_first
            if self._whole[place] and not interval.offset_ms:   # others can be put together from hours
                self.changed[interval.number, candle.open_ms] = candle

    def take(self) -> dict[Key, Bar]:
        """The candles that changed since the last call. They go on changing."""
        changed, self.changed = self.changed, {}
        return changed


def begin(piece: Bar, open_ms: int) -> Bar:
    """The candle that began at open_ms, with this piece alone in it."""
    return Bar(open_ms, piece.open, piece.high, piece.low, piece.close, piece.last_lots, piece.lots, piece.quote,
               piece.buy_lots, piece.buy_quote, piece.first_id, piece.last_id, piece.first_agg, piece.first_seq,
               piece.seq)
