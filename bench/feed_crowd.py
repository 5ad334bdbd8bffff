"""What do idle subscribers keep in memory, and what does one who reads no more do to the others?

Part of bench.feed. Idle: resident memory of the server process before and after so many have subscribed. Deaf: one of
the crowd stops reading while ten updates a message flow; how long it is kept, what the feed's memory does meanwhile,
and how old messages are for the others before and during that.
"""

import time

from bench.feed_kit import SYMBOL, Program, Shape, connected, say_ours, send
from bench.feed_programs import ASK, DEAFEN, FORGET
from workers.redis_publisher import RedisPublisher

CUT_SECONDS_MAX = 60.0
KIB = 1024


def idle(redis_url: str, kind: str, listeners: int) -> float:
    """KiB of the server's memory per subscriber; a hundred come before, so that what is loaded late is not counted."""
    path = f"/{SYMBOL.lower()}@trade" if kind == "ours" else ""
    with Program(kind, redis_url) as server:
        url = server.ready["url"] + path
        with Program("crowd", url, "100"):
            before = server.memory_bytes()
            with Program("crowd", url, str(listeners)):
                return (server.memory_bytes() - before) / listeners / KIB


async def deaf(redis_url: str, listeners: int) -> dict[str, float]:
    """One reader of many is dead."""
    shape = Shape(listeners, 10, 25, 2.0)
    async with connected(redis_url) as publisher:
        with Program("ours", redis_url) as server, \
                Program("crowd", server.ready["url"] + f"/{SYMBOL.lower()}@trade", str(listeners)) as crowd:
            await send(publisher, shape, say_ours)
            await crowd.heard(shape.bytes)
            crowd.ask(FORGET)
            publisher.epoch += 1
            await send(publisher, shape, say_ours)
            before = await crowd.heard(shape.bytes)
            crowd.ask(FORGET)
            crowd.ask(DEAFEN)
            return await _until_cut(publisher, shape, server, crowd, before["delay_p99_us"])


async def _until_cut(publisher: RedisPublisher, shape: Shape, server: Program, crowd: Program, p99_us: float
                     ) -> dict[str, float]:
    began, memory, most = time.time(), server.memory_bytes(), 0
    while not crowd.ask(ASK)["gone"]:
        assert time.time() < began + CUT_SECONDS_MAX, "a reader that reads nothing is kept"
        publisher.epoch += 1
        await send(publisher, Shape(shape.listeners, 10, 25, 0.5), say_ours)
        most = max(most, server.memory_bytes())
    answer = crowd.ask(ASK)
    return {"cut_after_s": answer["last_gone_s"] - began, "memory_kib": (most - memory) / KIB,
            "others_delay_p99_before_us": p99_us, "others_delay_p99_us": answer["delay_p99_us"]}
