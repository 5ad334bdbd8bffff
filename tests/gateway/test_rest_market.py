"""Candles, tickers and public trades over REST, out of tables with two days of random trades, against slow sums."""
import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from itertools import groupby
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import uvloop

from engine.bars import average_text, percent_text
from engine.instruments import Instrument
from engine.intervals import DAY_MS, INTERVALS, MINUTE_MS
from gateway.rest.time_zones import ZonedInterval
from tests.gateway.rest_kit import RestClient, rest
from tests.gateway.running import ALICE, BOB, Client, furnish, limit, running
from tests.support.postgres import PostgresServer
from tests.support.waiting import STORY_SECONDS_MAX
from tests.workers.trades_kit import FakeTrade, aggregated, random_trades, statistics
from workers.candle_store import _row
from workers.candles import Candles
from workers.schema import upgrade
from workers.statements import script, statements

SECOND = INTERVALS[0]
MISSING = {"rest": {"history_lag_seconds_max": 0.01}}   # no ledger runs: nothing to wait for


class Market:
    """What a story works with: the client, the trades that are in the tables, and the instrument."""

    def __init__(self, client: RestClient, other: RestClient, trades: list[FakeTrade], terms: Instrument,
                 dsn: str) -> None:
        self.client, self.other, self.trades, self.terms, self.dsn = client, other, trades, terms, dsn
        groups = groupby(trades, lambda trade: (trade.order_id, trade.price_ticks))
        self.aggs = [(number, list(group)) for number, (_, group) in enumerate(groups, 1)]

    async def get(self, path: str, **params: Any) -> Any:
        return await self.client.ok("GET", path, public=True, **({"symbol": "BTCUSDT"} | params))

    async def error(self, path: str, **params: Any) -> tuple[int, int]:
        params = {"symbol": "BTCUSDT"} | params
        answer = await self.client.error("GET", path, public=True, **{k: v for k, v in params.items() if v is not None})
        return answer[:2]

    async def sql(self, statement: str) -> None:
        connection = await asyncpg.connect(self.dsn)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


Story = Callable[[Market], Awaitable[None]]


@pytest.fixture(scope="module")
def filled() -> Any:
    """A Postgres with the trades of two days that end now."""
    with PostgresServer(fsync=False) as server:
        trades = random_trades(random.Random(7), 3000, (0, 0, 300, 2000, 1_800_000))
        late_ms = int(time.time() * 1000) - 20_000 - trades[-1].ms
        for trade in trades:
            trade.time_ns += late_ms * 1_000_000
        dsn = server.database()
        asyncio.run(fill(dsn, trades))
        yield dsn, trades


async def fill(dsn: str, trades: list[FakeTrade]) -> None:
    candles = Candles()
    for agg in aggregated(trades):
        candles.add(agg.bar())
    rows = [_row(1, key, candle) for key, candle in candles.take().items()]
    connection = await asyncpg.connect(dsn)
    try:
        await upgrade(connection)
        await connection.execute("SELECT make_parts(10000000, 10000000)")
        await connection.execute(script("candle_schema.sql"))
        for first in range(0, len(rows), 5000):
            columns = zip(*rows[first:first + 5000], strict=True)
            await connection.execute(statements("candles.sql")["put"], *map(list, columns))
        await connection.execute(f"UPDATE candle_position SET until_ms = {2**60}")
        places: dict[int, int] = {}
        table = []
        for trade in trades:
            places[trade.seq] = place = places.get(trade.seq, -1) + 1
            table.append((place, trade.seq, trade.trade_id, trade.time_ns, trade.price_ticks, trade.qty_lots,
                          trade.quote_amount, trade.order_id, trade.side))
        await connection.executemany(
            "INSERT INTO trade VALUES (1, $1, $2, $3, $3, $4, $5, $6, $7, $8, 0, 0, 0, 2, 3, $9)", table)
    finally:
        await connection.close()


