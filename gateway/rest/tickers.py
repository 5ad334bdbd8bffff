"""Tickers that need no statistics: the best prices, from the live book, and the last price, from the ledger.

Methods take (account, params, unit_ns), give JSON - one row for `symbol`, else a list - and raise Refusal.
"""
from collections.abc import Mapping

import msgspec

from gateway.door_client import DoorClient
from gateway.protocol import BookTicker, PriceTicker, encode
from gateway.refusals import BAD_COMBINATION, DUPLICATE_SYMBOLS, INVALID_JSON_PARAMETER, Refusal
from gateway.rest.instruments import Instruments
from gateway.rest.reader import Reader
from gateway.rest.replies import result_of

SYMBOLS_MAX = 1000
Params = Mapping[str, str]


class Tickers:
    """Reads the book through the door and trades through the reader."""

    def __init__(self, door: DoorClient, instruments: Instruments, reader: Reader) -> None:
        self._door, self._instruments, self._reader = door, instruments, reader

    async def book(self, account: int, params: Params, unit_ns: int) -> bytes:
        """ticker.book"""
        names, single = await self.names(params)
        rows = await self.best(names)
        return encode(rows[0] if single else rows)

    async def best(self, names: list[str]) -> list[BookTicker]:
        """The best prices of these symbols."""
        symbols = msgspec.json.encode(names).decode()
        return result_of(await self._door.call(0, "ticker.book", {"symbols": symbols}), list[BookTicker])

    async def price(self, account: int, params: Params, unit_ns: int) -> bytes:
        """ticker.price; an instrument that never traded has the price 0."""
        names, single = await self.names(params)
        await self._reader.catch_up()
        rows = [await self._last_price(name) for name in names]
        return encode(rows[0] if single else rows)

    async def _last_price(self, symbol: str) -> PriceTicker:
        instrument = await self._instruments.find(symbol)
        trades = await self._reader.fetch("recent_trades", instrument.id, 1)
        return PriceTicker(symbol, instrument.price_text(trades[0]["price_ticks"] if trades else 0))

    async def names(self, params: Params) -> tuple[list[str], bool]:
        """The symbols asked for, and whether it is a single one."""
        if "symbol" in params:
            if "symbols" in params:
                raise Refusal(BAD_COMBINATION)
            return [params["symbol"]], True
        if "symbols" in params:
            return _symbol_list(params["symbols"]), False
        return [instrument.symbol for instrument in await self._instruments.all()], False


def _symbol_list(text: str) -> list[str]:
    try:
        names = msgspec.json.decode(text, type=list[str])
    except msgspec.DecodeError:
        raise Refusal(INVALID_JSON_PARAMETER, "symbols") from None
    if len(set(names)) != len(names) or len(names) > SYMBOLS_MAX:
        raise Refusal(DUPLICATE_SYMBOLS)
    return names
