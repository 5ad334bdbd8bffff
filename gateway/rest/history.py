"""Trades that happened, read from the ledger: everybody's recent ones, and an account's own with its fees.

An account sees its own fill here as soon as it has seen the reply to the order (see Reader.catch_up).
"""
from collections.abc import Mapping

from engine.instruments import Instrument
from gateway.protocol import NO_LIST, PublicTrade, encode
from gateway.refusals import (
    BAD_COMBINATION,
    ILLEGAL_CHARACTERS,
    INVALID_PARAMETER,
    LOOKUP_TOO_BIG,
    MANDATORY,
    Refusal,
)
from gateway.rest.instruments import Instruments
from gateway.rest.reader import Reader
from gateway.rest.shapes import AccountTrade

LIMIT, LIMIT_MAX = 500, 1000
SPAN_HOURS_MAX = 24
_SPAN_NS_MAX = SPAN_HOURS_MAX * 3600 * 10**9
_INT64_MAX = 2**63 - 1
_MICROSECONDS_FROM = 10**14
_BUY, _SELL = 0, 1

Params = Mapping[str, str]


class History:
    """Answers as JSON, oldest trade first. Methods take (account, params, unit_ns) and raise Refusal."""

    def __init__(self, instruments: Instruments, reader: Reader) -> None:
        self._instruments, self._reader = instruments, reader

    async def recent_trades(self, account: int, params: Params, unit_ns: int) -> bytes:
        """trades: the newest of an instrument."""
        limit = _limit(params)
        instrument = await self._instrument(params)
        rows = await self._reader.fetch("recent_trades", instrument.id, limit)
        return encode([
            PublicTrade(
                id=row["trade_id"], price=instrument.price_text(row["price_ticks"]),
                qty=instrument.qty_text(row["qty_lots"]), quote_qty=instrument.quote_text(row["quote_amount"]),
                time=row["time_ns"] // unit_ns, is_buyer_maker=row["taker_side"] == _SELL, is_best_match=True)
            for row in reversed(rows)])

    async def account_trades(self, account: int, params: Params, unit_ns: int) -> bytes:
        """myTrades: with fromId or startTime the oldest from there, else the newest."""
        limit, first_ns, last_ns = _limit(params), *_span(params)
        order_id, from_id = _number(params, "orderId"), _number(params, "fromId")
        if from_id is not None and ("startTime" in params or "endTime" in params):
            raise Refusal(BAD_COMBINATION)
        instrument = await self._instrument(params)
        forward = from_id is not None or "startTime" in params
        rows = await self._reader.fetch(
            "account_trades_oldest" if forward else "account_trades_newest",
            account, instrument.base_asset.id, instrument.id, order_id, from_id, first_ns, last_ns, limit)
        return encode([
            AccountTrade(
                symbol=instrument.symbol, id=row["trade_id"], order_id=row["order_id"], order_list_id=NO_LIST,
                price=instrument.price_text(row["price_ticks"]), qty=instrument.qty_text(row["qty_lots"]),
                quote_qty=instrument.quote_text(row["quote_amount"]), commission=_fee_text(instrument, row),
                commission_asset=instrument.base if row["side"] == _BUY else instrument.quote,
                time=row["time_ns"] // unit_ns, is_buyer=row["side"] == _BUY, is_maker=row["is_maker"],
                is_best_match=True)
            for row in (rows if forward else reversed(rows))])

    async def _instrument(self, params: Params) -> Instrument:
        symbol = params.get("symbol")
        if not symbol:
            raise Refusal(MANDATORY, "symbol")
        instrument = await self._instruments.find(symbol)
        await self._reader.catch_up()
        return instrument


def _fee_text(instrument: Instrument, row: Mapping[str, int]) -> str:
    """Fees are taken from what is received: base for the buyer, quote for the seller."""
    return instrument.base_text(row["fee"]) if row["side"] == _BUY else instrument.quote_text(row["fee"])


def _number(params: Params, name: str) -> int | None:
    text = params.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise Refusal(ILLEGAL_CHARACTERS, name, "^[0-9]{1,20}$")
    if int(text) > _INT64_MAX:
        raise Refusal(INVALID_PARAMETER, name)
    return int(text)


def _limit(params: Params) -> int:
    value = _number(params, "limit")
    if value is None:
        return LIMIT
    if value == 0:
        raise Refusal(INVALID_PARAMETER, "limit")
    return min(value, LIMIT_MAX)


def _span(params: Params) -> tuple[int, int]:
    """First and last nanosecond asked for: all time, or at most 24 hours when both ends are given."""
    start, end = _number(params, "startTime"), _number(params, "endTime")
    first_ns = 0 if start is None else _time_ns(start)
    last_ns = _INT64_MAX if end is None else _time_ns(end) + (999_999 if end < _MICROSECONDS_FROM else 999)
    if start is not None and end is not None:
        if first_ns > last_ns:
            raise Refusal(INVALID_PARAMETER, "startTime")
        if last_ns - first_ns > _SPAN_NS_MAX + 1_000_000:
            raise Refusal(LOOKUP_TOO_BIG, SPAN_HOURS_MAX)
    return min(first_ns, _INT64_MAX), min(last_ns, _INT64_MAX)


def _time_ns(value: int) -> int:
    """Milliseconds, or microseconds if so great, in nanoseconds."""
    return value * (1000 if value >= _MICROSECONDS_FROM else 1_000_000)
