"""REST against a running exchange: shapes, signatures, headers, and each refusal with its status, code and text."""
import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import uvloop

from engine.config import load_config
from gateway.auth import sign
from gateway.keys import make_key
from tests.gateway.rest_kit import FORM, RestClient, rest, signed
from tests.gateway.running import ALICE, BOB, CAROL, Running, furnish, limit, running
from tests.support.waiting import STORY_SECONDS_MAX, until_answer

Story = Callable[[Running, RestClient, RestClient], Awaitable[None]]
NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"


def run(folder: Path, story: Story) -> None:
    """Tell a story to a furnished venue with REST before it, and two customers."""
    async def main() -> None:
        async with running(folder, postgres={"dsn": NOWHERE}) as venue:
            await furnish(venue, maker_fee_ppm=1000, taker_fee_ppm=2000)
            async with rest(venue.server.venue.config) as port:
                async with RestClient(port, venue.keys[ALICE]) as alice, RestClient(port, venue.keys[BOB]) as bob:
                    async with asyncio.timeout(STORY_SECONDS_MAX):
                        await story(venue, alice, bob)
            venue.core.check()
    uvloop.run(main())


def test_public_routes(tmp_path):
    async def story(venue: Running, alice: RestClient, bob: RestClient) -> None:
        assert await alice.ok("GET", "ping", public=True) == {}
        assert abs((await alice.ok("GET", "time", public=True))["serverTime"] - time.time() * 1000) < 5000
        info = await alice.ok("GET", "exchangeInfo", public=True)
        for selection in ({"symbol": "BTCUSDT"}, {"symbols": '["BTCUSDT"]'}):
            assert (await alice.ok("GET", "exchangeInfo", public=True, **selection))["symbols"] == info["symbols"]
        assert info["symbols"][0]["filters"][0]["filterType"] == "PRICE_FILTER"
        for price, quantity in (("100.00", "2"), ("99.00", "1"), ("100.00", "0.5")):
            await alice.ok("POST", "order", **limit("BUY", price, quantity))
        await bob.ok("POST", "order", **limit("SELL", "101", "3"))
        depth = await alice.ok("GET", "depth", public=True, symbol="BTCUSDT", limit=5)
        assert depth["bids"] == [["100.00000000", "2.50000000"], ["99.00000000", "1.00000000"]]
        assert depth["asks"] == [["101.00000000", "3.00000000"]]
        assert depth["lastUpdateId"] == venue.core.update_id(1)
        orders = await alice.ok("GET", "depth/l3", public=True, symbol="BTCUSDT", limit=2)
        assert [[price, qty] for price, qty, _ in orders["bids"]] == [
            ["100.00000000", "2.00000000"], ["100.00000000", "0.50000000"]]
        assert orders["bids"][0][2] < orders["bids"][1][2] and orders["lastUpdateId"] == depth["lastUpdateId"]
        best = {"symbol": "BTCUSDT", "bidPrice": "100.00000000", "bidQty": "2.50000000",
                "askPrice": "101.00000000", "askQty": "3.00000000"}
        assert await alice.ok("GET", "ticker/bookTicker", public=True, symbol="BTCUSDT") == best
        assert await alice.ok("GET", "ticker/bookTicker", public=True) == [best]
        assert await alice.ok("GET", "ticker/bookTicker", public=True, symbols='["BTCUSDT"]') == [best]
    run(tmp_path, story)


