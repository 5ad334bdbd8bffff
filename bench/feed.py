"""What does one price cost on its way out? `python -m bench.feed [--quick] [--json]`

Fan-out: CPU of the feed process per delivery, with N subscribers on loopback, one update or ten per message from Redis.
Beside it, in the same run and with the same messages, the usual way: redis-py's subscription and websockets.broadcast;
and the floor: a C loop of send(2) of the same bytes to as many sockets. Publishing: CPU per message of our publisher
(100 a write), of redis-py's pipeline, and of its awaited publish. Subscribers that are idle or dead: bench.feed_crowd;
from a fill to a subscriber: bench.feed_latency.
"""
import argparse
import asyncio
import json
import resource
import time
from collections.abc import Awaitable, Callable

import redis.asyncio
import uvloop

from bench import feed_crowd, feed_latency
from bench.feed_kit import SYMBOL, Program, Shape, connected, say_ours, say_peer, send
from bench.feed_programs import FORGET, payload
from bench.report import emit, figure, machine
from gateway.frames import text_frame
from tests.support.redis import RedisServer
from workers.redis_publisher import RedisPublisher

MESSAGE = b"x" * 200
PENDING_MAX = 2000   # unanswered messages; a worker that publishes without end would be cut at its buffer's limit
NAMES = {"ours": "feed", "peer": "websockets_broadcast", "floor": "send_loop"}
PATHS = {"ours": f"/{SYMBOL.lower()}@trade", "peer": "", "floor": ""}


async def fan_out(redis_url: str, kind: str, shape: Shape, repeats: int) -> list[dict[str, float]]:
    """Each run: CPU us per delivery, and how old messages were on arrival. Raises when one was lost."""
    runs = []
    async with connected(redis_url) as publisher:
        with Program(kind, str(shape.listeners) if kind == "floor" else redis_url) as server, \
                Program("crowd", server.ready["url"] + PATHS[kind], str(shape.listeners)) as crowd:
            warm = Shape(shape.listeners, shape.updates, shape.per_second, 0.5)
            await _spread(publisher, server, kind, warm)
            await crowd.heard(warm.bytes)
            for _ in range(repeats):
                publisher.epoch += 1   # our sequence begins again
                crowd.ask(FORGET)
                before = server.cpu_seconds()
                await _spread(publisher, server, kind, shape)
                heard = await crowd.heard(shape.bytes)
                used = server.cpu_seconds() - before
                runs.append({"cpu_us": used / (shape.count * shape.updates * shape.listeners) * 1e6, **heard})
    return runs


async def _spread(publisher: RedisPublisher, server: Program, kind: str, shape: Shape) -> None:
    if kind == "floor":
        server.ask(json.dumps([shape.count, shape.updates, shape.per_second]).encode() + b"\n")
    else:
        await send(publisher, shape, say_ours if kind == "ours" else say_peer)


async def cpu_us(count: int, work: Callable[[], Awaitable[None]]) -> float:
    before = time.process_time()
    await work()
    return (time.process_time() - before) / count * 1e6


async def publish_ours(redis_url: str, count: int) -> float:
    async with connected(redis_url) as publisher:
        async def work() -> None:
            for _ in range(count // 100):
                for _ in range(100):
                    publisher.publish(b"nobody", MESSAGE)
                publisher.flush()
                while publisher.pending > PENDING_MAX:  # noqa: ASYNC110 - an event per answer would be measured too
                    await asyncio.sleep(0)
        used = await cpu_us(count, work)
        assert publisher.dropped == 0
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
    repeats = 2 if quick else 3
    results: dict[str, object] = {"bench": "feed", **machine(), "update_bytes": len(text_frame(payload()))}
    crowds = ((200, 25, 1.0),) if quick else ((1000, 25, 4.0), (5000, 12, 4.0))
    for listeners, per_second, seconds in crowds:
        for updates in (1, 10):
            shape = Shape(listeners, updates, per_second, seconds)
            for kind, name in NAMES.items():
                runs = await fan_out(redis_url, kind, shape, repeats)
                key = f"{listeners}_subscribers_{name}_{updates}_per_message"
                results[f"{key}_cpu_us_per_delivery"] = figure([run["cpu_us"] for run in runs])
                results[f"{key}_delay_p50_us"] = figure([run["delay_p50_us"] for run in runs])
                results[f"{key}_delay_p99_us"] = figure([run["delay_p99_us"] for run in runs])
    for label, work, count in (("raw_100_per_write", publish_ours, 100_000), ("redis_py_pipeline_100",
                               publish_pipelined, 10_000), ("redis_py_awaited", publish_awaited, 3_000)):
        results[f"publish_{label}_cpu_us_per_message"] = figure([await work(redis_url, count) for _ in range(repeats)])
    idlers = 1000 if quick else 10_000
    for kind in ("ours", "peer"):
        results[f"idle_{idlers}_{NAMES[kind]}_kib_each"] = feed_crowd.idle(redis_url, kind, idlers)
    deaf = await feed_crowd.deaf(redis_url, 100 if quick else 1000)
    return results | {f"dead_reader_{key}": value for key, value in deaf.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="200 subscribers instead of 1000 and 5000, shorter runs")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    arguments = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with RedisServer() as server:
        results = uvloop.run(measure(server.url, arguments.quick))
    emit(results | feed_latency.measure(arguments.quick), arguments.json)


if __name__ == "__main__":
    main()
