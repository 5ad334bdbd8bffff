"""Routes that clients ask for before they trade spot: what we have none of, said in the shape they expect.

Methods take (account, params, unit_ns) and give JSON.
"""
import time
from collections.abc import Mapping

from engine.core.codes import PPM
from engine.core.decimals import format_decimal
from engine.instruments import PLACES
from gateway.protocol import encode
from gateway.rest.instruments import Instruments
from gateway.rest.shapes import NoSymbols, SystemStatus, TradeFee

_E8_PER_PPM = 10**PLACES // PPM
Params = Mapping[str, str]


class Compatibility:
    """Answers for the venue's other products."""

    def __init__(self, instruments: Instruments) -> None:
        self._instruments = instruments

    async def no_list(self, account: int, params: Params, unit_ns: int) -> bytes:
        """An empty list."""
        return b"[]"

    async def no_symbols(self, account: int, params: Params, unit_ns: int) -> bytes:
        """exchangeInfo of a market without symbols."""
        return encode(NoSymbols("UTC", time.time_ns() // unit_ns))

    async def system_status(self, account: int, params: Params, unit_ns: int) -> bytes:
        """Who gets this answer knows the rest."""
        return encode(SystemStatus(0, "normal"))

    async def trade_fees(self, account: int, params: Params, unit_ns: int) -> bytes:
        """Fees of one instrument or of all, as fractions of what is received."""
        symbol = params.get("symbol")
        instruments = [await self._instruments.find(symbol)] if symbol else await self._instruments.all()
        return encode([
            TradeFee(instrument.symbol, _fraction(instrument.maker_fee_ppm), _fraction(instrument.taker_fee_ppm))
            for instrument in instruments])


def _fraction(ppm: int) -> str:
    return format_decimal(ppm * _E8_PER_PPM, PLACES)
