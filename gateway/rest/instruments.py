"""The exchange's instruments as REST needs them: to turn ticks, lots and minor units into texts.

Asked for through the door when an unknown symbol is named, at most every LOOK_SECONDS; what is known stays known, so
that history can be read while the exchange is away.
"""
import time

from msgspec import Struct

from engine.instruments import Instrument
from gateway.door_client import DoorClient
from gateway.refusals import INVALID_SYMBOL, Refusal
from gateway.rest.replies import result_of

LOOK_SECONDS = 1.0


class _Catalog(Struct):
    instruments: list[Instrument]


class Instruments:
    """Instruments by symbol."""

    def __init__(self, door: DoorClient) -> None:
        self._door = door
        self._by_symbol: dict[str, Instrument] = {}
        self._look_again_at = 0.0

    async def find(self, symbol: str) -> Instrument:
        """The instrument of that symbol. Raises Refusal."""
        if symbol not in self._by_symbol and time.monotonic() >= self._look_again_at:
            await self.all()
        found = self._by_symbol.get(symbol)
        if found is None:
            raise Refusal(INVALID_SYMBOL)
        return found

    async def all(self) -> list[Instrument]:
        """All of them, as they are now. Raises Refusal."""
        catalog = result_of(await self._door.call(0, "engine.catalog", {}), _Catalog)
        self._by_symbol = {instrument.symbol: instrument for instrument in catalog.instruments}
        self._look_again_at = time.monotonic() + LOOK_SECONDS
        return catalog.instruments
