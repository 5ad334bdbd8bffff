"""How long after the acknowledgement of an order does a subscriber hear of its fill? Part of bench.feed.

Exchange, market-data worker, Redis and feed as they are, each a process of its own; one trader with one order in flight
at a steady pace, buy and sell in turn, and one subscriber of symbol@trade. Both ends are in this process: the time is
from the read that holds the acknowledgement to the read that holds the trade, both by one clock.
"""
import asyncio
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import cast

import uvloop

from bench.feed_programs import HANDSHAKE
from bench.gateway import LISTING, server
from bench.gateway_load import SYMBOL, Trader, make_keys, order_frames
from bench.report import percentile
from buttonwood.bootstrap import bootstrap
from engine.config import load_config
from tests.support.redis import RedisServer

PAIRS_PER_SECOND = 100
WARM_PAIRS = 20
TRADE = b'"e":"trade"'
PING, PONG = b"\x89\0", b"\x8a\x80\0\0\0\0"   # empty; no text of a stream holds the one
SECONDS_MAX = 30.0
ROLES = {"exchange": ["exchange"], "market data": ["worker", "market_data"], "feed": ["feed"]}


class Subscriber(asyncio.Protocol):
    """Answers pings, and notes when each trade came."""

    def __init__(self) -> None:
        self.heard_ns: list[int] = []
        self.opened = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(HANDSHAKE % f"/ws/{SYMBOL.lower()}@trade".encode())

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter_ns()
        self.opened.set()
        self.heard_ns += [now] * data.count(TRADE)
        self._transport.write(PONG * data.count(PING))


def measure(quick: bool) -> dict[str, object]:
    """Figures in microseconds."""
    with RedisServer() as redis, tempfile.TemporaryDirectory() as folder, ExitStack() as servers:
        settings = Path(folder) / "venue.toml"
        settings.write_text(
            f'data_dir = "{folder}/data"\nexchange.port = 0\nfeed.port = 0\nredis.url = "{redis.url}"\n')
        urls = {}
        for name, words in ROLES.items():
            urls[name] = servers.enter_context(server("buttonwood", *words, "--config", str(settings)))[1]
        return uvloop.run(_measure(settings, urls["exchange"], urls["feed"], 200 if quick else 1000))


async def _measure(settings: Path, orders_url: str, feed_url: str, pairs: int) -> dict[str, object]:
    config = load_config(settings)
    keys = make_keys(config)
    await bootstrap(config, LISTING)
    host, port = feed_url.removeprefix("ws://").split("/")[0].split(":")
    _, subscriber = await asyncio.get_running_loop().create_connection(Subscriber, host, int(port))
    trader = await Trader.connect(orders_url)
    await subscriber.opened.wait()
    acknowledged_ns = await _trade(trader, order_frames(keys, 2 * (WARM_PAIRS + pairs)))
    async with asyncio.timeout(SECONDS_MAX):
        while len(subscriber.heard_ns) < len(acknowledged_ns):   # noqa: ASYNC110 - the last one is all but there
            await asyncio.sleep(0.01)
    trader.close()
    assert len(subscriber.heard_ns) == len(acknowledged_ns), "a trade was told twice"
    late = [(heard - acknowledged) / 1000 for heard, acknowledged in zip(
        subscriber.heard_ns, acknowledged_ns, strict=True)][WARM_PAIRS:]
    return {"fills": len(late), "fill_to_subscriber_after_ack_p50_us": percentile(late, 50),
            "fill_to_subscriber_after_ack_p99_us": percentile(late, 99)}


async def _trade(trader: Trader, frames: list[bytes]) -> list[int]:
    """When each second order, the one that trades, was acknowledged."""
    acknowledged_ns, start = [], time.perf_counter()
    for number in range(0, len(frames), 2):
        await trader.run(frames[number:number + 2], 1)
        acknowledged_ns.append(trader.answered_ns)
        due = start + (number / 2 + 1) / PAIRS_PER_SECOND
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
    return acknowledged_ns
