"""Rolling statistics of one instrument: what was traded in a span that ends now, kept up to date in constant time.

Pure. Minutes are summed up when they end and summed off when they leave the span; the highest and the lowest are kept
in queues of candidates. A span begins at a whole minute, so it may be up to 59,999 ms longer than its name says (as the
protocol has it), or, if it is `fine`, at a whole second: then the seconds of the minute that leaves are looked at.
Bounded by the longest span: a minute with trades costs half a kilobyte, and 96 bytes for each second with trades.
"""
from collections import deque
from struct import Struct

from engine.bars import Bar, Statistics, statistics_of
from engine.intervals import MINUTE_MS, SECOND_MS

_SECOND = Struct("<8q16s16s")   # sums over a second may exceed 64 bits


class Minute:
    """A minute with trades, and its seconds in as few bytes as possible."""

    __slots__ = ("_seconds", "bar")

    def __init__(self, bar: Bar, seconds: list[Bar]) -> None:
        self.bar = bar
        self._seconds = b"".join([_SECOND.pack(
            second.open_ms, second.open, second.high, second.low, second.close, second.last_lots, second.first_id,
            second.last_id, second.lots.to_bytes(16, "little"), second.quote.to_bytes(16, "little"))
            for second in seconds])

    def seconds(self) -> list[Bar]:
        """Its seconds with trades; only what statistics need is in them."""
        return [Bar(open_ms, opened, high, low, close, last_lots, int.from_bytes(lots, "little"),
                    int.from_bytes(quote, "little"), 0, 0, first_id, last_id, 0, 0, 0)
                for open_ms, opened, high, low, close, last_lots, first_id, last_id, lots, quote
                in _SECOND.iter_unpack(self._seconds)]


class Span:
    """The minutes of one span, summed up."""

    def __init__(self, length_ms: int, fine: bool = False) -> None:
        self._length_ms, self._step_ms = length_ms, SECOND_MS if fine else MINUTE_MS
        self._minutes: deque[Minute] = deque()
        self._highs: deque[Bar] = deque()     # each higher than all after it, so the first is the highest
        self._lows: deque[Bar] = deque()
        self._lots = self._quote = 0
        self._before = (0, 0)                 # price and quantity of the last trade of the minutes that have left
        self._edge: list[Minute] = []         # left, but their last seconds may still be inside
        self._edge_before = (0, 0)

    def push(self, minute: Minute) -> None:
        """A minute is over."""
        bar = minute.bar
        self._minutes.append(minute)
        self._lots += bar.lots
        self._quote += bar.quote
        while self._highs and self._highs[-1].high <= bar.high:
            self._highs.pop()
        self._highs.append(bar)
        while self._lows and self._lows[-1].low >= bar.low:
            self._lows.pop()
        self._lows.append(bar)

    def advance(self, now_ms: int) -> int:
        """Let the minutes leave that began before the span; when the span began."""
        start_ms = now_ms // self._step_ms * self._step_ms - self._length_ms
        while self._minutes and self._minutes[0].bar.open_ms < start_ms:
            self._leave(self._minutes.popleft())
        return start_ms

    def at(self, now_ms: int, current: Bar | None) -> Statistics:
        """The statistics now; `current` is the minute that is not over, if it has trades."""
        start_ms = self.advance(now_ms)
        (before, before_lots), seconds = self._look_at_edge(start_ms)
        if current is not None:
            seconds.append(current)
        if not self._minutes:
            return statistics_of(start_ms, seconds, before, before_lots)
        return statistics_of(start_ms, self._with_whole(seconds, current is not None), before, before_lots)

    def _with_whole(self, parts: list[Bar], current: bool) -> list[Bar]:
        """The whole minutes as one bar, between the seconds at the edge and the minute that is not over."""
        first, last = self._minutes[0].bar, self._minutes[-1].bar
        whole = Bar(first.open_ms, first.open, self._highs[0].high, self._lows[0].low, last.close, last.last_lots,
                    self._lots, self._quote, 0, 0, first.first_id, last.last_id, 0, 0, 0)
        place = len(parts) - current
        return [*parts[:place], whole, *parts[place:]]

    def _leave(self, minute: Minute) -> None:
        bar = minute.bar
        self._lots -= bar.lots
        self._quote -= bar.quote
        if self._highs[0] is bar:
            self._highs.popleft()
        if self._lows[0] is bar:
            self._lows.popleft()
        if not self._edge or self._edge[0].bar.open_ms != bar.open_ms:
            self._edge, self._edge_before = [], self._before
        self._edge.append(minute)
        self._before = bar.close, bar.last_lots

    def _look_at_edge(self, start_ms: int) -> tuple[tuple[int, int], list[Bar]]:
        """The last trade before the span, and the seconds inside it of the minute that left last."""
        if not self._edge or self._edge[0].bar.open_ms + MINUTE_MS <= start_ms:
            return self._before, []
        before, inside = self._edge_before, []
        for second in [second for minute in self._edge for second in minute.seconds()]:
            if second.open_ms < start_ms:
                before = second.close, second.last_lots
            else:
                inside.append(second)
        return before, inside


class Rolling:
    """Feeds any number of spans with the trades of one instrument."""

    def __init__(self, *spans: Span) -> None:
        self._spans = spans
        self._minute: Bar | None = None
        self._seconds: list[Bar] = []

    def add(self, piece: Bar) -> None:
        """Take trades of one second, later than all before."""
        if self._minute is not None and piece.open_ms // MINUTE_MS != self._minute.open_ms // MINUTE_MS:
            self._close()
        if self._minute is None:
            self._minute = _copy(piece, piece.open_ms // MINUTE_MS * MINUTE_MS)
        else:
            self._minute.extend(piece)
        if self._seconds and self._seconds[-1].open_ms == piece.open_ms:
            self._seconds[-1].extend(piece)
        else:
            self._seconds.append(_copy(piece, piece.open_ms))

    def at(self, now_ms: int) -> list[Statistics]:
        """The statistics of each span now."""
        if self._minute is not None and self._minute.open_ms + MINUTE_MS <= now_ms:
            self._close()
        return [span.at(now_ms, self._minute) for span in self._spans]

    def _close(self) -> None:
        """The minute is over; one more that began at the same time may follow if its trades come late."""
        assert self._minute is not None
        minute = Minute(self._minute, self._seconds)
        self._minute, self._seconds = None, []
        for span in self._spans:
            span.push(minute)
            span.advance(minute.bar.open_ms)


def _copy(piece: Bar, open_ms: int) -> Bar:
    copy = Bar(*[getattr(piece, name) for name in piece.__struct_fields__])
    copy.open_ms = open_ms
    return copy
