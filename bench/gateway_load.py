"""Load for order entry: ready-made signed orders, and a connection that sends them and counts the replies.

Orders are built before the clock starts, the same for any server. A Trader sends `burst` of them in one write and the
next ones when all are answered; where the load must cost little, bench/_orders.pyx does the same natively.
"""
import asyncio
import hmac
import itertools
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from websockets.frames import Frame, Opcode

from engine.config import Config
from gateway.keys import NewKey, make_key

HANDSHAKE = (b"GET /ws-api/v3 HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
              b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
BUYER, SELLER = 2, 3
SYMBOL = "BTCUSDT"
_numbers = itertools.count(1)


def make_keys(config: Config) -> list[NewKey]:
    """One HMAC key for each of the two accounts that trade with each other."""
    return [make_key(config.paths.keys, account) for account in (BUYER, SELLER)]


def order_frames(keys: list[NewKey], count: int) -> list[bytes]:
    """Signed limit orders of one lot, buy and sell in turn at one price, so that every second one trades."""
    return [_order(keys[number % 2], "SELL" if number % 2 else "BUY") for number in range(count)]


def _order(key: NewKey, side: str) -> bytes:
    number = next(_numbers)
    params = {
        "apiKey": key.api_key, "newClientOrderId": f"bench-{number}", "price": "50000.00", "quantity": "0.00010",
        "recvWindow": 60000, "side": side, "symbol": SYMBOL, "timeInForce": "GTC",
        "timestamp": time.time_ns() // 10**6, "type": "LIMIT"}
    payload = "&".join(f"{name}={value}" for name, value in sorted(params.items()))
    params["signature"] = hmac.digest(key.secret.encode(), payload.encode(), "sha256").hex()
    text = json.dumps({"id": number, "method": "order.place", "params": params}, separators=(",", ":"))
    return Frame(Opcode.TEXT, text.encode()).serialize(mask=True)


def http_requests(keys: list[NewKey], count: int) -> list[bytes]:
    """The same orders as signed POSTs."""
    return [_post(keys[number % 2], "SELL" if number % 2 else "BUY") for number in range(count)]


def _post(key: NewKey, side: str) -> bytes:
    body = (f"symbol={SYMBOL}&side={side}&type=LIMIT&timeInForce=GTC&price=50000.00&quantity=0.00010&recvWindow=60000"
            f"&newClientOrderId=bench-{next(_numbers)}&timestamp={time.time_ns() // 10**6}").encode()
    body += b"&signature=" + hmac.digest(key.secret.encode(), body, "sha256").hex().encode()
    return (b"POST /api/v3/order HTTP/1.1\r\nHost: bench\r\nX-MBX-APIKEY: %b\r\nContent-Length: %d\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\n\r\n%b" % (key.api_key.encode(), len(body), body))


class Trader(asyncio.Protocol):
    """One connection; `run` sends its frames."""

    def __init__(self) -> None:
        self.latencies_ns: list[int] = []
        self.answered_ns = 0   # when the newest reply was read
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._open = False
        self._buffer = b""

    @classmethod
    async def connect(cls, url: str) -> "Trader":
        """A connection whose handshake is done."""
        host, port = url.split("//")[1].split("/")[0].split(":")
        _, trader = await asyncio.get_running_loop().create_connection(cls, host, int(port))
        await trader._ready
        return trader

    async def run(self, frames: list[bytes], burst: int) -> None:
        """Send all, `burst` at a time, and wait for all replies."""
        self._bursts: Iterator[bytes] = iter(
            [b"".join(frames[start:start + burst]) for start in range(0, len(frames), burst)])
        self._burst = burst
        self._ready = asyncio.get_running_loop().create_future()
        self._next()
        await self._ready

    def close(self) -> None:
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(HANDSHAKE)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._open:
            head, end, self._buffer = self._buffer.partition(b"\r\n\r\n")
            assert end and b" 101 " in head, head
            self._open = True
            self._ready.set_result(None)
            return
        if answered := self._replies():
            self.answered_ns = time.perf_counter_ns()
            self._count(answered)

    def _count(self, answered: int) -> None:
        self.latencies_ns += [self.answered_ns - self._sent_ns] * answered
        self._due -= answered
        if not self._due:
            self._next()

    def _replies(self) -> int:
        """Cut complete frames off the buffer; how many. AssertionError for one that is no success."""
        buffer, start, count = self._buffer, 0, 0
        while len(buffer) - start >= 4:
            length, head = buffer[start + 1], 2
            if length == 126:
                length, head = int.from_bytes(buffer[start + 2:start + 4], "big"), 4
            if len(buffer) - start < head + length:
                break
            assert b'"status":' in buffer[start:start + 40] and b"200" in buffer[start:start + 40], buffer[start:][:400]
            start += head + length
            count += 1
        self._buffer = buffer[start:]
        return count

    def _next(self) -> None:
        data = next(self._bursts, None)
        if data is None:
            self._ready.set_result(None)
            return
        self._due = self._burst
        self._sent_ns = time.perf_counter_ns()
        self._transport.write(data)


def pin(pid: int, core: int) -> None:
    """Keep all threads of a process on one core, so that server and load do not share both; one core is left alone."""
    if (os.cpu_count() or 1) > core:
        for task in os.listdir(f"/proc/{pid}/task"):
            os.sched_setaffinity(int(task), {core})


def cpu_ns(pid: int) -> int:
    """Processor time of a process, all its threads."""
    return sum(int((Path(f"/proc/{pid}/task") / task / "schedstat").read_text().split()[0])
               for task in os.listdir(f"/proc/{pid}/task"))