def run(folder: Path, filled: tuple[str, list[FakeTrade]], story: Story) -> None:
    dsn, trades = filled

    async def main() -> None:
        async with running(folder, postgres={"dsn": dsn}, **MISSING) as venue:
            await furnish(venue)
            async with rest(venue.server.venue.config) as port:
                async with RestClient(port, venue.keys[ALICE]) as client, RestClient(port, venue.keys[BOB]) as other:
                    terms = venue.server.venue.engine.catalog.by_id[1]
                    async with asyncio.timeout(STORY_SECONDS_MAX):
                        await story(Market(client, other, trades, terms, dsn))
    uvloop.run(main())


def agg_row(market: Market, number: int, group: list[FakeTrade]) -> dict[str, Any]:
    return {"a": number, "p": market.terms.price_text(group[0].price_ticks),
            "q": market.terms.qty_text(sum(trade.qty_lots for trade in group)), "f": group[0].trade_id,
            "l": group[-1].trade_id, "T": group[0].ms, "m": group[0].side == 1, "M": True}


def trade_row(market: Market, trade: FakeTrade) -> dict[str, Any]:
    return {"id": trade.trade_id, "price": market.terms.price_text(trade.price_ticks),
            "qty": market.terms.qty_text(trade.qty_lots), "quoteQty": market.terms.quote_text(trade.quote_amount),
            "time": trade.ms, "isBuyerMaker": trade.side == 1, "isBestMatch": True}


def test_aggregated_trades(tmp_path, filled):
    async def story(market: Market) -> None:
        rows = [agg_row(market, *agg) for agg in market.aggs]
        assert await market.get("aggTrades") == rows[-500:]
        assert await market.get("aggTrades", limit=3) == rows[-3:]
        chance = random.Random(1)
        for _ in range(25):
            first = chance.randrange(len(rows))
            assert await market.get("aggTrades", fromId=first + 1, limit=40) == rows[first:first + 40]
            start, end = sorted(chance.choice(rows)["T"] + chance.randint(-500, 500) for _ in range(2))
            inside = [row for row in rows if start <= row["T"] <= end]
            assert await market.get("aggTrades", startTime=start, endTime=end, limit=100) == inside[:100]
            assert await market.get("aggTrades", startTime=start * 1000, limit=7) == [
                row for row in rows if row["T"] >= start][:7]
            assert await market.get("aggTrades", endTime=end, limit=7) == [row for row in rows if row["T"] <= end][-7:]
        assert await market.get("aggTrades", fromId=len(rows) + 1) == []
        assert await market.get("aggTrades", startTime=rows[-1]["T"] + 1) == []
        assert await market.get("aggTrades", endTime=rows[0]["T"] - 1) == []
        assert await market.error("aggTrades", fromId=1, startTime=1) == (400, -1128)
        assert await market.error("aggTrades", symbol=None) == (400, -1102)
        assert await market.error("aggTrades", symbol="NOSUCH") == (400, -1121)
    run(tmp_path, filled, story)


def test_historical_trades(tmp_path, filled):
    async def story(market: Market) -> None:
        rows = [trade_row(market, trade) for trade in market.trades]
        assert await market.get("historicalTrades") == rows[-500:]
        chance = random.Random(2)
        for _ in range(25):
            first = chance.randrange(len(rows))
            assert await market.get("historicalTrades", fromId=first + 1, limit=30) == rows[first:first + 30]
        assert await market.get("historicalTrades", fromId=0, limit=2) == rows[:2]
        assert await market.get("historicalTrades", fromId=2**62) == []
    run(tmp_path, filled, story)


async def within_one(interval: Any, ask: Callable[[], Awaitable[Any]]) -> tuple[Any, int]:
    """An answer that began and ended in one interval of the clock, and when."""
    while True:
        before = int(time.time() * 1000)
        answer = await ask()
        if interval.open_ms(before) == interval.open_ms(int(time.time() * 1000)):
            return answer, before


