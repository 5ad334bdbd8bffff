"""What Postgres holds of an instrument's trades up to the position of the candles, to go on from there.

For a journal whose beginning was deleted: candles, statistics and numbers of aggregated trades then begin with what is
stored. Read in one transaction, so that position and candles belong together. A stored candle is whole if it ends with
the last trade there was, for one that lacks its beginning is never written; candles of UTC+8 are made from hours. What
is not whole is given all the same, and said.
"""
import logging
from collections.abc import Iterable

import asyncpg
from msgspec import Struct

from engine.bars import Bar
from engine.intervals import ALL_INTERVALS, DAY_MS, INTERVAL_BY_NAME, INTERVALS, MINUTE_MS, Interval
from workers.candles import begin
from workers.statements import statements

_SECONDS, _HOURS = INTERVAL_BY_NAME["1s"].number, INTERVAL_BY_NAME["1h"].number
_OPEN_PLACE = 2    # in a row, after instrument and interval
_log = logging.getLogger(__name__)


class Past(Struct):
    """What is stored of an instrument that has traded."""

    last_agg: int            # number of the last aggregated trade
    now: list[Bar]           # the newest candle of each of ALL_INTERVALS
    whole: list[bool]        # whether it lacks no trade
    seconds: list[Bar]       # with trades: of the last 24 hours before the last trade, and the last one before them


async def read_past(dsn: str, patience_seconds: float, instruments: Iterable[int]) -> tuple[int, dict[int, Past]]:
    """The position, and what is stored of each instrument that has traded. Raises POSTGRES_ERRORS."""
    sql = statements("candles.sql")
    connection = await asyncpg.connect(
        dsn, timeout=patience_seconds, command_timeout=patience_seconds,
        server_settings={"application_name": "buttonwood candles"})
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            position = int(await connection.fetchval(sql["position"]))
            found = {number: await _read(connection, number) for number in instruments}
    finally:
        connection.terminate()
    return position, {number: past for number, past in found.items() if past is not None}


async def _read(connection: asyncpg.Connection, instrument: int) -> Past | None:
    sql = statements("candles.sql")
    rows = await connection.fetch(sql["newest"], instrument, len(INTERVALS))
    newest = {row["interval"]: _bar(row) for row in rows}
    last = newest.get(_SECONDS)
    if last is None:
        return None
    stored = [newest.get(interval.number) for interval in INTERVALS]
    whole = [candle is not None and candle.last_id == last.last_id for candle in stored]
    now = [candle if candle is not None and sound else begin(last, interval.open_ms(last.open_ms))
           for interval, candle, sound in zip(INTERVALS, stored, whole, strict=True)]
    for interval in ALL_INTERVALS[len(INTERVALS):]:
        hours = await connection.fetch(sql["since"], instrument, _HOURS, interval.open_ms(last.open_ms))
        candle, sound = _joined(interval, last, [_bar(row) for row in hours])
        now.append(candle)
        whole.append(sound)
    holes = [interval.name + " of UTC+8" * bool(interval.offset_ms)
             for interval, sound in zip(ALL_INTERVALS, whole, strict=True) if not sound]
    if holes:
        _log.error("instrument %d: of the stored candles to go on with, these lack trades and stay as they are: %s",
                   instrument, ", ".join(holes))
    from_ms = last.open_ms - DAY_MS - MINUTE_MS
    seconds = [_bar(row) for row in await connection.fetch(sql["since"], instrument, _SECONDS, from_ms)]
    last_agg = await connection.fetchval(sql["last_agg"], instrument)
    if last_agg is None:   # an older version wrote; each trade of that second may have been one of its own
        last_agg = last.first_agg + last.last_id - last.first_id
    return Past(int(last_agg), now, whole, seconds)


def _joined(interval: Interval, last: Bar, hours: list[Bar]) -> tuple[Bar, bool]:
    """The candle that holds the last trade, from these hours and the one before them; whether it lacks no trade."""
    open_ms = interval.open_ms(last.open_ms)
    inside = [hour for hour in hours if hour.open_ms >= open_ms]
    if not inside:
        return begin(last, open_ms), False
    ends = [hour.last_id for hour in hours]
    if len(inside) == len(hours):    # nothing was traded before
        ends.insert(0, 0)
    chained = all(end + 1 == hour.first_id for end, hour in zip(ends, hours[-len(ends) + 1:], strict=False))
    candle = begin(inside[0], open_ms)
    for hour in inside[1:]:
        candle.extend(hour)
    return candle, chained and candle.last_id == last.last_id


def _bar(row: asyncpg.Record) -> Bar:
    return Bar(*map(int, tuple(row)[_OPEN_PLACE:]))
