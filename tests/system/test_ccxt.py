"""The README's bots, taken from the README, run by an unmodified ccxt against a demo venue."""
import os
import re
import sys
from pathlib import Path

import ccxt
import pytest

from buttonwood.embedded import temporary_data_dir
from tests.system.processes import finished
from tests.system.running_venue import RunningVenue

README = Path(__file__).parents[2] / "README.md"
BOTS = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
LINES_MAX = 10


@pytest.fixture(scope="module")
def venue():
    with temporary_data_dir() as path, RunningVenue(path / "venue", "--demo") as venue:
        yield venue


def run(bot: str, venue: RunningVenue) -> str:
    """Run it as it stands; its output."""
    done = finished([sys.executable, "-c", bot], env=os.environ | venue.words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def client(venue: RunningVenue, **options: object) -> ccxt.binance:
    exchange = ccxt.binance({"apiKey": venue.words["key"], "secret": venue.words["secret"], "enableRateLimit": False,
                             **options})
    urls = exchange.urls["api"]
    exchange.urls["api"] = {name: venue.words["rest"] + "/" + url.split("/", 3)[3] for name, url in urls.items()}
    return exchange


def test_the_readme_has_a_short_bot_for_rest_and_one_for_websocket():
    assert ["ccxt.pro" in bot for bot in BOTS] == [False, True]
    assert all(len(bot.splitlines()) <= LINES_MAX for bot in BOTS)


@pytest.mark.parametrize("bot", BOTS, ids=["rest", "pro"])
def test_the_readmes_bot_fills_one_order_and_cancels_another(bot, venue):
    output = run(bot, venue)
    assert "closed" in output and "canceled" in output
    assert client(venue).fetch_open_orders("BTC/USDT") == []


def test_markets_are_what_the_demo_says(venue):
    markets = client(venue).load_markets()
    assert sorted(markets) == ["AAPL/USDT", "BTC/USDT", "ETH/USDT"]
    assert (markets["AAPL/USDT"]["precision"]["price"], markets["AAPL/USDT"]["precision"]["amount"]) == (0.01, 1.0)
    assert markets["BTC/USDT"]["limits"]["amount"] == {"min": 0.00001, "max": 9000.0}


def test_a_fill_is_in_the_books_and_the_money_adds_up(venue):
    exchange = client(venue)
    before = exchange.fetch_balance()
    order = exchange.create_order("ETH/USDT", "market", "buy", 1)
    after = exchange.fetch_balance()
    fee = sum(each["cost"] for each in order["fees"] or [order["fee"]])
    assert order["status"] == "closed" and order["filled"] == 1
    assert after["ETH"]["total"] - before["ETH"]["total"] == pytest.approx(1 - fee, abs=1e-8)
    assert before["USDT"]["total"] - after["USDT"]["total"] == pytest.approx(order["cost"], abs=1e-6)
    assert fee == pytest.approx(0.001, abs=1e-8)


def test_errors_become_ccxts_own(venue):
    exchange = client(venue)
    with pytest.raises(ccxt.InsufficientFunds):
        exchange.create_order("BTC/USDT", "limit", "buy", 1000, 50000)
    with pytest.raises(ccxt.OrderNotFound):
        exchange.cancel_order("999999999", "BTC/USDT")
    with pytest.raises(ccxt.OrderImmediatelyFillable):
        exchange.create_order("BTC/USDT", "limit", "buy", 0.001, 100000, {"postOnly": True})
    with pytest.raises(ccxt.AuthenticationError):
        client(venue, secret="not the secret").fetch_balance()
