"""ticker/24hr and ticker: statistics of a rolling window, put together from hours, minutes and seconds in Postgres.

The window of ticker/24hr begins at a whole second, up to 999 ms earlier than 24 hours ago; that of ticker at a whole
minute, up to 59,999 ms earlier. Without a trade in the window its prices but the last, its sums and its count are 0,
its trade ids -1. Methods take (account, params, unit_ns), give JSON - one row for `symbol`, else a list - and raise
Refusal.
"""
import re
from collections.abc import Callable

from engine.bars import Statistics, average_text, percent_text, statistics_of
from engine.instruments import Instrument
from engine.intervals import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from engine.market_channels import NS_PER_MS
from gateway.protocol import BookTicker, encode
from gateway.ranges import Params
from gateway.refusals import INVALID_PARAMETER, ONE_OF_TWO, Refusal
from gateway.rest.candle_reader import CandleReader
from gateway.rest.instruments import Instruments
from gateway.rest.market_shapes import DayTicker, MiniTicker, WindowTicker
from gateway.rest.tickers import Tickers
from gateway.rest.time_zones import offset_ms

WINDOW_SYMBOLS_MAX = 100
_WINDOW = re.compile(r"([1-9][0-9]?)([mhd])")
_WINDOW_UNITS = {"m": (MINUTE_MS, 59), "h": (HOUR_MS, 23), "d": (DAY_MS, 7)}


class RollingTickers:
    """Best prices come from `tickers`, all else from the candles."""

    def __init__(self, instruments: Instruments, tickers: Tickers, candles: CandleReader) -> None:
        self._instruments, self._tickers, self._candles = instruments, tickers, candles

    async def day(self, account: int, params: Params, unit_ns: int) -> bytes:
        """ticker.24hr"""
        mini = _is_mini(params)
        names, single = await self._tickers.names(params)
        found = await self._statistics(names, lambda now_ms: now_ms // SECOND_MS * SECOND_MS - DAY_MS)
        if mini:
            rows: list[MiniTicker] | list[DayTicker] = [_mini(*each, unit_ns) for each in found]
        else:
            best = await self._tickers.best(names)
            rows = [_day(*each, row, unit_ns) for each, row in zip(found, best, strict=True)]
        return encode(rows[0] if single else rows)

    async def window(self, account: int, params: Params, unit_ns: int) -> bytes:
        """ticker: of windowSize, one day if not sent."""
        mini, length_ms = _is_mini(params), _window_ms(params.get("windowSize", "1d"))
        names, single = await self._some_names(params)
        found = await self._statistics(names, lambda now_ms: now_ms // MINUTE_MS * MINUTE_MS - length_ms)
        rows = [(_mini if mini else _full)(*each, unit_ns) for each in found]
        return encode(rows[0] if single else rows)

    async def trading_day(self, account: int, params: Params, unit_ns: int) -> bytes:
        """ticker.tradingDay: since midnight of timeZone; closeTime is the end of that day."""
        mini, offset = _is_mini(params), offset_ms(params)
        names, single = await self._some_names(params)
        found = await self._statistics(names, lambda now_ms: (now_ms + offset) // DAY_MS * DAY_MS - offset)
        rows = [(_mini if mini else _full)(instrument, span, span.open_ms + DAY_MS - 1, unit_ns)
                for instrument, span, _ in found]
        return encode(rows[0] if single else rows)

    async def _some_names(self, params: Params) -> tuple[list[str], bool]:
        """The symbols asked for, of which there must be some and not too many, and whether it is a single one."""
        if "symbol" not in params and "symbols" not in params:
            raise Refusal(ONE_OF_TWO, "symbol", "symbols")
        names, single = await self._tickers.names(params)
        if len(names) > WINDOW_SYMBOLS_MAX:
            raise Refusal(INVALID_PARAMETER, "symbols")
        return names, single

    async def _statistics(
            self, names: list[str], start: Callable[[int], int]) -> list[tuple[Instrument, Statistics, int]]:
        """For each symbol: instrument, statistics since start(now), time now in ms."""
        instruments = [await self._instruments.find(name) for name in names]
        if not instruments:
            return []
        numbers = [instrument.id for instrument in instruments]
        now_ms = await self._candles.now_ms()
        start_ms = start(now_ms)
        minute_ms = -(-start_ms // MINUTE_MS) * MINUTE_MS
        hour_ms = -(-minute_ms // HOUR_MS) * HOUR_MS
        bars = await self._candles.window(numbers, start_ms, minute_ms, hour_ms)
        before = await self._candles.last_before(numbers, start_ms)
        return [(instrument, statistics_of(start_ms, bars[instrument.id], *before[instrument.id]), now_ms)
                for instrument in instruments]


def _is_mini(params: Params) -> bool:
    kind = params.get("type", "FULL")
    if kind not in ("FULL", "MINI"):
        raise Refusal(INVALID_PARAMETER, "type")
    return kind == "MINI"


def _window_ms(text: str) -> int:
    """1m to 59m, 1h to 23h, 1d to 7d."""
    match = _WINDOW.fullmatch(text)
    unit_ms, most = _WINDOW_UNITS[match[2]] if match else (0, 0)
    if match is None or int(match[1]) > most:
        raise Refusal(INVALID_PARAMETER, "windowSize")
    return int(match[1]) * unit_ms


def _mini(instrument: Instrument, span: Statistics, now_ms: int, unit_ns: int) -> MiniTicker:
    price, units = instrument.price_text, NS_PER_MS // unit_ns
    return MiniTicker(
        symbol=instrument.symbol, open_price=price(span.open), high_price=price(span.high), low_price=price(span.low),
        last_price=price(span.last), volume=instrument.qty_text(span.lots),
        quote_volume=instrument.quote_text(span.quote), open_time=span.open_ms * units, close_time=now_ms * units,
        first_id=span.first_id, last_id=span.last_id, count=span.count)


def _full(instrument: Instrument, span: Statistics, now_ms: int, unit_ns: int) -> WindowTicker:
    price, units = instrument.price_text, NS_PER_MS // unit_ns
    return WindowTicker(
        symbol=instrument.symbol, price_change=price(span.change),
        price_change_percent=percent_text(span.change, span.open),
        weighted_avg_price=average_text(instrument, span.quote, span.lots), open_price=price(span.open),
        high_price=price(span.high), low_price=price(span.low), last_price=price(span.last),
        volume=instrument.qty_text(span.lots), quote_volume=instrument.quote_text(span.quote),
        open_time=span.open_ms * units, close_time=now_ms * units, first_id=span.first_id, last_id=span.last_id,
        count=span.count)


def _day(instrument: Instrument, span: Statistics, now_ms: int, best: BookTicker, unit_ns: int) -> DayTicker:
    price, units = instrument.price_text, NS_PER_MS // unit_ns
    return DayTicker(
        symbol=instrument.symbol, price_change=price(span.change),
        price_change_percent=percent_text(span.change, span.open),
        weighted_avg_price=average_text(instrument, span.quote, span.lots), prev_close_price=price(span.before),
        last_price=price(span.last), last_qty=instrument.qty_text(span.last_lots), bid_price=best.bid_price,
        bid_qty=best.bid_qty, ask_price=best.ask_price, ask_qty=best.ask_qty, open_price=price(span.open),
        high_price=price(span.high), low_price=price(span.low), volume=instrument.qty_text(span.lots),
        quote_volume=instrument.quote_text(span.quote), open_time=span.open_ms * units, close_time=now_ms * units,
        first_id=span.first_id, last_id=span.last_id, count=span.count)