def test_an_order_lives_and_dies(tmp_path):
    async def story(venue: Running, alice: RestClient, bob: RestClient) -> None:
        assert await alice.ok("POST", "order/test", **limit("BUY", "100", "1")) == {}
        placed = await alice.ok("POST", "order", **limit("BUY", "100", "1", newClientOrderId="mine"))
        assert (placed["status"], placed["clientOrderId"], placed["fills"]) == ("NEW", "mine", [])
        number = placed["orderId"]
        assert (await alice.ok("GET", "order", symbol="BTCUSDT", orderId=number))["status"] == "NEW"
        assert (await alice.ok("GET", "order", symbol="BTCUSDT", origClientOrderId="mine"))["orderId"] == number
        assert [row["orderId"] for row in await alice.ok("GET", "openOrders")] == [number]
        assert await bob.ok("GET", "openOrders", symbol="BTCUSDT") == []
        locked = {row["asset"]: row["locked"] for row in (await alice.ok("GET", "account"))["balances"]}
        assert locked == {"BTC": "0.00000000", "USDT": "100.00000000"}
        amended = await alice.ok(
            "PUT", "order/amend/keepPriority", symbol="BTCUSDT", orderId=number, newQty="0.5")
        assert amended["amendedOrder"]["qty"] == "0.50000000"
        filled = await bob.ok("POST", "order", symbol="BTCUSDT", side="SELL", type="MARKET", quantity="0.2")
        assert filled["fills"] == [{
            "price": "100.00000000", "qty": "0.20000000", "commission": "0.04000000", "commissionAsset": "USDT",
            "tradeId": 1}]
        gone = await alice.ok("DELETE", "order", symbol="BTCUSDT", orderId=number, newClientOrderId="bye")
        assert (gone["status"], gone["clientOrderId"], gone["origClientOrderId"], gone["executedQty"]) == (
            "CANCELED", "bye", "mine", "0.20000000")
        await alice.ok("POST", "order", **limit("BUY", "90", "1"))
        await alice.ok("POST", "order", **limit("BUY", "91", "1"))
        assert len(await alice.ok("DELETE", "openOrders", symbol="BTCUSDT")) == 2
        assert await alice.error("DELETE", "openOrders", symbol="BTCUSDT") == (400, -2011, "Unknown order sent.")
        assert venue.core.balance(ALICE, 2) == (99_998_000_000_000, 0)
    run(tmp_path, story)


@pytest.mark.parametrize("answer", ["ACK", "RESULT", "FULL"])
def test_response_types(tmp_path, answer):
    async def story(venue: Running, alice: RestClient, bob: RestClient) -> None:
        placed = await alice.ok("POST", "order", **limit("BUY", "100", "1", newOrderRespType=answer))
        assert ("status" in placed, "fills" in placed) == (answer != "ACK", answer == "FULL")
    run(tmp_path, story)


def test_where_parameters_may_stand(tmp_path):
    async def story(venue: Running, alice: RestClient, bob: RestClient) -> None:
        async def post(query: str, body: str) -> dict[str, object]:
            signature = sign(alice.key.secret, (query + body).encode())
            answer = await alice.http.post(
                f"/api/v3/order?{query}", content=f"{body}&signature={signature}" if body else "",
                params=None, headers={"X-MBX-APIKEY": alice.key.api_key} | FORM)
            assert answer.status_code == 200, answer.text
            return answer.json()
        form = signed(alice.key, limit("BUY", "100", "1")).partition("&signature=")[0]
        first, _, second = form.partition("&type=")
        assert (await post(first, f"type={second}"))["price"] == "100.00000000"
        assert (await post("", form))["price"] == "100.00000000"
        assert (await post("price=90", form))["price"] == "90.00000000", "the query wins"
        whole = signed(alice.key, limit("BUY", "100", "1"))
        key = {"X-MBX-APIKEY": alice.key.api_key}
        assert (await alice.http.post(f"/api/v3/order?{whole}", headers=key)).status_code == 200
        gone = await alice.http.request(
            "DELETE", "/api/v3/openOrders", content=signed(alice.key, {"symbol": "BTCUSDT"}), headers=key | FORM)
        assert len(gone.json()) == 4
    run(tmp_path, story)


def test_ed25519_key(tmp_path):
    async def story(venue: Running, alice: RestClient, bob: RestClient) -> None:
        alice.key = make_key(venue.server.venue.config.paths.keys, CAROL, "ed25519")

        async def known() -> bool:      # keys are read again now and then
            return (await alice.call("GET", "account")).status_code != 401
        await until_answer(known)
        assert (await alice.ok("GET", "account"))["uid"] == CAROL
    run(tmp_path, story)


