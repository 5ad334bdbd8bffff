"""The child processes of bench.feed: our feed, a plain peer, the floor, the crowd that listens; the kind comes first.

Each prints one JSON line when it is ready. The crowd answers every line on its standard input with what it has heard,
and does what the line says: FORGET it, or DEAFEN the first listener, who reads no more from then on. The floor answers
a line [count, updates, per_second] when it has sent all that.
"""
import json
import logging
import re
import socket
import sys
import time
from collections.abc import Callable
from io import FileIO

import numpy as np
import redis.asyncio
import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve

from bench.native import load_native
from engine.config import load_config
from engine.ready import announce
from gateway import feed
from gateway.frames import text_frame

PEER_CHANNEL = "peer"
ASK, FORGET, DEAFEN = b"?\n", b"forget\n", b"deafen\n"
PAYLOAD_BYTES = 193
PATIENCE_SECONDS = 3600.0   # the crowd answers no pings
HANDSHAKE = (b"GET %b HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
_WELCOME = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"


def payload() -> bytes:
    """A trade of today's size; E holds nanoseconds, so that the listener can tell how old it is."""
    text = b'{"e":"trade","E":%d,"s":"BTCUSDT","t":123456789,"p":"50000.00000000"' % time.time_ns()
    return text + b',"x":"' + b"x" * (PAYLOAD_BYTES - len(text) - 8) + b'"}'


def paced(count: int, per_second: float, say: Callable[[int], None]) -> None:
    """Say 1 to `count` at a steady pace."""
    start = time.perf_counter()
    for number in range(1, count + 1):
        say(number)
        time.sleep(max(0.0, start + number / per_second - time.perf_counter()))


async def ours(redis_url: str) -> None:
    """The feed process as it is."""
    await feed.serve(load_config(redis={"url": redis_url}, feed={"port": 0}, limits={
        "connections_max": 100_000, "pong_seconds_max": PATIENCE_SECONDS}))


async def peer(redis_url: str) -> None:
    """The usual way: redis-py's subscription loop and websockets.broadcast, compression off."""
    members: set[ServerConnection] = set()

    async def handle(connection: ServerConnection) -> None:
        members.add(connection)
        await connection.wait_closed()
        members.discard(connection)

    pubsub = redis.asyncio.Redis.from_url(redis_url).pubsub(ignore_subscribe_messages=True)
    await pubsub.subscribe(PEER_CHANNEL)
    async with serve(handle, "127.0.0.1", 0, compression=None, ping_interval=None) as server:
        announce("peer", url=f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/ws")
        async for message in pubsub.listen():
            broadcast(members, message["data"].decode())


def floor(listeners: int) -> None:
    """What the kernel asks for: the same bytes by a C loop of send(2) on as many sockets, and nothing else."""
    native = load_native("_sockets")
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as server:
        announce("floor", url=f"ws://127.0.0.1:{server.getsockname()[1]}/ws")
        plugs: list[socket.socket] = []
        while len(plugs) < listeners:
            plug = server.accept()[0]
            plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while not plug.recv(4096).endswith(b"\r\n\r\n"):
                pass
            plug.sendall(_WELCOME)
            plugs.append(plug)
    descriptors = np.array([plug.fileno() for plug in plugs], np.int32)
    for line in sys.stdin:
        count, updates, per_second = json.loads(line)
        paced(count, per_second, lambda _, updates=updates: native.send_all(   # type: ignore[misc]
            descriptors, b"".join([text_frame(payload()) for _ in range(updates)])))
        print("{}", flush=True)


def crowd(url: str, count: int) -> None:
    """`count` listeners."""
    host, port, path = re.match(r"ws://([^:]+):(\d+)(/.*)", url).groups()   # type: ignore[union-attr]
    made = load_native("_sockets").Crowd(host, int(port), HANDSHAKE % path.encode(), count, sys.stdin.fileno())
    announce("crowd")
    deaf = 0
    questions = FileIO(sys.stdin.fileno(), closefd=False)
    while True:
        made.listen()
        question = questions.readline()
        if not question:
            return
        fewest, most = made.heard(deaf)
        print(json.dumps({"bytes_min": fewest, "bytes_max": most, "delay_p50_us": made.age_us(50), "gone": made.gone,
                          "delay_p99_us": made.age_us(99), "last_gone_s": made.last_gone_s}), flush=True)
        if question == FORGET:
            made.forget()
        elif question == DEAFEN:
            deaf = 1
            made.deafen(0)


if __name__ == "__main__":
    logging.basicConfig(level=logging.ERROR)   # a new sequence of the bench is a gap to the feed
    kind, *arguments = sys.argv[1:]
    if kind == "crowd":
        crowd(arguments[0], int(arguments[1]))
    elif kind == "floor":
        floor(int(arguments[0]))
    else:
        uvloop.run({"ours": ours, "peer": peer}[kind](arguments[0]))
