"""Market data as clients have it: an unmodified ccxt, REST and streams, on a demo venue; and that the two agree."""
import asyncio
import json
from typing import Any

import ccxt
import ccxt.pro
import httpx
import pytest
import websockets

from buttonwood.embedded import temporary_data_dir
from tests.support.waiting import SECONDS_MAX, STORY_SECONDS_MAX, wait_until
from tests.system.running_venue import RunningVenue

PAIRS = ["AAPL/USDT", "BTC/USDT", "ETH/USDT"]


@pytest.fixture(scope="module")
def venue():
    with temporary_data_dir() as path, RunningVenue(path / "venue", "--demo") as venue:
        wait_until(lambda: traded(venue))
        yield venue


def traded(venue: RunningVenue) -> bool:
    """Each instrument has some trades in the tables; at first there is nobody who keeps them."""
    answer = httpx.get(f"{venue.words['rest']}/api/v3/ticker/24hr")
    return answer.status_code == 200 and all(ticker["count"] > 10 for ticker in answer.json())


def get(venue: RunningVenue, path: str, **params: Any) -> Any:
    answer = httpx.get(f"{venue.words['rest']}/api/v3/{path}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def point(exchange: Any, venue: RunningVenue) -> Any:
    urls = {name: venue.words["rest"] + "/" + url.split("/", 3)[3]
            for name, url in exchange.urls["api"].items() if name != "ws"}
    streams = {"ws": {"spot": venue.words["streams"], "ws-api": {"spot": venue.words["orders"]}}}
    exchange.urls["api"] = urls | (streams if "ws" in exchange.urls["api"] else {})
    return exchange


def test_ccxt_fetches_candles_tickers_and_trades(venue):
    exchange = point(ccxt.binance({"apiKey": venue.words["key"], "enableRateLimit": False}), venue)
    ticker = exchange.fetch_ticker("BTC/USDT")
    assert ticker["low"] <= ticker["last"] <= ticker["high"] and ticker["bid"] < ticker["ask"]
    assert ticker["baseVolume"] > 0 and ticker["low"] <= ticker["vwap"] <= ticker["high"]
    assert sorted(exchange.fetch_tickers()) == PAIRS
    assert list(exchange.fetch_tickers(["ETH/USDT"])) == ["ETH/USDT"]
    trades = exchange.fetch_trades("BTC/USDT", limit=10)
    assert len(trades) == 10
    assert [trade["timestamp"] for trade in trades] == sorted(trade["timestamp"] for trade in trades)
    old = exchange.fetch_trades("BTC/USDT", params={"fetchTradesMethod": "publicGetHistoricalTrades", "fromId": 1})
    assert [trade["id"] for trade in old[:2]] == ["1", "2"]
    for interval in exchange.timeframes:
        time_ms, opened, high, low, close, volume = exchange.fetch_ohlcv("BTC/USDT", interval)[-1]
        assert low <= opened <= high and low <= close <= high and volume >= 0 and time_ms <= exchange.milliseconds()
    since = exchange.fetch_ohlcv("BTC/USDT", "1s", since=exchange.milliseconds() - 20_000, limit=2)
    assert [row[0] for row in since] == [since[0][0], since[0][0] + 1000]


def test_ccxt_pro_watches_candles_tickers_and_trades(venue):
    async def bot() -> None:
        async with point(ccxt.pro.binance({"enableRateLimit": False}), venue) as exchange:
            async with asyncio.timeout(STORY_SECONDS_MAX):
                ticker, named, candles, trades, tickers = await asyncio.gather(
                    exchange.watch_ticker("BTC/USDT"), exchange.watch_ticker("ETH/USDT", {"name": "ticker"}),
                    exchange.watch_ohlcv("BTC/USDT", "1m"), exchange.watch_trades("BTC/USDT"),
                    exchange.watch_tickers())
                more = await exchange.watch_ohlcv("ETH/USDT", "1s")
                aggs = await exchange.watch_trades("AAPL/USDT", params={"name": "aggTrade"})
                while not named["baseVolume"]:   # the stream tells once a second: it may not have told the first trades
                    named = await exchange.watch_ticker("ETH/USDT", {"name": "ticker"})
            assert ticker["low"] <= ticker["last"] <= ticker["high"]
            assert named["bid"] < named["ask"] and named["baseVolume"] > 0
            assert candles[-1][3] <= candles[-1][4] <= candles[-1][2] and more
            assert trades[-1]["price"] > 0 and aggs[-1]["price"] > 0 and tickers
    asyncio.run(bot())


STREAMS = ["btcusdt@kline_1s", "btcusdt@ticker", "btcusdt@aggTrade", "btcusdt@avgPrice", "btcusdt@ticker_1h",
           "btcusdt@kline_1d", "btcusdt@kline_1d@+08:00", "btcusdt@miniTicker", "!miniTicker@arr", "!ticker@arr",
           "!bookTicker"]


async def listen(venue: RunningVenue) -> dict[str, list[Any]]:
    """Until every stream has told something and four candles have ended."""
    heard: dict[str, list[Any]] = {name: [] for name in STREAMS}
    url = venue.words["streams"].removesuffix("/ws") + "?streams=" + "/".join(STREAMS)
    async with websockets.connect(url) as socket, asyncio.timeout(SECONDS_MAX):
        while not all(heard.values()) or len(ended(heard)) < 4:
            message = json.loads(await socket.recv())
            heard[message["stream"]].append(message["data"])
    return heard


def ended(heard: dict[str, list[Any]]) -> list[Any]:
    return [said["k"] for said in heard["btcusdt@kline_1s"] if said["k"]["x"]]


def trades_from(venue: RunningVenue, first: int, count: int) -> list[Any]:
    """So many, as many requests as that takes."""
    rows: list[Any] = []
    while len(rows) < count:
        rows += get(venue, "historicalTrades", symbol="BTCUSDT", fromId=first + len(rows), limit=1000)
    return rows[:count]


def compare_day(venue: RunningVenue, day: dict[str, Any], zone: int) -> None:
    """A growing candle that was told with its trades, and with the candle at REST, which has grown since."""
    row, = get(venue, "klines", symbol="BTCUSDT", interval="1d", timeZone=str(zone), startTime=day["t"], limit=1)
    assert [row[0], row[1], row[6]] == [day["t"], day["o"], day["T"]] and row[8] > 0
    assert (day["t"] + zone * 3_600_000) % 86_400_000 == 0 and day["T"] - day["t"] == 86_400_000 - 1
    trades = trades_from(venue, day["f"], day["n"])
    assert day["t"] <= trades[0]["time"] <= trades[-1]["time"] <= day["T"]
    assert (trades[-1]["id"], trades[0]["price"], trades[-1]["price"]) == (day["L"], day["o"], day["c"])
    assert float(day["v"]) == pytest.approx(sum(float(trade["qty"]) for trade in trades))


def test_streams_and_rest_tell_the_same(venue):
    heard = asyncio.run(listen(venue))
    ends = ended(heard)
    assert [end["t"] for end in ends] == [ends[0]["t"] + 1000 * n for n in range(len(ends))]
    candles = [[end[name] for name in "tohlcvTqnVQB"] for end in ends]
    wait_until(lambda: candles == get(      # a candle reaches Postgres within candles.write_seconds
        venue, "klines", symbol="BTCUSDT", interval="1s", startTime=ends[0]["t"], limit=len(ends)))
    for name, zone in (("btcusdt@kline_1d", 0), ("btcusdt@kline_1d@+08:00", 8)):
        compare_day(venue, next(said["k"] for said in heard[name] if said["k"]["n"]), zone)
    told = heard["btcusdt@aggTrade"]
    first = told[0]["a"]
    assert [said["a"] for said in told] == list(range(first, first + len(told)))
    rows = get(venue, "aggTrades", symbol="BTCUSDT", fromId=first, limit=len(told))
    assert rows == [{name: said[name] for name in "apqflTmM"} for said in told]
    assert {len(said) for said in heard["!miniTicker@arr"]} <= {1, 2, 3}
    day = heard["btcusdt@ticker"][-1]
    trades = trades_from(venue, day["F"], day["n"])
    assert (trades[0]["id"], trades[-1]["id"], trades[-1]["price"]) == (day["F"], day["L"], day["c"])
    assert float(day["v"]) == pytest.approx(sum(float(trade["qty"]) for trade in trades))
