"""The child processes of bench.feed: our feed, a plain peer, and the crowd that listens; the kind is the argument.

Each prints one JSON line when it is ready. The crowd answers every line on its standard input with what it has heard,
and forgets it when the line says so; it counts bytes (frames of a run have one size), and reads the time in the frames
of one listener.
"""
import asyncio
import json
import logging
import re
import sys
import time
from typing import Any

import redis.asyncio
import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve

from bench.report import percentile
from engine.config import load_config
from engine.ready import announce
from gateway import feed

PEER_CHANNEL = "peer"
ASK, FORGET = b"?\n", b"forget\n"
_SENT_AT = re.compile(rb'"E":(\d+)')
_HANDSHAKE = (b"GET %b HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
              b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")


async def ours(redis_url: str) -> None:
    """The feed process as it is."""
    await feed.serve(load_config(redis={"url": redis_url}, feed={"port": 0}, limits={"connections_max": 100_000}))


async def peer(redis_url: str) -> None:
    """The usual way: redis-py's subscription loop and websockets.broadcast, compression off."""
    members: set[ServerConnection] = set()

    async def handle(connection: ServerConnection) -> None:
        members.add(connection)
        await connection.wait_closed()

    pubsub = redis.asyncio.Redis.from_url(redis_url).pubsub(ignore_subscribe_messages=True)
    await pubsub.subscribe(PEER_CHANNEL)
    async with serve(handle, "127.0.0.1", 0, compression=None) as server:
        announce("peer", url=f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/ws")
        async for message in pubsub.listen():
            broadcast(members, message["data"].decode())


class Listener(asyncio.Protocol):
    """One member of the crowd."""

    def __init__(self, path: bytes, delays_us: list[float] | None, opened: asyncio.Semaphore) -> None:
        self._path, self._delays_us, self._opened = path, delays_us, opened
        self._head: bytes | None = b""
        self.bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert hasattr(transport, "write")
        transport.write(_HANDSHAKE % self._path)

    def data_received(self, data: bytes) -> None:
        if self._head is not None:
            self._head += data
            if b"\r\n\r\n" in self._head:
                data, self._head = self._head.partition(b"\r\n\r\n")[2], None
                self._opened.release()
            else:
                return
        self.bytes += len(data)
        if self._delays_us is not None and data:
            now = time.time_ns()
            self._delays_us += [(now - int(sent)) / 1000 for sent in _SENT_AT.findall(data)]


async def crowd(url: str, count: int) -> None:
    """`count` listeners; the first one measures how old the messages are when they arrive."""
    loop = asyncio.get_running_loop()
    host, port, path = re.match(r"ws://([^:]+):(\d+)(/.*)", url).groups()   # type: ignore[union-attr]
    delays_us: list[float] = []
    opened = asyncio.Semaphore(0)
    listeners: list[Listener] = []
    for number in range(count):
        made = Listener(path.encode(), delays_us if number == 0 else None, opened)
        listeners.append(made)
        await loop.create_connection(lambda made=made: made, host, int(port))   # type: ignore[misc]
        await opened.acquire()
    announce("crowd")
    asked = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(asked), sys.stdin)
    while question := await asked.readline():
        print(json.dumps(_heard(listeners, delays_us)), flush=True)
        if question == FORGET:
            delays_us.clear()
            for listener in listeners:
                listener.bytes = 0


def _heard(listeners: list[Listener], delays_us: list[float]) -> dict[str, Any]:
    heard = [listener.bytes for listener in listeners]
    answer = {"bytes_min": min(heard), "bytes_max": max(heard)}
    if delays_us:
        answer |= {"delay_p50_us": percentile(delays_us, 50), "delay_p99_us": percentile(delays_us, 99)}
    return answer


if __name__ == "__main__":
    logging.basicConfig(level=logging.ERROR)   # a new sequence of the bench is a gap to the feed
    kind, *arguments = sys.argv[1:]
    if kind == "crowd":
        uvloop.run(crowd(arguments[0], int(arguments[1])))
    else:
        uvloop.run({"ours": ours, "peer": peer}[kind](arguments[0]))