def test_microseconds(tmp_path):
    async def story(venue: Running, alice: RestClient, bob: RestClient) -> None:
        for unit, digits in (("MICROSECOND", 16), ("microsecond", 16), ("MILLISECOND", 13)):
            headers = {"X-MBX-TIME-UNIT": unit}
            assert len(str((await alice.ok("GET", "time", public=True, headers=headers))["serverTime"])) == digits
            placed = await alice.ok("POST", "order", headers=headers, **limit("BUY", "100", "1"))
            assert len(str(placed["transactTime"])) == digits
        assert (await alice.error("GET", "time", public=True, headers={"X-MBX-TIME-UNIT": "HOUR"}))[:2] == (400, -1194)
    run(tmp_path, story)


def test_headers_count(tmp_path):
    async def story(venue: Running, alice: RestClient, bob: RestClient) -> None:
        first = await alice.call("GET", "depth", public=True, symbol="BTCUSDT", limit=5000)
        second = await alice.call("POST", "order", **limit("BUY", "100", "1"))
        refused = await alice.call("POST", "order", **limit("BUY", "100", "1", symbol="NONE"))
        third = await bob.call("POST", "order", **limit("BUY", "100", "1"))
        weights = [int(reply.headers["x-mbx-used-weight-1m"]) for reply in (first, second, refused, third)]
        if weights == sorted(weights):   # no new minute began in between
            assert [later - weights[0] for later in weights] == [0, 1, 2, 3] and weights[0] >= 250
        assert second.headers["x-mbx-order-count-1d"] == "1" and second.headers["x-mbx-order-count-10s"] == "1"
        assert "x-mbx-order-count-1d" not in refused.headers
        assert third.headers["x-mbx-order-count-1d"] == "1", "counted per account"
        assert (await alice.call("POST", "order", **limit("BUY", "9", "2"))).headers["x-mbx-order-count-1d"] == "2"
    run(tmp_path, story)


def test_refusals(tmp_path):
    async def story(venue: Running, alice: RestClient, bob: RestClient) -> None:
        order = limit("BUY", "100", "1")
        await alice.ok("POST", "order", **limit("SELL", "200", "1", newClientOrderId="taken"))
        cases = [
            (("GET", "depth", {"public": True}), 400, -1102,
             "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."),
            (("GET", "depth", {"public": True, "symbol": "NONE"}), 400, -1121, "Invalid symbol."),
            (("POST", "order", {**order, "symbol": "btcusdt"}), 400, -1121, "Invalid symbol."),
            (("POST", "order", {**order, "side": "HOLD"}), 400, -1117, "Invalid side."),
            (("POST", "order", {**order, "type": "STOP"}), 400, -1116, "Invalid orderType."),
            (("POST", "order", {**order, "timeInForce": "GTX"}), 400, -1115, "Invalid timeInForce."),
            (("POST", "order", {**order, "quantity": "0.00001"}), 400, -1013, "Filter failure: LOT_SIZE"),
            (("POST", "order", {**order, "price": "100.001"}), 400, -1013, "Filter failure: PRICE_FILTER"),
            (("POST", "order", {**order, "quantity": "0.01"}), 400, -1013, "Filter failure: NOTIONAL"),
            (("POST", "order", {**order, "quantity": "9999", "price": "150"}), 400, -2010,
             "Account has insufficient balance for requested action."),
            (("POST", "order", {**order, "newClientOrderId": "taken"}), 400, -2010, "Duplicate order sent."),
            (("POST", "order", {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT_MAKER", "price": "200",
                                "quantity": "1"}), 400, -2010, "Order would immediately match and take."),
            (("GET", "order", {"symbol": "BTCUSDT", "orderId": 10**15}), 400, -2013, "Order does not exist."),
            (("DELETE", "order", {"symbol": "BTCUSDT", "orderId": 10**15}), 400, -2011, "Unknown order sent."),
            (("DELETE", "order", {"symbol": "BTCUSDT"}), 400, -1102,
             "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!"),
            (("GET", "nowhere", {}), 404, -1020, "This operation is not supported: no such path."),
            (("PUT", "order", {}), 405, -1020, "This operation is not supported: the path has no such method."),
        ]
        for (verb, path, params), *expected in cases:
            assert list(await alice.error(verb, path, **params)) == expected, (verb, path, params)
        assert await bob.ok("GET", "openOrders") == []
    run(tmp_path, story)


