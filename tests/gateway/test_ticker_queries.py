"""Best and last prices over the WebSocket API."""
from tests.gateway.running import Client, Running, limit
from tests.gateway.test_orders import venue_test

NOTHING = "0.00000000"


@venue_test
async def test_best_prices_and_last_price(venue: Running, alice: Client, bob: Client) -> None:
    async def ask(method: str, **params: object) -> object:
        return await alice.ok(method, signed=False, **params)
    empty = {"symbol": "BTCUSDT", "bidPrice": NOTHING, "bidQty": NOTHING, "askPrice": NOTHING, "askQty": NOTHING}
    assert await ask("ticker.book", symbol="BTCUSDT") == empty
    assert await ask("ticker.price", symbol="BTCUSDT") == {"symbol": "BTCUSDT", "price": NOTHING}
    await alice.ok("order.place", **limit("BUY", "99", "2"))
    await alice.ok("order.place", **limit("SELL", "101", "1"))
    await bob.ok("order.place", **limit("SELL", "99", "0.5"))
    assert await ask("ticker.book", symbol="BTCUSDT") == {
        "symbol": "BTCUSDT", "bidPrice": "99.00000000", "bidQty": "1.50000000", "askPrice": "101.00000000",
        "askQty": "1.00000000"}
    last = {"symbol": "BTCUSDT", "price": "99.00000000"}
    assert await ask("ticker.price", symbol="BTCUSDT") == last
    assert await ask("ticker.price") == await ask("ticker.price", symbols=["BTCUSDT"]) == [last]
    assert len(await ask("ticker.book")) == 1


@venue_test
async def test_refusals(venue: Running, alice: Client, bob: Client) -> None:
    for params, code in (({"symbol": "X"}, -1121), ({"symbols": ["X"]}, -1121), ({"symbols": "X"}, -1135),
                         ({"symbols": ["BTCUSDT"] * 2}, -1151), ({"symbol": "BTCUSDT", "symbols": []}, -1128)):
        for method in ("ticker.book", "ticker.price"):
            assert (await alice.error(method, signed=False, **params))[:2] == (400, code), params
    candles = await alice.error("klines", signed=False, symbol="BTCUSDT", interval="1m")
    assert candles[:2] == (503, -1001)      # a REST process answers, and none runs here
