"""The intervals of candles and their calendar: where the one that holds a moment begins and ends. Times are ms, UTC.

Days, weeks and months begin at midnight UTC, weeks on Monday; the others, three days as well, are counted from 1970.
Every interval begins and ends at a whole second, so what happened within one second belongs to one candle of each.
An interval with an offset is one of another time zone: the same calendar, so much earlier for a zone east of UTC.
"""
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

SECOND_MS = 1000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
WEEK_MS = 7 * DAY_MS
TIME_MS_MAX = 250_000_000_000_000   # in the year 9892: what the calendar takes

_FIRST_MONDAY_MS = 4 * DAY_MS       # 1970-01-05
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Interval(NamedTuple):
    """`number` is how the database and the market channels call it; `ms` is 0 for months, which differ."""

    number: int
    name: str
    ms: int
    offset_ms: int = 0

    def open_ms(self, at_ms: int) -> int:
        """When the interval that holds this moment began."""
        if not self.ms:
            return self._month_ms(at_ms, 0)
        first_ms = (_FIRST_MONDAY_MS if self.ms == WEEK_MS else 0) - self.offset_ms
        return (at_ms - first_ms) // self.ms * self.ms + first_ms

    def next_ms(self, open_ms: int) -> int:
        """When the interval after the one that began at open_ms begins."""
        return open_ms + self.ms if self.ms else self._month_ms(open_ms, 1)

    def back_ms(self, open_ms: int, count: int) -> int:
        """When the interval began that is `count` before the one that began at open_ms."""
        return open_ms - count * self.ms if self.ms else self._month_ms(open_ms, -count)

    def _month_ms(self, at_ms: int, later: int) -> int:
        return _month_ms(at_ms + self.offset_ms, later) - self.offset_ms


def _month_ms(at_ms: int, later: int) -> int:
    """The beginning of the month of this moment, or of one so many months later; never before 1970."""
    date = _EPOCH + timedelta(milliseconds=at_ms)
    months = max(date.year * 12 + date.month - 1 + later, 1970 * 12)
    return (datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)


INTERVALS = tuple(Interval(number, name, ms) for number, (name, ms) in enumerate((
    ("1s", SECOND_MS), ("1m", MINUTE_MS), ("3m", 3 * MINUTE_MS), ("5m", 5 * MINUTE_MS), ("15m", 15 * MINUTE_MS),
    ("30m", 30 * MINUTE_MS), ("1h", HOUR_MS), ("2h", 2 * HOUR_MS), ("4h", 4 * HOUR_MS), ("6h", 6 * HOUR_MS),
    ("8h", 8 * HOUR_MS), ("12h", 12 * HOUR_MS), ("1d", DAY_MS), ("3d", 3 * DAY_MS), ("1w", WEEK_MS), ("1M", 0)), 1))
INTERVAL_BY_NAME = {interval.name: interval for interval in INTERVALS}
EAST_MS = 8 * HOUR_MS   # UTC+8, the zone whose candles have streams of their own
EAST_INTERVALS = tuple(interval._replace(number=number, offset_ms=EAST_MS) for number, interval in enumerate(
    (interval for interval in INTERVALS if not interval.ms or EAST_MS % interval.ms), len(INTERVALS) + 1))
ALL_INTERVALS = INTERVALS + EAST_INTERVALS   # an interval that divides eight hours is the same in both zones
