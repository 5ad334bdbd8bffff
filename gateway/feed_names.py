"""Names of market streams and the paths that ask for them, as in the Binance Spot protocol.

  /ws                       raw messages, streams by SUBSCRIBE
  /ws/NAME[/NAME...]        raw, with these streams; a name that is no stream of ours (clients open /ws/0) is ignored
  /stream[?streams=A/B]     combined: each message as {"stream": NAME, "data": ...}
  /stream/ws[/NAME...]      raw as well: some clients recognise the spot market by the word /stream in the address

A name may be a listen key as well: then it is the account's private events (feed_users.py).

A name is SYMBOL@KIND with the symbol in small letters, or one of ALL_STREAMS, which tell of all instruments. Whether an
instrument of that symbol exists is not asked.
"""
import re
from urllib.parse import parse_qsl, unquote

from msgspec import Struct

from engine.intervals import ALL_INTERVALS
from engine.market_channels import ALL_SYMBOLS, KLINES, TICKER_WINDOWS, Kind
from gateway.listen_words import is_listen_key

EAST = "@+08:00"   # candles of UTC+8
_SYMBOL = re.compile(r"[a-z0-9._-]{1,36}")


class StreamKind(Struct, frozen=True):
    """What a stream carries. `slow`: the newest message once a second instead of each at once."""

    kind: Kind
    slow: bool = False


class Target(Struct, frozen=True):
    """What a path asks for."""

    combined: bool
    names: list[str]


KINDS = {
    "trade": StreamKind(Kind.TRADE),
    "bookTicker": StreamKind(Kind.BOOK_TICKER),
    "depth": StreamKind(Kind.DEPTH_1000),
    "depth@100ms": StreamKind(Kind.DEPTH_100),
    "depth@1000ms": StreamKind(Kind.DEPTH_1000),
    "depth@raw": StreamKind(Kind.DEPTH_RAW),
    "depthCrc": StreamKind(Kind.DEPTH_CRC),
    "l3": StreamKind(Kind.L3),
    "aggTrade": StreamKind(Kind.AGG_TRADE),
    "miniTicker": StreamKind(Kind.MINI_TICKER),
    "ticker": StreamKind(Kind.TICKER),
    "avgPrice": StreamKind(Kind.AVG_PRICE),
}
ALL_STREAMS = {"!bookTicker": StreamKind(Kind.BOOK_TICKERS)}
for _name, _kind in (("miniTicker", Kind.MINI_TICKERS), ("ticker", Kind.TICKERS)):
    ALL_STREAMS[f"!{_name}@arr"] = ALL_STREAMS[f"!{_name}@arr@1000ms"] = StreamKind(_kind)
for _window, (_kind, _list) in TICKER_WINDOWS.items():
    KINDS[f"ticker_{_window}"] = StreamKind(_kind)
    ALL_STREAMS[f"!ticker_{_window}@arr"] = StreamKind(_list)
for _interval, _kind in zip(ALL_INTERVALS, KLINES, strict=True):
    if not _interval.offset_ms:
        KINDS[f"kline_{_interval.name}"] = StreamKind(_kind)
    KINDS[f"kline_{_interval.name}{EAST}"] = StreamKind(_kind)   # where UTC+8 has other candles, they come later
for _levels, _kind in ((5, Kind.PARTIAL_5), (10, Kind.PARTIAL_10), (20, Kind.PARTIAL_20)):
    KINDS[f"depth{_levels}"] = KINDS[f"depth{_levels}@1000ms"] = StreamKind(_kind, slow=True)
    KINDS[f"depth{_levels}@100ms"] = StreamKind(_kind)


def parse_stream(name: str) -> tuple[str, StreamKind] | None:
    """(symbol in small letters or ALL_SYMBOLS, kind) of a stream's name; None when it is not one of ours."""
    if name in ALL_STREAMS:
        return ALL_SYMBOLS, ALL_STREAMS[name]
    symbol, _, rest = name.partition("@")
    kind = KINDS.get(rest)
    return (symbol, kind) if kind is not None and _SYMBOL.fullmatch(symbol) else None


def parse_path(path: str, query: str) -> Target | None:
    """What a request for `path` asks for, names of ours only, each once; None when it is no path of streams."""
    parts = [unquote(part) for part in path.split("/") if part]
    if parts[:1] == ["ws"]:
        return Target(False, _ours(parts[1:]))
    if parts[:2] == ["stream", "ws"]:
        return Target(False, _ours(parts[2:]))
    if parts == ["stream"]:
        asked = dict(parse_qsl(query.replace("+", "%2B"))).get("streams", "")   # no name has a space, some have a plus
        return Target(True, _ours(asked.split("/")))
    return None


def is_ours(name: str) -> bool:
    """Whether one may subscribe to this: a stream, or what looks like a listen key."""
    return parse_stream(name) is not None or is_listen_key(name)


def _ours(names: list[str]) -> list[str]:
    return list(dict.fromkeys(name for name in names if is_ours(name)))
