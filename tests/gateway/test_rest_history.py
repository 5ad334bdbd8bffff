"""Trades over REST, read from a real Postgres that a real ledger writes: own fills at once, fees, ranges, failures."""
import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import uvloop

from tests.gateway.rest_kit import RestClient, rest
from tests.gateway.running import ALICE, BOB, Running, furnish, limit, running
from tests.support.ledger import check_task, reached
from tests.support.ledger import running as ledger
from tests.support.postgres import PostgresServer
from tests.support.waiting import STORY_SECONDS_MAX, until_answer

PATIENT = {"rest": {"history_lag_seconds_max": 60.0}}   # however slow the ledger is here
Story = Callable[[Running, RestClient, RestClient], Awaitable[None]]


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


def run(folder: Path, dsn: str, story: Story, **overrides: object) -> None:
    """A furnished venue with fees of 0.1 % and 0.2 %, its ledger and REST."""
    async def main() -> None:
        async with running(folder, postgres={"dsn": dsn}, **PATIENT, **overrides) as venue:
            await furnish(venue, maker_fee_ppm=1000, taker_fee_ppm=2000)
            config = venue.server.venue.config
            async with ledger(config) as task, rest(config) as port:
                await reached(dsn, venue.core.seq, check_task(task))
                async with RestClient(port, venue.keys[ALICE]) as alice, RestClient(port, venue.keys[BOB]) as bob:
                    async with asyncio.timeout(STORY_SECONDS_MAX):
                        await story(venue, alice, bob)
    uvloop.run(main())


async def trade(alice: RestClient, bob: RestClient, price: str = "100", quantity: str = "1") -> dict[str, int]:
    """Alice sells to Bob's order; the order ids."""
    bought = await bob.ok("POST", "order", **limit("BUY", price, quantity))
    sold = await alice.ok("POST", "order", **limit("SELL", price, quantity))
    assert sold["status"] == "FILLED"
    return {"alice": sold["orderId"], "bob": bought["orderId"], "time": sold["transactTime"]}


def test_a_fill_is_there_as_soon_as_its_reply(tmp_path, postgres):
    async def story(venue: Running, alice: RestClient, bob: RestClient) -> None:
        for count in range(1, 6):
            orders = await trade(alice, bob, str(100 + count))
            assert len(await alice.ok("GET", "myTrades", symbol="BTCUSDT")) == count
        price = f"{105:.8f}"
        common = {"symbol": "BTCUSDT", "id": 5, "orderListId": -1, "price": price, "qty": "1.00000000",
                  "quoteQty": price, "time": orders["time"], "isBestMatch": True}
        assert (await alice.ok("GET", "myTrades", symbol="BTCUSDT"))[-1] == {
            **common, "orderId": orders["alice"], "commission": "0.21000000", "commissionAsset": "USDT",
            "isBuyer": False, "isMaker": False}
        assert (await bob.ok("GET", "myTrades", symbol="BTCUSDT"))[-1] == {
            **common, "orderId": orders["bob"], "commission": "0.00100000", "commissionAsset": "BTC",
            "isBuyer": True, "isMaker": True}
        public = await alice.ok("GET", "trades", public=True, symbol="BTCUSDT", limit=2)
        assert [row["id"] for row in public] == [4, 5]
        assert public[-1] == {"id": 5, "price": price, "qty": "1.00000000", "quoteQty": price, "time": orders["time"],
                              "isBuyerMaker": True, "isBestMatch": True}
        fine = {"X-MBX-TIME-UNIT": "MICROSECOND"}
        public = await alice.ok("GET", "trades", public=True, symbol="BTCUSDT", headers=fine)
        assert public[-1]["time"] // 1000 == orders["time"]
        last = await alice.ok("GET", "ticker/price", public=True, symbol="BTCUSDT")
        assert last == {"symbol": "BTCUSDT", "price": price}
        assert await alice.ok("GET", "/sapi/v1/asset/tradeFee") == [
            {"symbol": "BTCUSDT", "makerCommission": "0.00100000", "takerCommission": "0.00200000"}]
    run(tmp_path, postgres.database(), story)


