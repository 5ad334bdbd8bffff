"""What does one price cost on its way out? `python -m bench.feed [--quick] [--json]`

Fan-out: CPU of the feed process per delivery, with N subscribers on loopback, one update or ten per message from Redis.
Beside it, in the same run and with the same messages, the usual way: redis-py's subscription and websockets.broadcast.
Publishing: CPU per message of our publisher (100 a write), of redis-py's pipeline, and of its awaited publish.
"""
import argparse
import asyncio
import json
import resource
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import redis.asyncio
import uvloop

from bench.feed_programs import ASK, FORGET, PEER_CHANNEL
from bench.report import emit, figure, machine
from engine.config import Redis
from engine.market_channels import Kind, channel, encode_entry, encode_envelope
from gateway.websocket import text_frame
from tests.support.redis import RedisServer
from workers.redis_publisher import RedisPublisher

SYMBOL = "BTCUSDT"
PAYLOAD_BYTES = 193
MESSAGE = b"x" * 200
ARRIVAL_SECONDS_MAX = 60.0
PENDING_MAX = 2000   # unanswered messages; a worker that publishes without end would be cut at its buffer's limit


class Program:
    """A child process that says when it is ready."""

    def __init__(self, *arguments: str) -> None:
        self._child = subprocess.Popen([sys.executable, "-m", "bench.feed_programs", *arguments],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.ready = self._line()

    def __enter__(self) -> "Program":
        return self

    def __exit__(self, *_: object) -> None:
        self._child.kill()
        self._child.communicate()

    def cpu_seconds(self) -> float:
        """Time on the processor so far, all threads."""
        tasks = Path(f"/proc/{self._child.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text(encoding="ascii").split()[0]) for task in tasks) / 1e9

    def ask(self, question: bytes = ASK) -> dict[str, Any]:
        """What the crowd has heard since it was last told to forget."""
        assert self._child.stdin is not None
        self._child.stdin.write(question)
        self._child.stdin.flush()
        return self._line()

    async def heard(self, expected_bytes: int) -> dict[str, Any]:
        """The crowd's answer once everything has arrived. Raises when that takes too long: messages were lost."""
        deadline = time.perf_counter() + ARRIVAL_SECONDS_MAX
        while (answer := self.ask())["bytes_min"] < expected_bytes:
            assert time.perf_counter() < deadline, f"messages were lost: {answer}, expected {expected_bytes}"
            await asyncio.sleep(0.2)
        pings = answer["bytes_max"] - expected_bytes   # a few bytes every 20 s
        assert pings < PAYLOAD_BYTES, f"messages came twice: {answer}, expected {expected_bytes}"
        return answer

    def _line(self) -> dict[str, Any]:
        assert self._child.stdout is not None
        answer: dict[str, Any] = json.loads(self._child.stdout.readline())
        return answer


class Shape:
    """What a run sends: `updates` per message from Redis, messages a second, for some seconds, to listeners."""

    def __init__(self, listeners: int, updates: int, per_second: int, seconds: float) -> None:
        self.listeners, self.updates, self.per_second = listeners, updates, per_second
        self.count = int(per_second * seconds)
        self.bytes = self.count * updates * len(text_frame(payload()))   # to each listener


def payload() -> bytes:
    """A trade of today's size; E holds nanoseconds, so that the listener can tell how old it is."""
    text = b'{"e":"trade","E":%d,"s":"BTCUSDT","t":123456789,"p":"50000.00000000"' % time.time_ns()
    return text + b',"x":"' + b"x" * (PAYLOAD_BYTES - len(text) - 8) + b'"}'


def say_ours(publisher: RedisPublisher, updates: int, number: int) -> None:
    entries = [encode_entry(Kind.TRADE, payload()) for _ in range(updates)]
    publisher.publish(channel(0, SYMBOL), encode_envelope(publisher.epoch, number, entries))


def say_peer(publisher: RedisPublisher, updates: int, _: int) -> None:
    for _ in range(updates):
        publisher.publish(PEER_CHANNEL.encode(), payload())


async def connected(url: str) -> tuple[RedisPublisher, "asyncio.Task[None]"]:
    opened = asyncio.Event()
    publisher = RedisPublisher(Redis(url=url), opened.set)
    task = asyncio.create_task(publisher.run())
    await opened.wait()
    return publisher, task


async def send(publisher: RedisPublisher, shape: Shape, say: Callable[[RedisPublisher, int, int], None]) -> None:
    """At a steady pace."""
    start = time.perf_counter()
    for number in range(1, shape.count + 1):
        say(publisher, shape.updates, number)
        publisher.flush()
        await asyncio.sleep(max(0.0, start + number / shape.per_second - time.perf_counter()))


async def fan_out(redis_url: str, kind: str, shape: Shape, repeats: int) -> list[dict[str, float]]:
    """Each run: CPU us per delivery, and how old messages were on arrival. Raises when one was lost."""
    publisher, task = await connected(redis_url)
    runs = []
    say, path = (say_ours, f"/{SYMBOL.lower()}@trade") if kind == "ours" else (say_peer, "")
    with Program(kind, redis_url) as server, \
            Program("crowd", server.ready["url"] + path, str(shape.listeners)) as crowd:
        warm = Shape(shape.listeners, shape.updates, shape.per_second, 0.5)
        await send(publisher, warm, say)
        await crowd.heard(warm.bytes)
        for _ in range(repeats):
            publisher.epoch += 1   # our sequence begins again
            crowd.ask(FORGET)
            before = server.cpu_seconds()
            await send(publisher, shape, say)
            heard = await crowd.heard(shape.bytes)
            used = server.cpu_seconds() - before
            runs.append({"cpu_us": used / (shape.count * shape.updates * shape.listeners) * 1e6, **heard})
    task.cancel()
    await asyncio.wait([task])
    return runs


async def cpu_us(count: int, work: Callable[[], Awaitable[None]]) -> float:
    before = time.process_time()
    await work()
    return (time.process_time() - before) / count * 1e6


async def publish_ours(redis_url: str, count: int) -> float:
    publisher, task = await connected(redis_url)

    async def work() -> None:
        for _ in range(count // 100):
            for _ in range(100):
                publisher.publish(b"nobody", MESSAGE)
            publisher.flush()
            while publisher.pending > PENDING_MAX:  # noqa: ASYNC110 - an event per answer would be measured as well
                await asyncio.sleep(0)
    used = await cpu_us(count, work)
    assert publisher.dropped == 0
    task.cancel()
    await asyncio.wait([task])
    return used


async def publish_awaited(redis_url: str, count: int) -> float:
    async with redis.asyncio.Redis.from_url(redis_url) as client:
        await client.ping()

        async def work() -> None:
            for _ in range(count):
                await client.publish("nobody", MESSAGE)
        return await cpu_us(count, work)


async def publish_pipelined(redis_url: str, count: int) -> float:
    async with redis.asyncio.Redis.from_url(redis_url) as client:
        await client.ping()

        async def work() -> None:
            for _ in range(count // 100):
                async with client.pipeline(transaction=False) as pipeline:
                    for _ in range(100):
                        pipeline.publish("nobody", MESSAGE)
                    await pipeline.execute()
        return await cpu_us(count, work)


async def measure(redis_url: str, quick: bool) -> dict[str, object]:
    listeners, seconds, repeats = (200, 1.0, 2) if quick else (1000, 4.0, 3)
    results: dict[str, object] = {"bench": "feed", **machine(), "subscribers": listeners,
                                  "update_bytes": len(text_frame(payload()))}
    for updates in (1, 10):
        shape = Shape(listeners, updates, 25, seconds)
        for kind in ("ours", "peer"):
            runs = await fan_out(redis_url, kind, shape, repeats)
            name = f"{'feed' if kind == 'ours' else 'websockets_broadcast'}_{updates}_per_message"
            results[f"{name}_cpu_us_per_delivery"] = figure([run["cpu_us"] for run in runs])
            results[f"{name}_delay_p50_us"] = figure([run["delay_p50_us"] for run in runs])
            results[f"{name}_delay_p99_us"] = figure([run["delay_p99_us"] for run in runs])
    for label, work, count in (("raw_100_per_write", publish_ours, 100_000), ("redis_py_pipeline_100",
                               publish_pipelined, 10_000), ("redis_py_awaited", publish_awaited, 3_000)):
        results[f"publish_{label}_cpu_us_per_message"] = figure([await work(redis_url, count) for _ in range(repeats)])
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="200 subscribers instead of 1000, shorter runs")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    arguments = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with RedisServer() as server:
        emit(uvloop.run(measure(server.url, arguments.quick)), arguments.json)


if __name__ == "__main__":
    main()
