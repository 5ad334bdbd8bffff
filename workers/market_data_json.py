"""The JSON texts of market streams, made from the core's integers, as clients of the Binance Spot protocol read them.

Prices and quantities are strings with 8 decimal places; times are milliseconds since 1970; ids are integers. A text is
built by formatting: no value in it can need escaping (symbols are capital letters and digits, see `safe_symbol`).
"""
import re
from collections.abc import Iterable
from zlib import crc32

from engine.core.codes import Side
from engine.core.unpack import Event
from engine.instruments import Instrument
from engine.market_channels import NS_PER_MS

Level = tuple[int, int]   # price_ticks, qty_lots
CRC_LEVELS = 10           # of each side, in a checksum
_SAFE_SYMBOL = re.compile(r"[A-Za-z0-9._-]{1,36}")


def safe_symbol(symbol: str) -> bool:
    """True when the symbol may stand in JSON and in a stream's name as it is."""
    return _SAFE_SYMBOL.fullmatch(symbol) is not None


def trade_json(instrument: Instrument, trade: Event) -> bytes:
    """One fill; `m` tells whether the buyer was the maker, so that the seller took."""
    ms = trade.time_ns // NS_PER_MS
    maker_bought = "true" if trade.side == Side.SELL else "false"
    return (f'{{"e":"trade","E":{ms},"s":"{instrument.symbol}","t":{trade.trade_id},'
            f'"p":"{instrument.price_text(trade.price_ticks)}","q":"{instrument.qty_text(trade.qty_lots)}",'
            f'"T":{ms},"m":{maker_bought},"M":true}}').encode()


def ticker_json(instrument: Instrument, update_id: int, bid: Level, ask: Level) -> bytes:
    """Best prices and what stands there; zeros for an empty side."""
    price, qty = instrument.price_text, instrument.qty_text
    return (f'{{"u":{update_id},"s":"{instrument.symbol}","b":"{price(bid[0])}","B":"{qty(bid[1])}",'
            f'"a":"{price(ask[0])}","A":"{qty(ask[1])}"}}').encode()


def diff_json(instrument: Instrument, now_ms: int, ids: tuple[int, int],
              bids: Iterable[Level], asks: Iterable[Level]) -> bytes:
    """What levels hold after the updates first..last = `ids`; quantity 0 removes a level."""
    return (f'{{"e":"depthUpdate","E":{now_ms},"s":"{instrument.symbol}","U":{ids[0]},"u":{ids[1]},'
            f'"b":{_levels(instrument, bids)},"a":{_levels(instrument, asks)}}}').encode()


def partial_json(instrument: Instrument, update_id: int, bids: Iterable[Level], asks: Iterable[Level]) -> bytes:
    """The best levels of both sides, best first."""
    return (f'{{"lastUpdateId":{update_id},"bids":{_levels(instrument, bids)},'
            f'"asks":{_levels(instrument, asks)}}}').encode()


def crc_json(instrument: Instrument, now_ms: int, update_id: int, bids: list[Level], asks: list[Level]) -> bytes:
    """Checksum of the best levels: CRC-32 of price:quantity:price:quantity..., bids from the best on, then asks."""
    price, qty = instrument.price_text, instrument.qty_text
    text = ":".join([f"{price(ticks)}:{qty(lots)}" for ticks, lots in (*bids, *asks)])
    return (f'{{"e":"depthCrc","E":{now_ms},"s":"{instrument.symbol}","u":{update_id},"n":{CRC_LEVELS},'
            f'"c":{crc32(text.encode())}}}').encode()


def orders_json(instrument: Instrument, now_ms: int, ids: tuple[int, int], told: list[str]) -> bytes:
    """What happened to single orders in the updates first..last = `ids`."""
    return (f'{{"e":"l3","E":{now_ms},"s":"{instrument.symbol}","U":{ids[0]},"u":{ids[1]},'
            f'"o":[{",".join(told)}]}}').encode()


def _levels(instrument: Instrument, levels: Iterable[Level]) -> str:
    price, qty = instrument.price_text, instrument.qty_text
    return "[" + ",".join([f'["{price(ticks)}","{qty(lots)}"]' for ticks, lots in levels]) + "]"