def test_all_orders(tmp_path, postgres):
    """Open and ended ones, of one account and symbol, by id, by time, the newest; the same over WebSocket."""
    async def story(venue: Running, alice: RestClient, bob: RestClient) -> None:
        resting = (await alice.ok("POST", "order", **limit("BUY", "90", "1", newClientOrderId="rest")))["orderId"]
        sold = [await trade(alice, bob, quantity="0.2") for _ in range(3)]
        gone = (await alice.ok("POST", "order", **limit("BUY", "91", "1")))["orderId"]
        await alice.ok("DELETE", "order", symbol="BTCUSDT", orderId=gone)
        ioc = await alice.ok("POST", "order", **limit("BUY", "91", "1", timeInForce="IOC"))

        async def ids(**params: object) -> list[int]:
            return [row["orderId"] for row in await alice.ok("GET", "allOrders", symbol="BTCUSDT", **params)]
        every = [resting, *(each["alice"] for each in sold), gone, ioc["orderId"]]
        rows = await alice.ok("GET", "allOrders", symbol="BTCUSDT")
        assert [(row["orderId"], row["status"]) for row in rows] == list(zip(
            every, ["NEW", "FILLED", "FILLED", "FILLED", "CANCELED", "EXPIRED"], strict=True))
        for row in rows:
            assert row == await alice.ok("GET", "order", symbol="BTCUSDT", orderId=row["orderId"])
        assert await ids(limit=2) == every[-2:]
        assert await ids(orderId=every[1], limit=2) == every[1:3]
        assert await ids(orderId=resting, limit=1) == [resting]
        assert await ids(orderId=every[-1] + 1) == []
        assert await ids(startTime=rows[2]["time"], endTime=rows[4]["time"]) == [
            row["orderId"] for row in rows if rows[2]["time"] <= row["time"] <= rows[4]["time"]]
        assert len(await bob.ok("GET", "allOrders", symbol="BTCUSDT")) == 3
        for params, code in (({}, -1102), ({"symbol": "X"}, -1121), ({"symbol": "BTCUSDT", "limit": 0}, -1130),
                             ({"symbol": "BTCUSDT", "orderId": "x"}, -1100),
                             ({"symbol": "BTCUSDT", "startTime": 1, "endTime": 10**12}, -1127)):
            assert (await alice.error("GET", "allOrders", **params))[1] == code, params
        async with venue.client(ALICE) as socket:
            asked = {"symbol": "BTCUSDT", "limit": 3}
            while (said := await socket.call("allOrders", **asked))["status"] == 503:
                await socket.call("ping", signed=False)
            assert said["result"] == rows[-3:]
    run(tmp_path, postgres.database(), story)


TERMS = ("orderId", "orderListId", "clientOrderId", "price", "origQty", "status", "type", "timeInForce", "stopPrice",
         "icebergQty", "trailingDelta", "selfTradePreventionMode", "updateTime")


def test_what_an_order_was_placed_with_is_shown_when_it_has_ended(tmp_path, postgres):
    """Stop price, trailing delta, iceberg, mode and list as order.status, which the exchange answers, shows them."""
    async def story(venue: Running, alice: RestClient, bob: RestClient) -> None:
        await trade(alice, bob)
        for terms in (
                {"type": "STOP_LOSS_LIMIT", "stopPrice": "80"}, {"type": "STOP_LOSS_LIMIT", "trailingDelta": 100},
                {"icebergQty": "0.5"}, {"selfTradePreventionMode": "EXPIRE_BOTH"}):
            await alice.ok("POST", "order", **limit("SELL", "150", "1", **terms))
        await alice.ok("POST", "orderList/oco", symbol="BTCUSDT", side="SELL", quantity="1",
                       aboveType="LIMIT_MAKER", abovePrice="200", belowType="STOP_LOSS", belowStopPrice="50")
        await alice.ok("DELETE", "openOrders", symbol="BTCUSDT")
        rows = [row for row in await alice.ok("GET", "allOrders", symbol="BTCUSDT") if row["status"] != "FILLED"]
        assert len(rows) == 6
        for row in rows:
            known = await alice.ok("GET", "order", symbol="BTCUSDT", orderId=row["orderId"])
            assert {name: row.get(name) for name in TERMS} == {name: known.get(name) for name in TERMS}
        assert {row["orderListId"] > 0 for row in rows[-2:]} == {True}
        assert len({tuple(row.get(name) for name in TERMS[8:12]) for row in rows}) >= 5
    run(tmp_path, postgres.database(), story)


