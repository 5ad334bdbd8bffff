"""Where candles begin and end."""
import random
from datetime import UTC, datetime

import pytest

from engine.intervals import ALL_INTERVALS, DAY_MS, EAST_INTERVALS, INTERVAL_BY_NAME, INTERVALS, TIME_MS_MAX


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


@pytest.mark.parametrize(("name", "at", "opens", "ends"), [
    ("1s", "2026-11-21T09:07:41", "2026-11-21T09:07:41", "2026-11-21T09:07:42"),
    ("15m", "2026-11-21T09:07:41", "2026-11-21T09:00:00", "2026-11-21T09:15:00"),
    ("8h", "2026-11-21T09:07:41", "2026-11-21T08:00:00", "2026-11-21T16:00:00"),
    ("1d", "2026-11-21T23:59:59", "2026-11-21", "2026-11-22"),
    ("3d", "1970-01-06T01:00:00", "1970-01-04", "1970-01-07"),
    ("1w", "2026-11-22T23:59:59", "2026-11-16", "2026-11-23"),   # Sunday; weeks begin on Monday
    ("1w", "2026-11-23", "2026-11-23", "2026-11-30"),
    ("1M", "2026-12-31T23:59:59", "2026-12-01", "2027-01-01"),
    ("1M", "2028-02-29", "2028-02-01", "2028-03-01"),
])
def test_the_calendar(name, at, opens, ends):
    interval = INTERVAL_BY_NAME[name]
    assert interval.open_ms(ms(at) + 7) == interval.open_ms(ms(at)) == ms(opens)
    assert interval.next_ms(ms(opens)) == ms(ends)
    assert interval.back_ms(ms(ends), 1) == ms(opens)


def test_the_sixteen_have_numbers_that_are_in_databases():
    names = ["1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M"]
    assert [(interval.number, interval.name) for interval in INTERVALS] == list(enumerate(names, 1))


@pytest.mark.parametrize(("name", "at", "opens", "ends"), [
    ("6h", "2026-11-21T05:00", "2026-11-21T04:00", "2026-11-21T10:00"),
    ("12h", "2026-11-21T05:00", "2026-11-21T04:00", "2026-11-21T16:00"),
    ("1d", "2026-11-21T16:00", "2026-11-21T16:00", "2026-11-22T16:00"),
    ("1d", "2026-11-21T15:59", "2026-11-20T16:00", "2026-11-21T16:00"),
    ("3d", "1970-01-03T16:30", "1970-01-03T16:00", "1970-01-06T16:00"),
    ("1w", "2026-11-22T16:00", "2026-11-22T16:00", "2026-11-29T16:00"),
    ("1M", "2026-11-30T15:59", "2026-10-31T16:00", "2026-11-30T16:00"),
    ("1M", "2026-12-31T16:00", "2026-12-31T16:00", "2027-01-31T16:00")])
def test_the_calendar_of_eight_hours_east(name, at, opens, ends):
    interval = {interval.name: interval for interval in EAST_INTERVALS}[name]
    assert interval.open_ms(ms(at) + 7) == interval.open_ms(ms(at)) == ms(opens)
    assert interval.next_ms(ms(opens)) == ms(ends)
    assert interval.back_ms(ms(ends), 1) == ms(opens)


def test_those_that_differ_in_the_east_have_numbers_that_are_on_channels():
    assert [(interval.number, interval.name) for interval in EAST_INTERVALS] == list(enumerate(
        ["6h", "12h", "1d", "3d", "1w", "1M"], 17))


def test_every_moment_is_in_one_interval_and_boundaries_are_whole_seconds():
    chance = random.Random(1)
    for _ in range(2000):
        at = chance.randrange(100 * DAY_MS, TIME_MS_MAX)
        for interval in ALL_INTERVALS:
            opened = interval.open_ms(at)
            ends = interval.next_ms(opened)
            assert opened <= at < ends and opened % 1000 == 0
            assert interval.open_ms(opened) == interval.open_ms(ends - 1) == opened
            assert interval.open_ms(ends) == ends
            assert interval.back_ms(ends, 1) == opened


def test_months_before_the_first_are_the_first():
    assert INTERVAL_BY_NAME["1M"].back_ms(ms("2026-11-01"), 1000) == 0
    assert INTERVAL_BY_NAME["1M"].back_ms(ms("2026-11-01"), 12) == ms("2025-11-01")