def slow_klines(market: Market, interval: Any, now_ms: int) -> list[list[Any]]:
    """All candles from the first to the one that holds this moment, flat where nothing was traded."""
    terms, rows = market.terms, []
    at, price = interval.open_ms(market.trades[0].ms), 0
    spans: dict[int, list[FakeTrade]] = {}
    for trade in market.trades:
        spans.setdefault(interval.open_ms(trade.ms), []).append(trade)
    while at <= now_ms:
        trades = spans.get(at, [])
        prices = [trade.price_ticks for trade in trades] or [price]
        price = prices[-1]
        texts = [terms.price_text(ticks) for ticks in (prices[0], max(prices), min(prices), price)]
        bought = [trade for trade in trades if trade.side == 0]
        rows.append([at, *texts, terms.qty_text(sum(trade.qty_lots for trade in trades)), interval.next_ms(at) - 1,
                     terms.quote_text(sum(trade.quote_amount for trade in trades)), len(trades),
                     terms.qty_text(sum(trade.qty_lots for trade in bought)),
                     terms.quote_text(sum(trade.quote_amount for trade in bought)), "0"])
        at = interval.next_ms(at)
    return rows


def test_candles_of_all_intervals(tmp_path, filled):
    async def story(market: Market) -> None:
        chance = random.Random(3)
        for interval in INTERVALS:
            found, now_ms = await within_one(interval, lambda name=interval.name: market.get("klines", interval=name))
            rows = slow_klines(market, interval, now_ms)
            assert found == rows[-500:]
            for _ in range(4):
                start, end = sorted(chance.randint(rows[0][0] - 5000, rows[-1][0]) for _ in range(2))
                inside = [row for row in rows if start <= row[0] <= end]
                terms = {"interval": interval.name, "startTime": start, "endTime": end}
                assert await market.get("klines", **terms, limit=90) == inside[:90]
                assert await market.get("uiKlines", interval=interval.name, endTime=end, limit=90) == [
                    row for row in rows if row[0] <= end][-90:]
        fine = await market.get("klines", interval="1d", limit=1, headers={"X-MBX-TIME-UNIT": "MICROSECOND"})
        assert (fine[0][0] % (DAY_MS * 1000), fine[0][6] - fine[0][0]) == (0, DAY_MS * 1000 - 1)
        assert await market.get("klines", interval="1m", startTime=2**62) == []
        assert await market.get("klines", interval="1m", endTime=1) == []
        assert await market.error("klines", interval="7m") == (400, -1120)
        assert await market.error("klines") == (400, -1102)
    run(tmp_path, filled, story)


@pytest.mark.parametrize("zone, minutes", [("8", 480), ("-5:00", -300), ("05:45", 345), ("+14:00", 840), ("-12", -720)])
def test_candles_and_days_of_other_zones(tmp_path, filled, zone, minutes):
    async def story(market: Market) -> None:
        for interval in INTERVALS[5:]:
            zoned = ZonedInterval(interval, minutes * MINUTE_MS)
            found, now_ms = await within_one(zoned, lambda name=interval.name: market.get(
                "klines", interval=name, timeZone=zone))
            assert found == slow_klines(market, zoned, now_ms)[-500:], interval.name
            part = await market.get("klines", interval=interval.name, timeZone=zone, limit=2, startTime=found[0][0] + 1)
            assert part == found[1:3]
        days = await market.get("klines", interval="1d", timeZone=zone)
        assert all((row[0] + minutes * MINUTE_MS) % DAY_MS == 0 and row[6] - row[0] == DAY_MS - 1 for row in days)
        day = await market.get("ticker/tradingDay", timeZone=zone)
        assert (day["openTime"] + minutes * MINUTE_MS) % DAY_MS == 0
        check_ticker(market, day, DAY_MS - 1)
    run(tmp_path, filled, story)


def test_zones_that_are_not_there(tmp_path, filled):
    async def story(market: Market) -> None:
        for zone in ("15", "-12:15", "14:15", "x", "", "1:7", "5:10", "0x1", "１", "99:99", "1:60"):
            assert await market.error("klines", interval="1d", timeZone=zone) == (400, -1130), zone
            assert await market.error("ticker/tradingDay", timeZone=zone) == (400, -1130), zone
        assert await market.error("ticker/tradingDay", symbol=None) == (400, -1102)
    run(tmp_path, filled, story)