def test_ranges(tmp_path, postgres):
    async def story(venue: Running, alice: RestClient, bob: RestClient) -> None:
        orders = [await trade(alice, bob, quantity="0.2") for _ in range(4)]
        await asyncio.sleep(0.005)
        await trade(bob, alice, quantity="0.2")

        async def ids(**params: object) -> list[int]:
            return [row["id"] for row in await alice.ok("GET", "myTrades", symbol="BTCUSDT", **params)]
        last = orders[-1]["time"]
        assert await ids() == [1, 2, 3, 4, 5]
        assert await ids(limit=2) == [4, 5]
        assert await ids(fromId=2, limit=2) == [2, 3]
        assert await ids(orderId=orders[2]["alice"]) == [3]
        assert await ids(orderId=orders[2]["bob"]) == []
        assert await ids(startTime=orders[0]["time"], limit=3) == [1, 2, 3]
        assert await ids(endTime=last) == [1, 2, 3, 4]
        assert await ids(endTime=last, limit=2) == [3, 4]
        assert await ids(startTime=last + 1) == [5]
        assert await ids(startTime=(last + 1) * 1000, endTime=(last + 10_000) * 1000) == [5]
        assert await ids(startTime=last - 86_400_000, endTime=last) == [1, 2, 3, 4]
        assert await ids(startTime=2**63 - 1) == []
        assert await ids(limit=2**62) == [1, 2, 3, 4, 5]
    run(tmp_path, postgres.database(), story)


BAD_RANGES = [
    ({"limit": "0"}, -1130), ({"limit": "-1"}, -1100), ({"limit": "１"}, -1100), ({"limit": ""}, -1100),
    ({"limit": str(2**63)}, -1130), ({"limit": "9" * 21}, -1100), ({"fromId": "x"}, -1100), ({"orderId": "1.0"}, -1100),
    ({"orderId": "1 OR 1=1"}, -1100), ({"symbol": "'; DROP TABLE trade"}, -1121), ({"symbol": ""}, -1102),
    ({"startTime": 1, "endTime": 86_400_003}, -1127), ({"startTime": 2, "endTime": 1}, -1130),
    ({"fromId": 1, "startTime": 1}, -1128),
]


def test_bad_ranges(tmp_path, postgres):
    async def story(venue: Running, alice: RestClient, bob: RestClient) -> None:
        for params, code in BAD_RANGES:
            answer = await alice.error("GET", "myTrades", **({"symbol": "BTCUSDT"} | params))
            assert answer[:2] == (400, code), params
    run(tmp_path, postgres.database(), story)


def test_postgres_stops_and_starts_again(tmp_path, postgres):
    async def story(venue: Running, alice: RestClient, bob: RestClient) -> None:
        await trade(alice, bob)
        assert len(await alice.ok("GET", "myTrades", symbol="BTCUSDT")) == 1
        await asyncio.to_thread(postgres.stop)
        try:
            assert (await alice.error("GET", "myTrades", symbol="BTCUSDT"))[:2] == (503, -1001)
            assert (await alice.error("GET", "trades", public=True, symbol="BTCUSDT"))[:2] == (503, -1001)
            await trade(alice, bob)
        finally:
            await asyncio.to_thread(postgres.start)

        async def back() -> bool:
            return (await alice.call("GET", "myTrades", symbol="BTCUSDT")).status_code == 200
        await until_answer(back)
        assert len(await alice.ok("GET", "myTrades", symbol="BTCUSDT")) == 2
    run(tmp_path, postgres.database(), story, ledger={"retry_seconds_max": 0.1})


def test_a_ledger_that_stands_still_does_not_hold_the_answer(tmp_path, postgres):
    sections = {"postgres": {"dsn": postgres.database()}, "rest": {"history_lag_seconds_max": 0.3}}

    async def main() -> None:
        async with running(tmp_path, **sections) as venue:
            await furnish(venue)
            config = venue.server.venue.config
            async with rest(config) as port:
                async with RestClient(port, venue.keys[ALICE]) as alice, RestClient(port, venue.keys[BOB]) as bob:
                    async with ledger(config) as task:
                        await reached(config.postgres.dsn, venue.core.seq, check_task(task))
                        await trade(alice, bob)
                        await reached(config.postgres.dsn, venue.core.seq, check_task(task))
                        assert len(await alice.ok("GET", "myTrades", symbol="BTCUSDT")) == 1
                    await trade(alice, bob)
                    started = time.monotonic()
                    assert len(await alice.ok("GET", "myTrades", symbol="BTCUSDT")) == 1
                    assert time.monotonic() - started >= 0.3
    uvloop.run(main())
