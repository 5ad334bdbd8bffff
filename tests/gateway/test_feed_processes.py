"""Several feed processes behind one port: each of them serves, late joiners miss nothing, one may die."""
import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import uvloop
import websockets

from engine.config import Redis
from engine.market_channels import Kind, channel, encode_entry, encode_envelope
from tests.gateway.feed_kit import Client
from tests.support.redis import RedisServer
from tests.support.waiting import STORY_SECONDS_MAX, until
from workers.redis_publisher import RedisPublisher

PROCESSES, CLIENTS_MAX, LATER = 2, 200, 20
STREAMS = "/stream?streams=btcusdt@bookTicker/btcusdt@trade"


@contextmanager
def feed_process(settings: Path) -> Iterator[tuple[psutil.Process, str]]:
    """One feed, and where it listens."""
    command = [sys.executable, "-m", "buttonwood", "feed", "--config", str(settings)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            yield psutil.Process(child.pid), json.loads(child.stdout.readline())["url"].removesuffix("/ws")
        finally:
            child.kill()


class Speaker:
    """Tells state and trade n, as a worker would."""

    def __init__(self, publisher: RedisPublisher) -> None:
        self._publisher, self.number = publisher, 0

    def say(self) -> None:
        self.number += 1
        entries = [encode_entry(kind, b'{"n":%d}' % self.number) for kind in (Kind.BOOK_TICKER, Kind.TRADE)]
        self._publisher.publish(channel(0, "BTCUSDT"), encode_envelope(self._publisher.epoch, self.number, entries))
        self._publisher.flush()


def served(process: psutil.Process) -> int:
    """How many clients are connected to it."""
    return sum(link.status == psutil.CONN_ESTABLISHED for link in process.net_connections(kind="tcp"))


async def follow(client: Client) -> None:
    """The state comes first, n; then every trade from n (told with it) or n + 1 on, and every state, in order."""
    first = await client.read()
    assert first["stream"] == "btcusdt@bookTicker"
    number = first["data"]["n"]
    told: dict[str, list[int]] = {"btcusdt@bookTicker": [number], "btcusdt@trade": []}
    for _ in range(2 * LATER):
        message = await client.read()
        told[message["stream"]].append(message["data"]["n"])
    assert told["btcusdt@trade"][0] in (number, number + 1)
    for numbers in told.values():
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


async def join(url: str) -> websockets.ClientConnection:
    return await websockets.connect(url + STREAMS, compression=None)


async def story(redis: Redis, url: str, feeds: list[psutil.Process]) -> None:
    publisher = RedisPublisher(redis, lambda: None)
    publishing = asyncio.create_task(publisher.run())
    await until(lambda: publisher.connected)
    speaker = Speaker(publisher)
    speaker.say()
    sockets = []
    while not all(map(served, feeds)):
        assert len(sockets) < CLIENTS_MAX, "one process gets all connections"
        sockets.append(await join(url))
        speaker.say()
    followers = [asyncio.create_task(follow(Client(socket))) for socket in sockets]
    while not all(follower.done() for follower in followers):
        speaker.say()
        await asyncio.sleep(0.01)
    for follower in followers:
        await follower
    feeds[0].kill()
    feeds[0].wait()
    async with websockets.connect(url + STREAMS, compression=None) as socket:   # the other one is still there
        assert (await Client(socket).read())["data"]["n"] == speaker.number
    publishing.cancel()
    await asyncio.wait([publishing, *(asyncio.create_task(socket.close()) for socket in sockets)])


def test_each_process_serves_and_nobody_misses_anything(tmp_path: Path):
    with RedisServer() as server, ExitStack() as started:
        settings = tmp_path / "venue.toml"
        text = f'data_dir = "{tmp_path}/data"\nredis.url = "{server.url}"\nfeed.processes = {PROCESSES}\n'
        settings.write_text(text + "feed.port = 0\n")
        feeds, url = [], ""
        for _ in range(PROCESSES):
            process, url = started.enter_context(feed_process(settings))
            feeds.append(process)
            settings.write_text(text + f"feed.port = {url.rsplit(':', 1)[1]}\n")
        uvloop.run(asyncio.wait_for(story(Redis(url=server.url), url, feeds), STORY_SECONDS_MAX))