def test_the_same_questions_over_websocket(tmp_path, filled):
    """Answered by the REST process: the same rows, microseconds, refusals; and 503 while there is none."""
    dsn, _ = filled
    bitcoin = {"symbol": "BTCUSDT"}

    async def main() -> None:
        async with running(tmp_path, postgres={"dsn": dsn}, **MISSING) as venue:
            await furnish(venue)
            async with venue.client(ALICE) as socket:
                assert await socket.error("klines", signed=False, **bitcoin, interval="1d") == (
                    503, -1001, "Internal error; unable to process your request. Please try again.")
                async with rest(venue.server.venue.config) as port, RestClient(port, venue.keys[ALICE]) as http:
                    while (await socket.call("avgPrice", signed=False, **bitcoin))["status"] == 503:
                        await socket.call("ping", signed=False)
                    await compare(socket, http)
                    await refused(socket)
    uvloop.run(main())


async def compare(socket: Client, http: RestClient) -> None:
    bitcoin = {"symbol": "BTCUSDT"}
    for method, path, params in (
            ("klines", "klines", {"interval": "1h"}), ("uiKlines", "uiKlines", {"interval": "1w", "timeZone": "3:30"}),
            ("avgPrice", "avgPrice", {}), ("trades.historical", "historicalTrades", {"limit": 3, "fromId": 9}),
            ("trades.aggregate", "aggTrades", {"limit": 3})):
        said = await socket.ok(method, signed=False, **bitcoin, **params)
        assert said == await http.ok("GET", path, public=True, **bitcoin, **params)
    for method, params in (
            ("ticker", {"windowSize": "3d"}), ("ticker.24hr", {"type": "MINI"}), ("ticker.tradingDay", {})):
        assert (await socket.ok(method, signed=False, **bitcoin, **params))["symbol"] == "BTCUSDT"
        assert len(await socket.ok(method, signed=False, symbols=["BTCUSDT"], **params)) == 1
    assert await socket.ok("myTrades", **bitcoin) == []


async def refused(socket: Client) -> None:
    bitcoin = {"symbol": "BTCUSDT"}
    assert (await socket.error("myTrades", signed=False, **bitcoin))[1] == -2014
    assert (await socket.error("klines", signed=False, **bitcoin))[1] == -1102
    assert (await socket.error("klines", signed=False, interval="1d", symbol="NO"))[1] == -1121
    assert (await socket.error("trades.aggregate", signed=False, **bitcoin, limit="x"))[1] == -1100
    assert (await socket.error("asset.tradeFee"))[1] == -1020, "REST's own routes are no methods"
    sent = [await socket.send("avgPrice", signed=False, **bitcoin) for _ in range(40)]
    assert sorted([(await socket.reply())["id"] for _ in sent]) == sent


def check_ticker(market: Market, row: dict[str, Any], length_ms: int) -> None:
    terms, start = market.terms, row["openTime"]
    assert 0 <= row["closeTime"] - start - length_ms < MINUTE_MS
    slow = statistics(market.trades, start)
    texts = {"openPrice": slow.open, "highPrice": slow.high, "lowPrice": slow.low, "lastPrice": slow.last}
    expected = {name: terms.price_text(ticks) for name, ticks in texts.items()} | {
        "volume": terms.qty_text(slow.lots), "quoteVolume": terms.quote_text(slow.quote), "firstId": slow.first_id,
        "lastId": slow.last_id, "count": slow.count}
    if "priceChange" in row:
        expected |= {"priceChange": terms.price_text(slow.change),
                     "priceChangePercent": percent_text(slow.change, slow.open),
                     "weightedAvgPrice": average_text(terms, slow.quote, slow.lots)}
    if "prevClosePrice" in row:
        expected |= {"prevClosePrice": terms.price_text(slow.before), "lastQty": terms.qty_text(slow.last_lots)}
    assert {name: row[name] for name in expected} == expected


