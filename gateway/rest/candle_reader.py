"""Candles as the market-data worker keeps them in Postgres.

Why from there: REST processes hold no state and there may be many; the table survives restarts of everything, is a
function of the journal, and is at most a moment behind (candles.write_seconds). Redis is not asked, so its loss changes
no answer. When the worker has not said for STALE_MS that the table is up to date, that is 503 -1001, not an old answer.
"""
import time
from collections.abc import Mapping, Sequence

from engine.bars import Bar
from engine.intervals import INTERVAL_BY_NAME, Interval
from engine.market_channels import NS_PER_MS, STALE_SECONDS
from gateway.refusals import DISCONNECTED, Refusal
from gateway.rest.reader import Reader

STALE_MS = int(STALE_SECONDS * 1000)
_END_MS = 2**62
_STEPS = tuple(INTERVAL_BY_NAME[name] for name in ("1M", "1d", "1h", "1m", "1s"))   # each divides the one before
_FIELDS = Bar.__struct_fields__
Row = Mapping[str, int]


class CandleReader:
    """All methods raise Refusal when Postgres does not answer."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def now_ms(self) -> int:
        """The time now; raises Refusal when the candles are not up to date."""
        rows = await self._reader.fetch("candle_position")
        now_ms = time.time_ns() // NS_PER_MS
        if not rows or now_ms - rows[0]["until_ms"] > STALE_MS:
            raise Refusal(DISCONNECTED)
        return now_ms

    async def candles(self, instrument: int, interval: Interval, first_ms: int, last_ms: int) -> dict[int, Bar]:
        """Those that began in this time, by their beginning. Intervals without a trade are not there."""
        rows = await self._reader.fetch("candles", instrument, interval.number, first_ms, last_ms)
        return {row["open_ms"]: _bar(row) for row in rows}

    async def first_ms(self, instrument: int, interval: Interval) -> int | None:
        """When the first candle began."""
        rows = await self._reader.fetch("candle_first", instrument, interval.number)
        return int(rows[0]["open_ms"]) if rows else None

    async def window(self, instruments: Sequence[int], start_ms: int, minute_ms: int,
                     hour_ms: int) -> dict[int, list[Bar]]:
        """The bars that make up the time from start_ms, a whole second; the other two are where larger ones begin."""
        found: dict[int, list[Bar]] = {number: [] for number in instruments}
        for row in await self._reader.fetch("candles_of_window", list(instruments), start_ms, minute_ms, hour_ms):
            found[row["instrument"]].append(_bar(row))
        return found

    async def last_before(self, instruments: Sequence[int], time_ms: int) -> dict[int, tuple[int, int]]:
        """Price and quantity of the last trade before a whole second; (0, 0) where there was none."""
        found = dict.fromkeys(instruments, (0, 0))
        for row in await self._reader.fetch("last_before", list(instruments), time_ms):
            found[row["instrument"]] = row["close"], row["last_lots"]
        return found

    async def second_before(self, instrument: int, end_ms: int) -> Row | None:
        """The newest second with trades that began before end_ms."""
        rows = await self._reader.fetch("candle_locate", instrument, _STEPS[-1].number, 0, end_ms, None, None)
        return rows[0] if rows else None

    async def second_of(self, instrument: int, agg: int | None = None, trade: int | None = None) -> Row | None:
        """The second in which an aggregated trade or a trade happened, or the newest there is for later ones.

        Looked for in the month, then in its day, and so on: five short reads of one index.
        """
        start_ms, end_ms, found = 0, _END_MS, None
        for interval in _STEPS:
            rows = await self._reader.fetch(
                "candle_locate", instrument, interval.number, start_ms, end_ms, agg, trade)
            if not rows:
                return None
            found = rows[0]
            start_ms, end_ms = found["open_ms"], interval.next_ms(found["open_ms"])
        return found


def _bar(row: Row) -> Bar:
    return Bar(*[int(row[name]) for name in _FIELDS])
