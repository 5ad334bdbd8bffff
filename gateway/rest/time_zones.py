"""Candles and days of other time zones: the same calendar, shifted by an offset from UTC.

The candles kept are those of UTC. A day, or any interval that the offset does not divide, is put together from hours,
or from quarters of hours where the offset is no whole hour; other offsets are refused: no zone has one.
"""
import re
from collections.abc import Mapping

from msgspec.structs import replace

from engine.bars import Bar
from engine.intervals import HOUR_MS, INTERVAL_BY_NAME, MINUTE_MS, Interval
from gateway.refusals import INVALID_PARAMETER, Refusal

OFFSET_MS_MIN, OFFSET_MS_MAX = -12 * HOUR_MS, 14 * HOUR_MS
QUARTER_MS = 15 * MINUTE_MS
_OFFSET = re.compile(r"([+-]?)([0-9]{1,2})(?::([0-9]{2}))?")


def offset_ms(params: Mapping[str, str]) -> int:
    """The parameter timeZone, hours with or without minutes ("0", "-1:00", "05:45"), in ms. Raises Refusal."""
    text = params.get("timeZone", "0")
    match = _OFFSET.fullmatch("0" if text == "UTC" else text)
    if match is None or not text.isascii() or int(match[3] or 0) >= 60:
        raise Refusal(INVALID_PARAMETER, "timeZone")
    value = (int(match[2]) * HOUR_MS + int(match[3] or 0) * MINUTE_MS) * (-1 if match[1] == "-" else 1)
    if not OFFSET_MS_MIN <= value <= OFFSET_MS_MAX or value % QUARTER_MS:
        raise Refusal(INVALID_PARAMETER, "timeZone")
    return value


class ZonedInterval:
    """An interval whose days begin at midnight of a zone. `base` is the interval whose candles make it up."""

    def __init__(self, interval: Interval, offset: int) -> None:
        aligned = interval.ms != 0 and offset % interval.ms == 0
        self._interval = interval if aligned else interval._replace(offset_ms=offset)
        parts = INTERVAL_BY_NAME["1h" if offset % HOUR_MS == 0 else "15m"]
        self.base = self._interval if aligned else parts

    def open_ms(self, at_ms: int) -> int:
        """When the interval that holds this moment began."""
        return self._interval.open_ms(at_ms)

    def next_ms(self, open_ms: int) -> int:
        """When the interval after the one that began at open_ms begins."""
        return self._interval.next_ms(open_ms)

    def back_ms(self, open_ms: int, count: int) -> int:
        """When the interval began that is `count` before the one that began at open_ms."""
        return self._interval.back_ms(open_ms, count)

    def joined(self, bars: Mapping[int, Bar]) -> dict[int, Bar]:
        """Consecutive candles of `base`, oldest first, as candles of this interval."""
        if self.base is self._interval:
            return dict(bars)
        found: dict[int, Bar] = {}
        for bar in bars.values():
            open_ms = self.open_ms(bar.open_ms)
            if open_ms in found:
                found[open_ms].extend(bar)
            else:
                found[open_ms] = replace(bar, open_ms=open_ms)
        return found
