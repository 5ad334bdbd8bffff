"""aggTrades and historicalTrades: read from the ledger's trades, exact up to what was durable when the question came.

The ledger numbers trades per instrument but has no index by that number, nor by time, nor any numbers of aggregated
trades. The candles have: each second knows the command of its first trade, its trade's number and its aggregate's. So
reading begins at the second in question, counts from there, and stops when it has enough. When the worker that keeps
the candles is behind, reading is longer, not wrong; READ_MAX trades are the end: 503 -1001.
"""
from collections import deque
from collections.abc import AsyncIterator, Mapping

from engine.instruments import Instrument
from engine.market_channels import NS_PER_MS
from gateway.order_terms import needed
from gateway.protocol import PublicTrade, encode
from gateway.ranges import Params, limit, number, span_ns
from gateway.refusals import BAD_COMBINATION, DISCONNECTED, Refusal
from gateway.rest.candle_reader import CandleReader
from gateway.rest.candle_reader import Row as Second
from gateway.rest.instruments import Instruments
from gateway.rest.market_shapes import AggTradeRow
from gateway.rest.reader import Reader

CHUNK = 2000
READ_MAX = 200_000
_SELL = 1
Trade = Mapping[str, int]


class PublicTrades:
    """Answers as JSON, oldest first. Methods take (account, params, unit_ns) and raise Refusal."""

    def __init__(self, instruments: Instruments, reader: Reader, candles: CandleReader) -> None:
        self._instruments, self._reader, self._candles = instruments, reader, candles

    async def historical(self, account: int, params: Params, unit_ns: int) -> bytes:
        """trades.historical: from fromId on, else the newest."""
        rows_max, from_id = limit(params), number(params, "fromId")
        instrument = await self._instrument(params)
        if from_id is None:
            rows = list(reversed(await self._reader.fetch("recent_trades", instrument.id, rows_max)))
        else:
            rows = []
            second = await self._candles.second_of(instrument.id, trade=from_id)
            async for trade in self._trades(instrument, second):
                if trade["trade_id"] >= from_id:
                    rows.append(trade)
                if len(rows) == rows_max:
                    break
        return encode([PublicTrade(
            id=row["trade_id"], price=instrument.price_text(row["price_ticks"]),
            qty=instrument.qty_text(row["qty_lots"]), quote_qty=instrument.quote_text(row["quote_amount"]),
            time=row["time_ns"] // unit_ns, is_buyer_maker=row["taker_side"] == _SELL, is_best_match=True)
            for row in rows])

    async def aggregated(self, account: int, params: Params, unit_ns: int) -> bytes:
        """trades.aggregate: from fromId or startTime on, else the newest, up to endTime."""
        rows_max, from_id, (first_ns, last_ns) = limit(params), number(params, "fromId"), span_ns(params, False)
        if from_id is not None and ("startTime" in params or "endTime" in params):
            raise Refusal(BAD_COMBINATION)
        instrument = await self._instrument(params)
        forward = from_id is not None or "startTime" in params
        second = await self._start(instrument, rows_max, from_id, first_ns if forward else None, last_ns)
        kept: deque[AggTradeRow] = deque(maxlen=rows_max)
        async for trades, agg in self._groups(instrument, second):
            if trades[0]["time_ns"] > last_ns or (forward and len(kept) == rows_max):
                break
            if agg >= (from_id or 0) and trades[0]["time_ns"] >= first_ns:
                kept.append(_row(instrument, agg, trades, unit_ns))
        return encode(list(kept))

    async def _start(self, instrument: Instrument, rows_max: int, from_id: int | None, first_ns: int | None,
                     last_ns: int) -> Second | None:
        """The second to begin reading at; None: at the beginning of everything."""
        if from_id is not None:
            return await self._candles.second_of(instrument.id, agg=from_id)
        if first_ns is not None:
            return await self._candles.second_before(instrument.id, first_ns // NS_PER_MS + 1)
        last = await self._candles.second_before(instrument.id, last_ns // NS_PER_MS + 1)
        if last is None:
            return None
        return await self._candles.second_of(instrument.id, agg=max(1, last["first_agg"] - rows_max))

    async def _groups(self, instrument: Instrument, second: Second | None) -> AsyncIterator[tuple[list[Trade], int]]:
        """The trades of each aggregate, and its number, from the beginning of a second on."""
        agg = second["first_agg"] if second else 1
        group: list[Trade] = []
        async for trade in self._trades(instrument, second):
            if group and _key(group[-1]) != _key(trade):
                yield group, agg
                agg, group = agg + 1, []
            group.append(trade)
        if group:
            yield group, agg

    async def _trades(self, instrument: Instrument, second: Second | None) -> AsyncIterator[Trade]:
        place = (second["first_seq"] if second else 0), -1
        for _ in range(0, READ_MAX, CHUNK):
            rows = await self._reader.fetch("trades_from", instrument.id, *place, CHUNK)
            for row in rows:
                yield row
            if len(rows) < CHUNK:
                return
            place = rows[-1]["seq"], rows[-1]["n"]
        raise Refusal(DISCONNECTED)

    async def _instrument(self, params: Params) -> Instrument:
        instrument = await self._instruments.find(needed(params, "symbol"))
        await self._reader.catch_up()
        return instrument


def _key(trade: Trade) -> tuple[int, int]:
    """Trades that follow each other with the same key are one aggregate."""
    return trade["taker_order_id"], trade["price_ticks"]


def _row(instrument: Instrument, agg: int, trades: list[Trade], unit_ns: int) -> AggTradeRow:
    first = trades[0]
    return AggTradeRow(
        agg, instrument.price_text(first["price_ticks"]), instrument.qty_text(sum(each["qty_lots"] for each in trades)),
        first["trade_id"], trades[-1]["trade_id"], first["time_ns"] // unit_ns, first["taker_side"] == _SELL)
