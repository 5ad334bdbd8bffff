"""An unmodified ccxt with default options trades over REST: only the host is another."""
import asyncio
from pathlib import Path
from typing import Any

import ccxt
import pytest
import uvloop

from gateway.keys import NewKey, make_key
from tests.gateway.rest_kit import rest
from tests.gateway.running import ALICE, BOB, furnish, running


def client(port: int, key: NewKey) -> Any:
    host = f"http://127.0.0.1:{port}"
    paths = {"public": "/api/v3", "private": "/api/v3", "sapi": "/sapi/v1",
             "fapiPublic": "/fapi/v1", "dapiPublic": "/dapi/v1"}
    return ccxt.binance({
        "apiKey": key.api_key, "secret": key.secret, "enableRateLimit": False,
        "urls": {"api": {name: host + path for name, path in paths.items()}}})


def trade(port: int, mine: NewKey, other: NewKey) -> None:
    """Blocking: runs in a thread."""
    venue, maker = client(port, mine), client(port, other)
    markets = venue.load_markets()
    assert markets["BTC/USDT"]["precision"]["price"] == 0.01 and markets["BTC/USDT"]["spot"]
    maker.load_markets()
    sell = maker.create_order("BTC/USDT", "limit", "sell", 2, 101)
    assert venue.fetch_order_book("BTC/USDT")["asks"] == [[101.0, 2.0]]
    assert venue.fetch_bids_asks(["BTC/USDT"])["BTC/USDT"]["ask"] == 101
    resting = venue.create_order("BTC/USDT", "limit", "buy", 1.5, 99.5)
    assert resting["status"] == "open"
    bought = venue.create_order("BTC/USDT", "market", "buy", 0.5)
    assert (bought["status"], bought["average"], bought["filled"]) == ("closed", 101.0, 0.5)
    balance = venue.fetch_balance()
    assert (balance["USDT"]["used"], balance["BTC"]["free"]) == (149.25, 10.4990)
    assert [order["id"] for order in venue.fetch_open_orders("BTC/USDT")] == [resting["id"]]
    assert maker.fetch_order(sell["id"], "BTC/USDT")["remaining"] == 1.5
    edited = venue.edit_order(resting["id"], "BTC/USDT", "limit", "buy", 1, 99)
    assert (edited["status"], edited["price"], edited["id"] != resting["id"]) == ("open", 99.0, True)
    with pytest.raises(ccxt.ExchangeError, match="-2022"):
        venue.edit_order(resting["id"], "BTC/USDT", "limit", "buy", 1, 99)
    resting = edited
    stop = venue.create_order("BTC/USDT", "limit", "buy", 1, 103, {"stopLossPrice": 102})
    assert (stop["stopPrice"], stop["status"]) == (102.0, "open")
    assert venue.fetch_order(stop["id"], "BTC/USDT")["triggerPrice"] == 102.0
    assert venue.cancel_order(stop["id"], "BTC/USDT")["status"] == "canceled"
    with pytest.raises(ccxt.OrderImmediatelyFillable):
        venue.create_order("BTC/USDT", "market", "buy", 1, None, {"stopLossPrice": 100})
    prevented = venue.create_order("BTC/USDT", "limit", "sell", 1, 99, {"selfTradePrevention": "EXPIRE_TAKER"})
    assert (prevented["status"], prevented["filled"]) == ("expired", 0.0)
    assert venue.cancel_order(resting["id"], "BTC/USDT")["status"] == "canceled"
    maker.cancel_all_orders("BTC/USDT")
    assert maker.fetch_open_orders("BTC/USDT") == []
    assert venue.fetch_status()["status"] == "ok"
    assert venue.fetch_trading_fees()["BTC/USDT"]["taker"] == 0.002
    refused(venue)


def refused(venue: Any) -> None:
    with pytest.raises(ccxt.InsufficientFunds):
        venue.create_order("BTC/USDT", "limit", "buy", 9000, 200)
    with pytest.raises(ccxt.OrderNotFound):
        venue.cancel_order("999999999", "BTC/USDT")
    with pytest.raises(ccxt.OrderNotFound):
        venue.fetch_order("999999999", "BTC/USDT")
    venue.create_order("BTC/USDT", "limit", "sell", 1, 90)
    with pytest.raises(ccxt.OrderImmediatelyFillable):
        venue.create_order("BTC/USDT", "limit", "buy", 1, 95, {"postOnly": True})
    with pytest.raises(ccxt.AuthenticationError):
        client_with_wrong_secret(venue).fetch_balance()


def client_with_wrong_secret(venue: Any) -> Any:
    return ccxt.binance({"apiKey": venue.apiKey, "secret": "wrong", "urls": {"api": venue.urls["api"]},
                         "options": {"fetchCurrencies": False}})


@pytest.mark.parametrize("kind", ["hmac", "ed25519"])
def test_ccxt_trades(tmp_path: Path, kind: str) -> None:
    async def main() -> None:
        async with running(tmp_path) as venue:
            await furnish(venue, maker_fee_ppm=1000, taker_fee_ppm=2000)
            key = make_key(venue.server.venue.config.paths.keys, ALICE, kind)
            async with rest(venue.server.venue.config) as port:
                await asyncio.to_thread(trade, port, key, venue.keys[BOB])
            venue.core.check()
    uvloop.run(main())
