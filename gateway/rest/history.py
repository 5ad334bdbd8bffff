"""Trades that happened, read from the ledger: everybody's recent ones, and an account's own with its fees.

An account sees its own fill here as soon as it has seen the reply to the order (see Reader.catch_up).
"""
from collections.abc import Mapping

from engine.instruments import Instrument
from gateway.order_terms import needed
from gateway.protocol import NO_LIST, PublicTrade, encode
from gateway.ranges import Params, limit, number, span_ns
from gateway.refusals import BAD_COMBINATION, Refusal
from gateway.rest.instruments import Instruments
from gateway.rest.reader import Reader
from gateway.rest.shapes import AccountTrade

_BUY, _SELL = 0, 1


class History:
    """Answers as JSON, oldest trade first. Methods take (account, params, unit_ns) and raise Refusal."""

    def __init__(self, instruments: Instruments, reader: Reader) -> None:
        self._instruments, self._reader = instruments, reader

    async def recent_trades(self, account: int, params: Params, unit_ns: int) -> bytes:
        """trades: the newest of an instrument."""
        rows_max = limit(params)
        instrument = await self._instrument(params)
        rows = await self._reader.fetch("recent_trades", instrument.id, rows_max)
        return encode([
            PublicTrade(
                id=row["trade_id"], price=instrument.price_text(row["price_ticks"]),
                qty=instrument.qty_text(row["qty_lots"]), quote_qty=instrument.quote_text(row["quote_amount"]),
                time=row["time_ns"] // unit_ns, is_buyer_maker=row["taker_side"] == _SELL, is_best_match=True)
            for row in reversed(rows)])

    async def account_trades(self, account: int, params: Params, unit_ns: int) -> bytes:
        """myTrades: with fromId or startTime the oldest from there, else the newest."""
        rows_max, first_ns, last_ns = limit(params), *span_ns(params)
        order_id, from_id = number(params, "orderId"), number(params, "fromId")
        if from_id is not None and ("startTime" in params or "endTime" in params):
            raise Refusal(BAD_COMBINATION)
        instrument = await self._instrument(params)
        forward = from_id is not None or "startTime" in params
        rows = await self._reader.fetch(
            "account_trades_oldest" if forward else "account_trades_newest",
            account, instrument.base_asset.id, instrument.id, order_id, from_id, first_ns, last_ns, rows_max)
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
        instrument = await self._instruments.find(needed(params, "symbol"))
        await self._reader.catch_up()
        return instrument


def _fee_text(instrument: Instrument, row: Mapping[str, int]) -> str:
    """Fees are taken from what is received: base for the buyer, quote for the seller."""
    return instrument.base_text(row["fee"]) if row["side"] == _BUY else instrument.quote_text(row["fee"])
