"""A whole feed for tests: real Redis, the publisher a worker uses, `serve` as a task, clients of the public library."""
import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
import redis.asyncio
import uvloop
import websockets

from engine.config import Config, load_config
from engine.market_channels import REFRESH, Kind, channel, encode_entry, encode_envelope
from gateway.feed import serve
from tests.support.redis import RedisServer
from tests.support.waiting import SECONDS_MAX, STORY_SECONDS_MAX, until, until_answer
from workers.redis_publisher import RedisPublisher

Said = tuple[Kind, dict[str, Any]]


class FeedKit:
    """What a story works with. `say` publishes as a worker would; `client` connects as anyone would."""

    def __init__(self, config: Config, server: RedisServer, url: str, task: "asyncio.Task[None]") -> None:
        self.redis, self.config, self._task = server, config, task
        self.url = url.removesuffix("/ws")
        self.publisher = RedisPublisher(config.redis, self._reopened)
        self._seq: dict[str, int] = {}

    def client(self, path: str = "/ws", **options: Any) -> websockets.connect:
        return websockets.connect(self.url + path, compression=None, **options)

    def say(self, symbol: str, *said: Said, refresh: bool = False, epoch: int = 0, skip: int = 0) -> None:
        """One envelope; `skip` leaves numbers out of the sequence, `epoch` pretends to be another worker."""
        seq = self._seq[symbol] = self._seq.get(symbol, 0) + 1 + skip
        entries = [encode_entry(kind, json.dumps(data).encode(), REFRESH * refresh) for kind, data in said]
        message = encode_envelope(epoch or self.publisher.epoch, seq, entries)
        self.publisher.publish(channel(0, symbol), message)
        self.publisher.flush()

    async def linked(self, feeds: int = 1) -> None:
        """Wait until Redis passes messages on to so many feeds; what it passes on here is foreign to them."""
        client = redis.asyncio.Redis(unix_socket_path=str(self.redis.path))
        try:
            await until_answer(lambda: self._passed_on(client, feeds))
        finally:
            await client.aclose()

    async def _passed_on(self, client: redis.asyncio.Redis, feeds: int) -> bool:
        if feeds == 1:
            return bool(await client.execute_command("PUBSUB", "NUMPAT"))   # of patterns, not of who has them
        return bool(await client.publish(channel(0, "NOBODY").decode(), "?") >= feeds)

    async def stop(self) -> None:
        """End the feed as SIGTERM would."""
        self._task.cancel()
        await asyncio.wait([self._task])

    def _reopened(self) -> None:
        self._seq.clear()


class Client:
    """JSON in and out, with a deadline on each answer."""

    def __init__(self, socket: websockets.ClientConnection) -> None:
        self.socket = socket

    async def ask(self, method: str, *params: object, identity: object = 1) -> Any:
        await self.socket.send(json.dumps({"method": method, "params": list(params), "id": identity}))
        return await self.read()

    async def read(self, seconds: float = SECONDS_MAX) -> Any:
        async with asyncio.timeout(seconds):
            return json.loads(await self.socket.recv())

    async def quiet(self, seconds: float = 0.25) -> None:
        with pytest.raises(TimeoutError):
            unexpected = await self.read(seconds)
            pytest.fail(f"unexpected: {unexpected}")

    async def close_code(self) -> int:
        """Reads up to the end of the connection."""
        with suppress(websockets.ConnectionClosed):
            async with asyncio.timeout(SECONDS_MAX):
                while True:
                    await self.socket.recv()
        return self.socket.close_code or 0


async def url_of(capsys: pytest.CaptureFixture[str], task: "asyncio.Task[None]") -> str:
    said = ""
    while "\n" not in said:
        assert not task.done(), task
        await asyncio.sleep(0.01)
        said += capsys.readouterr().out
    ready = json.loads(said)
    assert ready["ready"] == "feed"
    return str(ready["url"])


def run_feed(capsys: pytest.CaptureFixture[str], story: Callable[[FeedKit], Awaitable[None]],
             redis_settings: dict[str, object] | None = None, feed_settings: dict[str, object] | None = None,
             **limits: object) -> None:
    """Run a story against a feed that is linked to Redis and a publisher that is connected."""
    async def main(server: RedisServer) -> None:
        config = load_config(redis={"url": server.url, **(redis_settings or {})},
                             feed={"port": 0, **(feed_settings or {})}, limits={
                                 "close_seconds_max": 0.5, "shutdown_notice_seconds": 0, **limits})
        task = asyncio.create_task(serve(config))
        tasks = [task]
        try:
            kit = FeedKit(config, server, await url_of(capsys, task), task)
            tasks.append(asyncio.create_task(kit.publisher.run()))
            await until(lambda: kit.publisher.connected)
            await kit.linked()
            async with asyncio.timeout(STORY_SECONDS_MAX):
                await story(kit)
        finally:
            for started in reversed(tasks):
                started.cancel()
                await asyncio.wait([started])
    with RedisServer() as server:
        uvloop.run(main(server))
