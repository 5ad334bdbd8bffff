"""Tells the candles of one instrument to its streams: changes at their cadence, and the end of each exactly once.

A candle ends when a command of a later time was seen, or when the owner says that a quiet clock has passed its end. The
candles themselves follow the journal alone; a trade that comes later than a quiet clock believed possible is in the
candle for everybody who asks, but its stream, which has told the end, does not speak of it again.
An interval without a trade is told as a flat candle at the last price. Before the first trade there is nothing to tell.
"""
from engine.bars import Bar
from engine.instruments import Instrument
from engine.intervals import ALL_INTERVALS
from engine.market_channels import KLINES, REFRESH, encode_entry
from workers.candles import Candles
from workers.market_stats_json import kline_json

ENDS_MAX = 120   # of one interval told at a time; after a longer silence the stream goes on with the present candle


class Klines:
    """Appends to `entries`."""

    def __init__(self, instrument: Instrument, candles: Candles, entries: list[bytes]) -> None:
        self.instrument = instrument
        self._candles, self._entries = candles, entries
        self._opens: list[int] = []   # of the candles that are told now; empty while there is nothing to tell
        self._ends: list[int] = []
        self._said: list[tuple[int, int, int]] = []   # candle, its last command and its price as told last
        self._texts: list[bytes] = []

    def start(self, at_ms: int, now_ms: int) -> None:
        """Forget what was told: go on with the candles of this moment."""
        self._opens = [interval.open_ms(at_ms) for interval in ALL_INTERVALS] if self._candles.now else []
        self._ends = [interval.next_ms(open_ms) for interval, open_ms in zip(ALL_INTERVALS, self._opens, strict=False)]
        self._said, self._texts = [(-1, -1, -1)] * len(self._opens), [b""] * len(self._opens)
        for place in range(len(self._opens)):
            self._tell(place, now_ms)

    def end(self, until_ms: int, now_ms: int) -> None:
        """Nothing more will happen before until_ms: tell the end of the candles that ended until then."""
        if not self._ends or until_ms < self._ends[0]:   # the first is the shortest
            return
        for place in range(len(self._ends)):
            if self._ends[place] <= until_ms:
                self._end(place, until_ms, now_ms)

    def tell(self, now_ms: int, long: bool) -> None:
        """At a tick: what has changed, else the last state once more; `long` for the intervals above a second too."""
        for place in range(len(self._opens) if long else min(1, len(self._opens))):
            if not self._tell(place, now_ms):
                self._entries.append(encode_entry(KLINES[place], self._texts[place], REFRESH))

    def refresh(self) -> None:
        """The last states once more."""
        self._entries += [encode_entry(kind, text, REFRESH) for kind, text in zip(KLINES, self._texts, strict=False)]

    def _end(self, place: int, until_ms: int, now_ms: int) -> None:
        interval = ALL_INTERVALS[place]
        for _ in range(ENDS_MAX):
            text = kline_json(self.instrument, interval, now_ms, self._candle(place), closed=True)
            self._entries.append(encode_entry(KLINES[place], text))
            self._move(place, self._ends[place])
            if self._ends[place] > until_ms:
                break
        else:
            self._move(place, interval.open_ms(until_ms))
        self._tell(place, now_ms)

    def _move(self, place: int, open_ms: int) -> None:
        self._opens[place], self._ends[place] = open_ms, ALL_INTERVALS[place].next_ms(open_ms)

    def _tell(self, place: int, now_ms: int) -> bool:
        """Tell the candle as it is; False when that was said already."""
        candle = self._candle(place)
        state = candle.open_ms, candle.seq, candle.close
        if state == self._said[place]:
            return False
        self._said[place] = state
        self._texts[place] = kline_json(self.instrument, ALL_INTERVALS[place], now_ms, candle, closed=False)
        self._entries.append(encode_entry(KLINES[place], self._texts[place]))
        return True

    def _candle(self, place: int) -> Bar:
        """The candle that is told now, flat if nothing was traded in its time."""
        candle = self._candles.now[place]
        if candle.open_ms == self._opens[place]:
            return candle
        last = self._candles.now[0].close
        return Bar(self._opens[place], last, last, last, last, 0, 0, 0, 0, 0, -1, -1, 0, 0, -1)