def test_unsigned_and_badly_signed(tmp_path):
    async def story(venue: Running, alice: RestClient, bob: RestClient) -> None:
        form = signed(alice.key, limit("BUY", "100", "1"))
        key = {"X-MBX-APIKEY": alice.key.api_key}
        old = f"timestamp={int(time.time() * 1000) - 6000}"
        ahead = f"timestamp={int(time.time() * 1000) + 60000}"
        cases = [
            (form, {}, 401, -2014), (form, {"X-MBX-APIKEY": "not a key"}, 401, -2014),
            (form, {"X-MBX-APIKEY": "x" * 64}, 401, -2015), (form, {"X-MBX-APIKEY": bob.key.api_key}, 400, -1022),
            (form.partition("&signature=")[0], key, 400, -1102), (form + "&price=1", key, 400, -1101),
            (form.replace("price=100", "price=101"), key, 400, -1022),
            (form.replace("price=100", "price=%31%30%30"), key, 400, -1022),
            ("&".join(reversed(form.split("&"))), key, 400, -1022), ("signature=x", key, 400, -1102),
            (f"{old}&signature={sign(alice.key.secret, old.encode())}", key, 400, -1021),
            (f"{ahead}&signature={sign(alice.key.secret, ahead.encode())}", key, 400, -1021),
        ]
        for body, headers, status, code in cases:
            answer = await alice.http.post("/api/v3/order", content=body, headers=headers | FORM)
            assert (answer.status_code, answer.json()["code"]) == (status, code), (body, answer.text)
        assert await alice.ok("GET", "openOrders") == []
    run(tmp_path, story)


def test_options_and_methods_that_a_path_has_not(tmp_path):
    async def story(venue: Running, alice: RestClient, bob: RestClient) -> None:
        for path, allowed in (("order", "DELETE, GET, OPTIONS, POST"), ("ping", "GET, OPTIONS")):
            answer = await alice.http.request("OPTIONS", f"/api/v3/{path}")
            assert (answer.status_code, answer.headers["allow"], answer.content) == (204, allowed, b"")
            for verb in ("PATCH", "TRACE", "HEAD"):
                answer = await alice.http.request(verb, f"/api/v3/{path}")
                assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
    run(tmp_path, story)


def test_compatibility_routes(tmp_path):
    async def story(venue: Running, alice: RestClient, bob: RestClient) -> None:
        for path in ("/sapi/v1/capital/config/getall", "/sapi/v1/margin/allPairs", "/sapi/v1/margin/isolated/allPairs"):
            assert await alice.ok("GET", path) == []
        for path in ("/fapi/v1/exchangeInfo", "/dapi/v1/exchangeInfo"):
            assert (await alice.ok("GET", path, public=True))["symbols"] == []
        assert await alice.ok("GET", "/sapi/v1/system/status", public=True) == {"status": 0, "msg": "normal"}
        assert (await alice.error("GET", "/sapi/v1/asset/tradeFee", public=True))[1] == -1102
    run(tmp_path, story)


def test_postgres_away(tmp_path):
    async def story(venue: Running, alice: RestClient, bob: RestClient) -> None:
        for verb, path, params in (("GET", "trades", {"public": True}), ("GET", "myTrades", {}),
                                   ("GET", "ticker/price", {"public": True})):
            assert (await alice.error(verb, path, symbol="BTCUSDT", **params))[:2] == (503, -1001)
        await alice.ok("POST", "order", **limit("BUY", "100", "1"))
    run(tmp_path, story)


def test_exchange_goes_away_and_comes_back(tmp_path):
    async def main() -> None:
        async with running(tmp_path) as venue:
            await furnish(venue)
            keys = venue.keys
        config = load_config(None, data_dir=str(tmp_path))
        async with rest(config, exchange_runs=False) as port, RestClient(port, keys[ALICE]) as alice:
            assert (await alice.error("GET", "ping", public=True))[:2] == (503, -1001)
            assert (await alice.error("POST", "order", **limit("BUY", "100", "1")))[:2] == (503, -1001)
            async with running(tmp_path):
                async def back() -> bool:
                    return (await alice.call("GET", "ping", public=True)).status_code == 200
                await until_answer(back)
                await alice.ok("POST", "order", **limit("BUY", "100", "1"))
            assert (await alice.error("GET", "openOrders"))[:2] == (503, -1001)
    uvloop.run(main())
