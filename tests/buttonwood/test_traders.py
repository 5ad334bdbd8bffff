"""Simulated traders: sizes the instruments accept, prices that wander without running away, and they come back."""
import asyncio
import os
import random
import signal
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from buttonwood.demo import OPENING_PRICES, demo_listing
from buttonwood.embedded import temporary_data_dir
from buttonwood.traders import INSTRUMENTS, FairPrices
from buttonwood.trading_client import TradingClient
from buttonwood.venue import Venue
from engine.config import load_config
from gateway.tls import own_client_context
from tests.support.certificate import make_certificate
from tests.support.waiting import until_answer

LISTED = {terms.symbol: terms for terms in demo_listing().instruments}


@pytest.mark.parametrize("symbol", INSTRUMENTS)
def test_quantities_fit_the_instrument(symbol):
    terms, chance = LISTED[symbol], random.Random(1)
    for _ in range(500):
        quantity = Decimal(INSTRUMENTS[symbol].quantity(chance))
        assert quantity % Decimal(terms.lot) == 0
        assert quantity * int(OPENING_PRICES[symbol]) > 2 * Decimal(terms.min_notional)


def test_fair_prices_wander_and_can_be_repeated():
    first, second = FairPrices(random.Random(7)), FairPrices(random.Random(7))
    walk = [first.step("BTCUSDT") for _ in range(50_000)]
    assert walk == [second.step("BTCUSDT") for _ in range(50_000)]
    opening = int(OPENING_PRICES["BTCUSDT"]) * 100
    assert len(set(walk)) > 1000 and all(0.98 * opening < price < 1.02 * opening for price in walk)


async def last_trade(venue: Venue) -> int:
    """Number of the newest trade in BTCUSDT; -1 while the exchange is away."""
    try:
        async with TradingClient(venue.addresses.orders, tls=own_client_context(venue.config.tls)) as client:
            trades = await client.call("trades.recent", symbol="BTCUSDT", limit=1)
    except OSError:
        return -1
    return int(trades[-1]["id"]) if trades else 0


def test_they_trade_over_tls():
    """A demo venue with a certificate was never ready: its traders spoke without TLS."""
    async def story(data_dir: Path) -> None:
        ports = {name: {"port": 0} for name in ("rest", "exchange", "feed")}
        config = load_config(data_dir=str(data_dir / "venue"), journal={"segment_bytes": 2**22},
                             limits={"shutdown_notice_seconds": 0}, **ports)
        tls = make_certificate(data_dir)
        async with Venue(replace(config, tls=tls), demo=True) as venue:
            assert venue.addresses.orders.startswith("wss://")

            async def some() -> bool:
                return await last_trade(venue) > 0
            await until_answer(some)

    with temporary_data_dir() as path:
        asyncio.run(story(path))


def test_they_trade_on_after_the_exchange_was_killed():
    async def story(data_dir: Path) -> None:
        ports = {name: {"port": 0} for name in ("rest", "exchange", "feed")}
        config = load_config(data_dir=str(data_dir), journal={"segment_bytes": 2**22},
                             limits={"shutdown_notice_seconds": 0}, **ports)
        async with Venue(config, demo=True) as venue:
            before = await last_trade(venue)
            os.kill(venue.process_id("exchange"), signal.SIGKILL)

            async def more() -> bool:
                return await last_trade(venue) > before + 10
            await until_answer(more)

    with temporary_data_dir() as path:
        asyncio.run(story(path))
