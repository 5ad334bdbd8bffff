"""What the benches of the feed share: child processes with their CPU time and memory, and what is sent to them."""
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bench.feed_programs import ASK, PAYLOAD_BYTES, PEER_CHANNEL, payload
from bench.gateway_load import cpu_ns, pin
from engine.config import Redis
from engine.market_channels import Kind, channel, encode_entry, encode_envelope
from gateway.frames import text_frame
from workers.redis_publisher import RedisPublisher

SYMBOL = "BTCUSDT"
ARRIVAL_SECONDS_MAX = 60.0
PINGS_BYTES_MAX = PAYLOAD_BYTES   # a few bytes every 20 s
Say = Callable[[RedisPublisher, int, int], None]


class Program:
    """A child process that says when it is ready; servers run on core 0, the crowd on core 1."""

    def __init__(self, *arguments: str) -> None:
        self._child = subprocess.Popen([sys.executable, "-m", "bench.feed_programs", *arguments],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        pin(self._child.pid, int(arguments[0] == "crowd"))
        self.ready = self._line()

    def __enter__(self) -> "Program":
        return self

    def __exit__(self, *_: object) -> None:
        self._child.kill()
        self._child.communicate()

    def cpu_seconds(self) -> float:
        """Time on the processor so far, all threads."""
        return cpu_ns(self._child.pid) / 1e9

    def memory_bytes(self) -> int:
        """Resident memory; what the kernel keeps for its sockets is not in it."""
        lines = Path(f"/proc/{self._child.pid}/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))

    def ask(self, question: bytes = ASK) -> dict[str, Any]:
        """Its answer to a line."""
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
        pings = answer["bytes_max"] - expected_bytes
        assert pings < PINGS_BYTES_MAX, f"messages came twice: {answer}, expected {expected_bytes}"
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


def say_ours(publisher: RedisPublisher, updates: int, number: int) -> None:
    """As the market-data worker does."""
    entries = [encode_entry(Kind.TRADE, payload()) for _ in range(updates)]
    publisher.publish(channel(0, SYMBOL), encode_envelope(publisher.epoch, number, entries))


def say_peer(publisher: RedisPublisher, updates: int, _: int) -> None:
    """Bare messages."""
    for _ in range(updates):
        publisher.publish(PEER_CHANNEL.encode(), payload())


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[RedisPublisher]:
    """A publisher that is connected."""
    opened = asyncio.Event()
    publisher = RedisPublisher(Redis(url=url), opened.set)
    task = asyncio.create_task(publisher.run())
    try:
        await opened.wait()
        yield publisher
    finally:
        task.cancel()
        await asyncio.wait([task])


async def send(publisher: RedisPublisher, shape: Shape, say: Say) -> None:
    """At a steady pace."""
    start = time.perf_counter()
    for number in range(1, shape.count + 1):
        say(publisher, shape.updates, number)
        publisher.flush()
        await asyncio.sleep(max(0.0, start + number / shape.per_second - time.perf_counter()))
