"""klines, uiKlines and avgPrice, from the candles in Postgres; the newest candle is the one that is growing.

Intervals without a trade are flat candles at the last price; there are none before the first trade. Methods take
(account, params, unit_ns), give JSON and raise Refusal.
"""
from engine.bars import Bar, average_text
from engine.instruments import Instrument
from engine.intervals import INTERVAL_BY_NAME, MINUTE_MS, SECOND_MS, TIME_MS_MAX, Interval
from engine.market_channels import NS_PER_MS
from gateway.order_terms import needed
from gateway.protocol import encode
from gateway.ranges import Params, limit, span_ns
from gateway.refusals import INVALID_INTERVAL, Refusal
from gateway.rest.candle_reader import CandleReader
from gateway.rest.instruments import Instruments
from gateway.rest.market_shapes import AveragePrice, KlineRow
from gateway.rest.reader import Reader
from gateway.rest.time_zones import ZonedInterval, offset_ms

AVERAGE_MINUTES = 5
_UNUSED = "0"


class Klines:
    """Reads candles, and for the time of the last trade the ledger."""

    def __init__(self, instruments: Instruments, reader: Reader, candles: CandleReader) -> None:
        self._instruments, self._reader, self._candles = instruments, reader, candles

    async def klines(self, account: int, params: Params, unit_ns: int) -> bytes:
        """klines: with startTime the oldest from there, else the newest, up to endTime."""
        interval = ZonedInterval(_interval(params), offset_ms(params))
        rows_max, (first_ns, last_ns) = limit(params), span_ns(params, False)
        instrument = await self._find(params)
        last_ms = min(await self._candles.now_ms(), last_ns // NS_PER_MS)
        first_ms = await self._candles.first_ms(instrument.id, interval.base)
        first_ms = None if first_ms is None else interval.open_ms(first_ms)
        if first_ms is None or first_ms > last_ms or first_ns > TIME_MS_MAX * NS_PER_MS:
            return encode([])
        opens = _opens(interval, max(first_ms, -(-first_ns // NS_PER_MS)), last_ms, rows_max, "startTime" in params)
        candles = await self._bars(instrument, interval, opens[0], interval.next_ms(opens[-1]) - 1) if opens else {}
        price = await self._price_before(instrument, opens[0]) if opens else 0
        rows = []
        for open_ms in opens:
            candle = candles.get(open_ms)
            rows.append(_row(instrument, interval, candle or _flat(open_ms, price), NS_PER_MS // unit_ns))
            price = candle.close if candle else price
        return encode(rows)

    async def average(self, account: int, params: Params, unit_ns: int) -> bytes:
        """avgPrice: of the last five minutes; when nothing was traded in them, the last price."""
        instrument = await self._find(params)
        now_ms = await self._candles.now_ms()
        start_ms = now_ms // SECOND_MS * SECOND_MS - AVERAGE_MINUTES * MINUTE_MS
        seconds = await self._candles.candles(instrument.id, INTERVAL_BY_NAME["1s"], start_ms, TIME_MS_MAX)
        lots = sum(second.lots for second in seconds.values())
        last = await self._reader.fetch("recent_trades", instrument.id, 1)
        if lots:
            text = average_text(instrument, sum(second.quote for second in seconds.values()), lots)
        else:
            text = instrument.price_text(last[0]["price_ticks"] if last else 0)
        return encode(AveragePrice(AVERAGE_MINUTES, text, last[0]["time_ns"] // unit_ns if last else 0))

    async def _bars(
            self, instrument: Instrument, interval: ZonedInterval, first_ms: int, last_ms: int) -> dict[int, Bar]:
        return interval.joined(await self._candles.candles(instrument.id, interval.base, first_ms, last_ms))

    async def _price_before(self, instrument: Instrument, time_ms: int) -> int:
        before = await self._candles.last_before([instrument.id], time_ms)
        return before[instrument.id][0]

    async def _find(self, params: Params) -> Instrument:
        return await self._instruments.find(needed(params, "symbol"))


def _interval(params: Params) -> Interval:
    name = needed(params, "interval")
    if name not in INTERVAL_BY_NAME:
        raise Refusal(INVALID_INTERVAL)
    return INTERVAL_BY_NAME[name]


def _opens(interval: ZonedInterval, first_ms: int, last_ms: int, rows_max: int, forward: bool) -> list[int]:
    """When the intervals begin that are asked for: of those from first_ms to last_ms the first or the last."""
    if not forward:
        first_ms = max(first_ms, interval.back_ms(interval.open_ms(last_ms), rows_max - 1))
    at = interval.open_ms(first_ms)
    if at < first_ms:
        at = interval.next_ms(at)
    opens: list[int] = []
    while at <= last_ms and len(opens) < rows_max:
        opens.append(at)
        at = interval.next_ms(at)
    return opens


def _flat(open_ms: int, price: int) -> Bar:
    return Bar(open_ms, price, price, price, price, 0, 0, 0, 0, 0, 0, -1, 0, 0, 0)


def _row(instrument: Instrument, interval: ZonedInterval, candle: Bar, units: int) -> KlineRow:
    """`units`: of time per millisecond."""
    price, qty, quote = instrument.price_text, instrument.qty_text, instrument.quote_text
    return (candle.open_ms * units, price(candle.open), price(candle.high), price(candle.low), price(candle.close),
            qty(candle.lots), interval.next_ms(candle.open_ms) * units - 1, quote(candle.quote),
            candle.last_id - candle.first_id + 1, qty(candle.buy_lots), quote(candle.buy_quote), _UNUSED)
