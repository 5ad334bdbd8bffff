"""exchangeInfo: one whole row, selections, and that its filters are the ones that are enforced."""
import asyncio
from pathlib import Path

from tests.gateway.running import ALICE, Client, Running, furnish, limit, running


def story(test):
    def run_it(tmp_path: Path) -> None:
        async def run() -> None:
            async with running(tmp_path / "data") as venue:
                await furnish(venue)
                await venue.ok(
                    0, "admin.instrument", instrument=2, symbol="STOCK", base_asset="BTC", quote_asset="USDT",
                    lot_value=10**8, tick_value=10**6, max_lots=1000, max_ticks=10**6, status=1)
                async with venue.client(ALICE) as alice:
                    await test(venue, alice)
        asyncio.run(run())
    return run_it


@story
async def test_a_row(venue: Running, alice: Client) -> None:
    info = await alice.ok("exchangeInfo", signed=False, symbol="BTCUSDT")
    assert list(info) == ["timezone", "serverTime", "rateLimits", "exchangeFilters", "symbols"]
    sizes = {"minQty": "0.00010000", "maxQty": "10000.00000000", "stepSize": "0.00010000"}
    assert info["symbols"] == [{
        "symbol": "BTCUSDT", "status": "TRADING", "baseAsset": "BTC", "baseAssetPrecision": 8, "quoteAsset": "USDT",
        "quotePrecision": 8, "quoteAssetPrecision": 8, "baseCommissionPrecision": 8, "quoteCommissionPrecision": 8,
        "orderTypes": [
            "LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT"],
        "icebergAllowed": True, "ocoAllowed": True,
        "otoAllowed": True, "opoAllowed": False, "quoteOrderQtyMarketAllowed": True, "allowTrailingStop": True,
        "cancelReplaceAllowed": True, "amendAllowed": True, "pegInstructionsAllowed": False,
        "isSpotTradingAllowed": True, "isMarginTradingAllowed": False,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "0.01000000", "maxPrice": "10000000.00000000",
             "tickSize": "0.01000000"},
            {"filterType": "LOT_SIZE", **sizes}, {"filterType": "MARKET_LOT_SIZE", **sizes},
            {"filterType": "NOTIONAL", "minNotional": "10.00000000", "applyMinToMarket": False,
             "maxNotional": "92233720368.54775807", "applyMaxToMarket": False, "avgPriceMins": 0},
            {"filterType": "ICEBERG_PARTS", "limit": 100},
            {"filterType": "TRAILING_DELTA", "minTrailingAboveDelta": 10, "maxTrailingAboveDelta": 2000,
             "minTrailingBelowDelta": 10, "maxTrailingBelowDelta": 2000}],
        "permissions": ["SPOT"], "permissionSets": [["SPOT"]], "defaultSelfTradePreventionMode": "NONE",
        "allowedSelfTradePreventionModes": [
            "NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT"]}]


@story
async def test_selections(venue: Running, alice: Client) -> None:
    async def symbols(**params: object) -> list[str]:
        return [row["symbol"] for row in (await alice.ok("exchangeInfo", signed=False, **params))["symbols"]]

    assert await symbols() == ["BTCUSDT", "STOCK"]
    assert await symbols(symbols=["STOCK", "BTCUSDT"]) == ["STOCK", "BTCUSDT"]
    assert await symbols(symbols='["STOCK"]') == ["STOCK"]
    assert await symbols(symbolStatus="CANCEL_ONLY") == ["STOCK"]
    assert await symbols(permissions="SPOT") == ["BTCUSDT", "STOCK"]
    assert await symbols(permissions=["MARGIN"]) == []
    short = (await alice.ok("exchangeInfo", signed=False, symbol="STOCK", showPermissionSets=False))["symbols"]
    assert [row["permissionSets"] for row in short] == [[]]
    for params, code in (({"symbol": "X"}, -1121), ({"symbols": ["X"]}, -1121), ({"symbols": "X"}, -1135),
                         ({"symbols": ["STOCK", "STOCK"]}, -1151), ({"symbol": "STOCK", "permissions": "SPOT"}, -1128),
                         ({"symbolStatus": "OPEN"}, -1130), ({"symbols": [1]}, -1135)):
        assert (await alice.error("exchangeInfo", signed=False, **params))[:2] == (400, code), params


@story
async def test_filters_are_enforced_and_no_tighter(venue: Running, alice: Client) -> None:
    (row,) = (await alice.ok("exchangeInfo", signed=False, symbol="BTCUSDT"))["symbols"]
    price, lot, _, notional, *_ = row["filters"]
    for allowed in ((price["minPrice"], "1000"), (price["maxPrice"], "0.001"), ("100000", lot["minQty"]),
                    ("0.01", lot["maxQty"]), ("10", "1")):
        assert await alice.ok("order.test", **limit("BUY", *allowed)) == {}
        assert (await alice.call("order.place", **limit("BUY", *allowed)))["status"] == 200
        await alice.ok("openOrders.cancelAll", symbol="BTCUSDT")
    for refused, name in (("0.005", "1000"), "PRICE_FILTER"), (("10000000.01", "1"), "PRICE_FILTER"), \
            (("100000", "0.00005"), "LOT_SIZE"), (("1", "10000.0001"), "LOT_SIZE"), (("9.99", "1"), "NOTIONAL"):
        for method in ("order.place", "order.test"):
            assert await alice.error(method, **limit("BUY", *refused)) == (400, -1013, f"Filter failure: {name}")
    assert notional["minNotional"] == "10.00000000"
