"""order.placeBatch and order.cancelBatch: each element answered by itself, all in one frame, also over HTTP."""
import json
from typing import Any

import pytest

from tests.gateway.rest_kit import RestClient, rest
from tests.gateway.running import ALICE, Client, Running, limit
from tests.gateway.test_orders import venue_test

BTC = {"symbol": "BTCUSDT"}


def listed(*orders: dict[str, Any]) -> str:
    return json.dumps(orders, separators=(",", ":"))


@venue_test
async def test_each_is_answered_in_its_place(venue: Running, alice: Client, bob: Client) -> None:
    await bob.ok("order.place", **limit("SELL", "50000", "0.1"))
    before = venue.server.venue.engine.seq
    answers = await alice.ok("order.placeBatch", orders=listed(
        limit("BUY", "49000", "0.1", newClientOrderId="a"), limit("BUY", "0.001", "0.1"),
        limit("BUY", "49000", "0.1", newClientOrderId="a"), limit("BUY", "50000", "0.1", newOrderRespType="RESULT"),
        limit("BUY", "50000", "900"), {"symbol": "NOPE"}))
    assert [row.get("status", row.get("code")) for row in answers] == ["NEW", -1013, -2010, "FILLED", -2010, -1121]
    assert answers[2]["msg"] == "Duplicate order sent." and "fills" not in answers[3]
    assert venue.server.venue.engine.seq == before + 4, "what has a wrong shape never reaches the engine"
    times = {row["transactTime"] for row in answers if "transactTime" in row}
    assert len(times) == 1, "one frame has one time"
    gone = await alice.ok("order.cancelBatch", orders=listed(
        {**BTC, "origClientOrderId": "a"}, {**BTC, "orderId": 1}, {**BTC, "origClientOrderId": "a"}))
    assert [row.get("status", row.get("code")) for row in gone] == ["CANCELED", -2011, -2011]


@venue_test
async def test_batches_among_other_requests_keep_the_order(venue: Running, alice: Client, bob: Client) -> None:
    sent = []
    for number in range(30):
        sent.append(await alice.send("order.place", **limit("BUY", "40000", "0.01", newClientOrderId=f"p{number}")))
        sent.append(await alice.send("order.placeBatch", orders=listed(
            *(limit("BUY", "41000", "0.01", newClientOrderId=f"b{number}-{each}") for each in range(number % 4)),
            {"symbol": "NOPE"})))
        sent.append(await alice.send("order.cancelBatch", orders=listed({**BTC, "origClientOrderId": f"p{number}"})))
        sent.append(await alice.send("openOrders.status", **BTC))
    replies = [await alice.reply() for _ in sent]
    assert [row["id"] for row in replies] == sent and {row["status"] for row in replies} == {200}
    assert [len(row["result"]) for row in replies[1::4]] == [number % 4 + 1 for number in range(30)]
    assert all(row["result"][0]["status"] == "CANCELED" for row in replies[2::4])
    assert len(replies[-1]["result"]) == sum(number % 4 for number in range(30))


@venue_test
async def test_what_is_no_list_of_orders(venue: Running, alice: Client, bob: Client) -> None:
    before = venue.core.state_hash()
    for orders in ("", "[]", "{}", "null", "x", "[1]", "[[]]", listed({"apiKey": "x", **limit("BUY", "50000", "0.1")}),
                   listed(*[limit("BUY", "50000", "0.1")] * 51), "[" * 2000):
        assert (await alice.error("order.placeBatch", orders=orders))[1] in (-1102, -1130), orders[:50]
    assert (await alice.error("order.placeBatch"))[1] == -1102
    assert (await alice.error("order.cancelBatch", orders=listed(BTC), foo=1))[1] == -1104
    assert (await alice.ok("order.cancelBatch", orders=listed({})))[0]["code"] == -1102
    hostile = [{"price": value} for value in ("NaN", "-1", 0, 1e30, None, [], {}, True, "1e3", "0.000000001")]
    answers = await alice.ok("order.placeBatch", orders=listed(*(limit("BUY", "1", "1") | each for each in hostile)))
    assert all(row["code"] < 0 for row in answers)
    assert venue.core.state_hash() == before


@venue_test
async def test_over_http(venue: Running, alice: Client, bob: Client) -> None:
    async with rest(venue.server.venue.config) as port, RestClient(port, venue.keys[ALICE]) as http:
        placed = await http.ok("POST", "order/batch", orders=listed(
            limit("BUY", "49000", "0.1", newClientOrderId="a"), limit("BUY", "1", "0.0001")))
        assert [row.get("status", row.get("code")) for row in placed] == ["NEW", -1013]
        gone = await http.ok("DELETE", "order/batch", orders=listed({**BTC, "origClientOrderId": "a"}))
        assert gone[0]["status"] == "CANCELED"
        assert await http.error("POST", "order/batch", orders="7") == (
            400, -1130, "Data sent for parameter 'orders' is not valid.")


@pytest.mark.parametrize("count", [1, 50])
def test_the_longest_batch_is_taken(count: int, tmp_path: Any) -> None:
    async def story(venue: Running, alice: Client, bob: Client) -> None:
        answers = await alice.ok("order.placeBatch", orders=listed(*[limit("BUY", "50000", "0.01")] * count))
        assert [row["status"] for row in answers] == ["NEW"] * count
    venue_test(story)(tmp_path)
