"""Stream names and paths: what is ours, what is ignored, what is refused."""
import pytest

from engine.market_channels import Kind
from gateway.feed_names import StreamKind, Target, parse_path, parse_stream


@pytest.mark.parametrize(("name", "kind", "slow"), [
    ("btcusdt@trade", Kind.TRADE, False),
    ("btcusdt@bookTicker", Kind.BOOK_TICKER, False),
    ("btcusdt@depth", Kind.DEPTH_1000, False),
    ("btcusdt@depth@1000ms", Kind.DEPTH_1000, False),
    ("btcusdt@depth@100ms", Kind.DEPTH_100, False),
    ("btcusdt@depth@raw", Kind.DEPTH_RAW, False),
    ("btcusdt@depthCrc", Kind.DEPTH_CRC, False),
    ("btcusdt@l3", Kind.L3, False),
    ("btcusdt@depth5", Kind.PARTIAL_5, True),
    ("btcusdt@depth10@1000ms", Kind.PARTIAL_10, True),
    ("btcusdt@depth20@100ms", Kind.PARTIAL_20, False),
    ("btcusdt@aggTrade", Kind.AGG_TRADE, False),
    ("btcusdt@miniTicker", Kind.MINI_TICKER, False),
    ("btcusdt@ticker", Kind.TICKER, False),
    ("btcusdt@ticker_4h", Kind.TICKER_4H, False),
    ("btcusdt@avgPrice", Kind.AVG_PRICE, False),
    ("btcusdt@kline_1s", Kind.KLINE_1S, False),
    ("btcusdt@kline_1m", Kind.KLINE_1M, False),
    ("btcusdt@kline_1w", Kind.KLINE_1W, False),
    ("btcusdt@kline_1M", Kind.KLINE_1MONTH, False),
    ("btcusdt@kline_1m@+08:00", Kind.KLINE_1M, False),
    ("btcusdt@kline_8h@+08:00", Kind.KLINE_8H, False),
    ("btcusdt@kline_6h@+08:00", Kind.KLINE_6H_EAST, False),
    ("btcusdt@kline_12h@+08:00", Kind.KLINE_12H_EAST, False),
    ("btcusdt@kline_1d@+08:00", Kind.KLINE_1D_EAST, False),
    ("btcusdt@kline_3d@+08:00", Kind.KLINE_3D_EAST, False),
    ("btcusdt@kline_1w@+08:00", Kind.KLINE_1W_EAST, False),
    ("btcusdt@kline_1M@+08:00", Kind.KLINE_1MONTH_EAST, False),
])
def test_a_stream_of_ours(name, kind, slow):
    assert parse_stream(name) == ("btcusdt", StreamKind(kind, slow))


@pytest.mark.parametrize(("name", "kind"), [
    ("!miniTicker@arr", Kind.MINI_TICKERS), ("!miniTicker@arr@1000ms", Kind.MINI_TICKERS),
    ("!ticker@arr", Kind.TICKERS), ("!ticker_1d@arr", Kind.TICKERS_1D), ("!bookTicker", Kind.BOOK_TICKERS)])
def test_a_stream_of_all_instruments(name, kind):
    assert parse_stream(name) == ("!", StreamKind(kind))
    assert parse_path(f"/ws/{name}", "") == Target(False, [name])


@pytest.mark.parametrize("name", [
    "!ticker", "!@trade", "btcusdt@kline_7m", "btcusdt@kline_1m@+09:00", "btcusdt@kline_1m@ 08:00",
    "btcusdt@ticker_2h", "!ticker_2h@arr",
    "", "0", "btcusdt", "@trade", "BTCUSDT@trade", "btcusdt@Trade", "btcusdt@depth7", "btcusdt@depth@200ms",
    "btc usdt@trade", 'a"b@trade', "x" * 37 + "@trade", "btcusdt@trade@", "btcusdt@@trade", "é@trade"])
def test_no_stream_of_ours(name):
    assert parse_stream(name) is None


@pytest.mark.parametrize(("path", "query", "target"), [
    ("/ws", "", Target(False, [])),
    ("/ws/", "", Target(False, [])),
    ("/ws/0", "", Target(False, [])),
    ("/ws/a@trade/b@depth", "", Target(False, ["a@trade", "b@depth"])),
    ("/ws/a@trade/nonsense/a@trade", "", Target(False, ["a@trade"])),
    ("/ws/a%40trade", "", Target(False, ["a@trade"])),
    ("/stream", "", Target(True, [])),
    ("/stream", "streams=a@trade/b@depth5@100ms", Target(True, ["a@trade", "b@depth5@100ms"])),
    ("/stream", "timeUnit=x&streams=a%40trade%2F0", Target(True, ["a@trade"])),
    ("/stream", "streams=a@kline_1d@+08:00/b@trade", Target(True, ["a@kline_1d@+08:00", "b@trade"])),
    ("/stream", "streams=a%40kline_1d%40%2B08%3A00", Target(True, ["a@kline_1d@+08:00"])),
    ("/ws/a@kline_1d@+08:00", "", Target(False, ["a@kline_1d@+08:00"])),
    ("/stream/ws", "", Target(False, [])),
    ("/stream/ws/7", "", Target(False, [])),
    ("/stream/ws/a@trade", "", Target(False, ["a@trade"])),
])
def test_a_path_of_streams(path, query, target):
    assert parse_path(path, query) == target


@pytest.mark.parametrize("path", ["/", "", "/wss", "/ws-api/v3", "/stream/a@trade", "/api/v3/ping"])
def test_no_path_of_streams(path):
    assert parse_path(path, "") is None
