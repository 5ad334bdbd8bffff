"""How market data travels through Redis: the names of channels and the envelope, for the worker and the feed alike.

Inside Buttonwood only; clients see the JSON payloads, never the envelope. Redis pub/sub delivers at most once, so each
message says where it belongs in its channel's order, and a reader can tell a hole from silence.

Channel: `buttonwood:DB:market:SYMBOL`. Redis does not keep pub/sub apart by database number, so the number of the URL
stands in the name: two venues may share a server by choosing different numbers.

Envelope, little endian; one PUBLISH carries everything one instrument had to say at one time:

| bytes | type | meaning |
|---|---|---|
| 0  | 2 bytes | `BM` |
| 2  | u8  | version, 1 |
| 3  | u8  | 0 |
| 4  | u32 | number of entries |
| 8  | u64 | epoch: of the publisher's connection to Redis; a later connection or worker has a higher one |
| 16 | u64 | seq: per channel and epoch 1, 2, 3, ...; a hole means lost messages |
| 24 |     | entries: u8 kind, u8 flags, u16 0, u32 length, then `length` bytes of JSON, ready for the client |

Flag REFRESH: not an event, but the last known state once more, sent every second for readers that came late.
"""
from collections.abc import Iterable
from enum import IntEnum
from struct import Struct, error

import msgspec

from engine.intervals import ALL_INTERVALS

VERSION = 1
NS_PER_MS = 1_000_000
REFRESH = 1
FAST_MS = 100             # cadence of depth@100ms and of partial depth
SLOW_MS = 1000            # cadence of depth@1000ms and of the refresh
STALE_SECONDS = 5.0       # a publisher silent for five refreshes is taken for dead
ENVELOPE_BYTES_AIM = 64 * 1024   # more entries than this go into another envelope

_MAGIC = b"BM"
_HEAD = Struct("<2sBBIQQ")
_ENTRY = Struct("<BBHI")


class Kind(IntEnum):
    """What an entry holds; the numbers are part of the format."""

    TRADE = 1
    BOOK_TICKER = 2
    DEPTH_100 = 3    # difference since the 100 ms tick before
    DEPTH_1000 = 4   # difference since the 1000 ms tick before
    PARTIAL_5 = 5    # best levels, when they changed, at a 100 ms tick
    PARTIAL_10 = 6
    PARTIAL_20 = 7
    AGG_TRADE = 8
    MINI_TICKER = 9    # statistics, when they changed, at a 1000 ms tick
    TICKER = 10
    TICKER_1H = 11
    TICKER_4H = 12
    TICKER_1D = 13
    AVG_PRICE = 14
    MINI_TICKERS = 15  # lists of those of all instruments that changed, on the channel of ALL_SYMBOLS
    TICKERS = 16
    TICKERS_1H = 17
    TICKERS_4H = 18
    TICKERS_1D = 19
    BOOK_TICKERS = 20  # never in an envelope: the feed makes it from every BOOK_TICKER
    DEPTH_RAW = 21     # difference since the frame before that changed the book
    DEPTH_CRC = 22     # checksum of the best levels, at a 100 ms tick, when the book changed
    L3 = 23            # what happened to each order, in the frame after the one before
    KLINE_1S = 33      # 32 + the interval's number, see engine/intervals.py
    KLINE_1M = 34
    KLINE_3M = 35
    KLINE_5M = 36
    KLINE_15M = 37
    KLINE_30M = 38
    KLINE_1H = 39
    KLINE_2H = 40
    KLINE_4H = 41
    KLINE_6H = 42
    KLINE_8H = 43
    KLINE_12H = 44
    KLINE_1D = 45
    KLINE_3D = 46
    KLINE_1W = 47
    KLINE_1MONTH = 48
    KLINE_6H_EAST = 49   # of UTC+8, where they are other candles than those of UTC
    KLINE_12H_EAST = 50
    KLINE_1D_EAST = 51
    KLINE_3D_EAST = 52
    KLINE_1W_EAST = 53
    KLINE_1MONTH_EAST = 54