def test_tickers(tmp_path, filled):
    async def story(market: Market) -> None:
        await market.client.ok("POST", "order", **limit("BUY", "90", "1"))
        await market.other.ok("POST", "order", **limit("SELL", "110", "2"))
        day = await market.get("ticker/24hr")
        assert [day[name] for name in ("symbol", "bidPrice", "bidQty", "askPrice", "askQty")] == [
            "BTCUSDT", "90.00000000", "1.00000000", "110.00000000", "2.00000000"]
        assert list(day) == [
            "symbol", "priceChange", "priceChangePercent", "weightedAvgPrice", "prevClosePrice", "lastPrice", "lastQty",
            "bidPrice", "bidQty", "askPrice", "askQty", "openPrice", "highPrice", "lowPrice", "volume", "quoteVolume",
            "openTime", "closeTime", "firstId", "lastId", "count"]
        check_ticker(market, day, DAY_MS)
        every = await market.client.ok("GET", "ticker/24hr", public=True)
        listed = await market.client.ok("GET", "ticker/24hr", public=True, symbols='["BTCUSDT"]')
        assert len(every) == len(listed) == 1 and every[0].keys() == listed[0].keys() == day.keys()
        mini = await market.get("ticker/24hr", type="MINI")
        assert list(mini) == ["symbol", "openPrice", "highPrice", "lowPrice", "lastPrice", "volume", "quoteVolume",
                              "openTime", "closeTime", "firstId", "lastId", "count"]
        check_ticker(market, mini, DAY_MS)
        for unit, minutes, most in (("m", 1, 59), ("h", 60, 23), ("d", 1440, 7)):
            for count in range(1, most + 1):
                row = await market.get("ticker", windowSize=f"{count}{unit}")
                assert row["openTime"] % MINUTE_MS == 0 and "prevClosePrice" not in row
                check_ticker(market, row, count * minutes * MINUTE_MS)
        assert (await market.get("ticker", type="MINI")).keys() == mini.keys()
        for bad in ("60m", "24h", "8d", "0m", "1w", "", "01h"):
            assert await market.error("ticker", windowSize=bad) == (400, -1130)
        assert await market.error("ticker", symbol=None) == (400, -1102)
        assert await market.error("ticker/24hr", type="TINY") == (400, -1130)
    run(tmp_path, filled, story)


def test_average_price(tmp_path, filled):
    async def story(market: Market) -> None:
        found, now_ms = await within_one(SECOND, lambda: market.get("avgPrice"))
        slow = statistics(market.trades, SECOND.open_ms(now_ms) - 5 * MINUTE_MS)
        text = average_text(market.terms, slow.quote, slow.lots) if slow.count else market.terms.price_text(slow.last)
        assert found == {"mins": 5, "price": text, "closeTime": market.trades[-1].ms}
    run(tmp_path, filled, story)


def test_candles_that_nobody_keeps_up_to_date_are_not_shown(tmp_path, filled):
    async def story(market: Market) -> None:
        await market.sql(f"UPDATE candle_position SET until_ms = {int(time.time() * 1000) - 6000}")
        try:
            for path in ("ticker/24hr", "ticker", "avgPrice"):
                assert await market.error(path) == (503, -1001)
            assert await market.error("klines", interval="1m") == (503, -1001)
            assert len(await market.get("aggTrades", limit=5)) == 5   # counted from the trades themselves
        finally:
            await market.sql(f"UPDATE candle_position SET until_ms = {2**60}")
    run(tmp_path, filled, story)


def test_aggregates_are_counted_without_any_candle(tmp_path, filled):
    async def story(market: Market) -> None:
        await market.sql("ALTER TABLE candle RENAME TO hidden; CREATE TABLE candle (LIKE hidden)")
        try:
            assert await market.get("aggTrades", limit=2) == [agg_row(market, *agg) for agg in market.aggs[-2:]]
            assert await market.get("aggTrades", fromId=3, limit=1) == [agg_row(market, *market.aggs[2])]
            assert await market.get("klines", interval="1m") == []
            assert (await market.get("ticker/24hr"))["count"] == 0
        finally:
            await market.sql("DROP TABLE candle; ALTER TABLE hidden RENAME TO candle")
    run(tmp_path, filled, story)
