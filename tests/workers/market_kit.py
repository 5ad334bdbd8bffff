"""A small market for tests of market data: one core, one or more instruments, rich accounts, commands by one word."""
import msgspec

from engine.core.batch import Batch
from engine.core.codes import OrderType, Side, TimeInForce
from engine.core.exchange import Exchange
from engine.core.unpack import Event, unpack_events
from engine.instruments import Catalog, Instrument
from engine.market_channels import Entry, decode_envelope, encode_envelope
from gateway.feed_shapes import SHAPES

BASE, QUOTE = 1, 2
RICH = 10**17
MAKER, TAKER = 2, 3


def configuration(symbols: tuple[str, ...] = ("BTCUSDT",)) -> Batch:
    """Two assets of 8 places, an instrument per symbol (tick 0.01, lot 0.0001), two accounts with money."""
    batch = Batch()
    batch.asset(BASE, 8, "BTC")
    batch.asset(QUOTE, 8, "USDT")
    for number, symbol in enumerate(symbols, 1):
        batch.instrument(number, text=symbol, base_asset=BASE, quote_asset=QUOTE, lot_value=10_000, tick_value=100,
                         min_lots=1, max_lots=10**9, max_ticks=10**9)
    for account in (MAKER, TAKER):
        batch.account(account)
        batch.credit(account, BASE, RICH)
        batch.credit(account, QUOTE, RICH)
    return batch


class Market:
    """Applies commands to a core; each method returns the events of its command."""

    def __init__(self, *, symbols: tuple[str, ...] = ("BTCUSDT",)) -> None:
        self.core = Exchange(top_events=True, orders=4, leaves=4, events=4)
        self._time_ns = 1_700_000_000_000_000_000
        self.apply(configuration(symbols))
        self.catalog = Catalog.of(self.core)

    @property
    def instrument(self) -> Instrument:
        return self.catalog.by_id[1]

    def apply(self, batch: Batch) -> list[Event]:
        self._time_ns += 1_000_000
        batch.stamp(self.core.seq + 1, self._time_ns)
        return unpack_events(self.core.apply(batch))

    def limit(self, side: Side, price: int, qty: int, account: int = MAKER, instrument: int = 1, **more) -> list[Event]:
        batch = Batch()
        batch.place(account, instrument, side, more.get("order_type", OrderType.LIMIT),
                    more.get("time_in_force", TimeInForce.GTC), price, qty, text=more.get("text", b""))
        return self.apply(batch)

    def cancel(self, text: bytes, account: int = MAKER, instrument: int = 1) -> list[Event]:
        batch = Batch()
        batch.cancel(account, instrument, text=text)
        return self.apply(batch)

    def reduce(self, text: bytes, qty: int, account: int = MAKER, instrument: int = 1) -> list[Event]:
        batch = Batch()
        batch.reduce(account, instrument, qty, text=text)
        return self.apply(batch)

    def cancel_all(self, account: int = MAKER) -> list[Event]:
        batch = Batch()
        batch.cancel_all(account)
        return self.apply(batch)


def decoded(entries: list[bytes]) -> list[Entry]:
    """Entries as a reader gets them; each must be of its kind's shape, to the byte."""
    found = decode_envelope(encode_envelope(1, 1, entries)).entries
    for entry in found:
        assert msgspec.json.encode(msgspec.json.decode(entry.payload, type=SHAPES[entry.kind])) == entry.payload
    return found