PARTIAL_LEVELS = {Kind.PARTIAL_5: 5, Kind.PARTIAL_10: 10, Kind.PARTIAL_20: 20}
DIFFERENCES = frozenset({Kind.DEPTH_100, Kind.DEPTH_1000, Kind.DEPTH_RAW, Kind.L3})   # one missing is one too many
KLINES = tuple(Kind(32 + interval.number) for interval in ALL_INTERVALS)   # in the order of the intervals
TICKER_WINDOWS = {"1h": (Kind.TICKER_1H, Kind.TICKERS_1H), "4h": (Kind.TICKER_4H, Kind.TICKERS_4H),
                  "1d": (Kind.TICKER_1D, Kind.TICKERS_1D)}   # of one instrument, of all
STATES = frozenset({Kind.BOOK_TICKER, Kind.MINI_TICKER, Kind.TICKER, Kind.AVG_PRICE, *PARTIAL_LEVELS, *KLINES,
                    *(single for single, _ in TICKER_WINDOWS.values())})   # kinds whose last message is worth keeping
ALL_SYMBOLS = "!"      # stands for the symbol where a message is about all instruments; no symbol can be that
_KINDS = {int(kind): kind for kind in Kind}


class EnvelopeError(ValueError):
    """Bytes on a market channel that are not an envelope: somebody else publishes there."""


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One JSON message of an envelope."""

    kind: Kind
    refresh: bool
    payload: bytes


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """A decoded message of a market channel."""

    epoch: int
    seq: int
    entries: list[Entry]


def channel(database: int, symbol: str) -> bytes:
    """The channel of an instrument."""
    return b"buttonwood:%d:market:%b" % (database, symbol.encode())


def pattern(database: int) -> bytes:
    """Matches the channels of all instruments."""
    return channel(database, "*")


def symbol_of(name: bytes) -> str:
    """The instrument's symbol in a channel's name."""
    return name.rpartition(b":")[2].decode(errors="replace")


def encode_entry(kind: Kind, payload: bytes, flags: int = 0) -> bytes:
    """An entry: `payload` is a complete JSON text."""
    return _ENTRY.pack(kind, flags, 0, len(payload)) + payload


def encode_envelope(epoch: int, seq: int, entries: list[bytes]) -> bytes:
    """An envelope of entries made by `encode_entry`."""
    return b"".join((_HEAD.pack(_MAGIC, VERSION, 0, len(entries), epoch, seq), *entries))


def portions(entries: list[bytes]) -> Iterable[list[bytes]]:
    """The entries in order, cut where an envelope would outgrow ENVELOPE_BYTES_AIM; a single larger one stays whole."""
    portion: list[bytes] = []
    size = 0
    for entry in entries:
        if portion and size + len(entry) > ENVELOPE_BYTES_AIM:
            yield portion
            portion, size = [], 0
        portion.append(entry)
        size += len(entry)
    if portion:
        yield portion


def decode_envelope(data: bytes) -> Envelope:
    """The envelope in `data`. Raises EnvelopeError for anything else; never returns a part."""
    try:
        magic, version, _, count, epoch, seq = _HEAD.unpack_from(data)
        if magic != _MAGIC or version != VERSION:
            raise EnvelopeError(f"starts with {data[:3]!r}: this reader knows version {VERSION} only")
        return Envelope(epoch, seq, _decode_entries(data, count))
    except (error, KeyError) as reason:
        raise EnvelopeError(f"{len(data)} bytes cannot be read as an envelope: {reason}") from None


def _decode_entries(data: bytes, count: int) -> list[Entry]:
    entries, at = [], _HEAD.size
    for _ in range(count):
        kind, flags, _, length = _ENTRY.unpack_from(data, at)
        at += _ENTRY.size
        entries.append(Entry(_KINDS[kind], bool(flags & REFRESH), data[at:at + length]))
        at += length
    if at != len(data):
        raise EnvelopeError(f"entries end at byte {at}, the message at {len(data)}")
    return entries
