"""Client of the exchange process's door: calls its methods over a Unix socket, in batches, and reconnects for ever.

All calls made in one pass of the event loop leave in one write. A call is answered with (status, JSON bytes): 200 and
the result, or 4xx/5xx and {"code", "msg"} as on the wire to customers. It never raises for a venue that is away:
  503 -1001  not sent, the exchange is away: safe to try again
  503 -1007  sent, but the connection broke or no answer came in time: ask for the order's status before trying again
  429 -1003  `calls_max` calls wait already: not sent
"""
import asyncio
import time
from pathlib import Path
from typing import Any, Self, cast

import msgspec
from msgspec import Raw

from gateway.door_frames import REPLY_MESSAGE_BYTES_MAX, REQUESTS_PER_MESSAGE_MAX, FrameReader, frame

Reply = tuple[int, Raw]

RECONNECT_SECONDS_MIN = 0.02
RECONNECT_SECONDS_MAX = 1.0
AWAY: Reply = (503, Raw(b'{"code":-1001,"msg":"Internal error; unable to process your request. Please try again."}'))
UNKNOWN: Reply = (503, Raw(
    b'{"code":-1007,"msg":"Timeout waiting for response from backend server. '
    b'Send status unknown; execution status unknown."}'))
TOO_MANY: Reply = (429, Raw(b'{"code":-1003,"msg":"Too many requests queued."}'))

_replies = msgspec.json.Decoder(list[tuple[int, int, Raw]])


class DoorClient(asyncio.Protocol):
    """One connection to the door. Use `await DoorClient.connect(path)`, then `call`; `close` at the end."""

    def __init__(self, path: Path | str, *, calls_max: int = 65536, reply_seconds_max: float = 10.0) -> None:
        self._path = str(path)
        self._calls_max = calls_max
        self._reply_seconds_max = reply_seconds_max
        self._calls: dict[int, tuple[asyncio.Future[Reply], float]] = {}   # oldest first
        self._unsent: list[bytes] = []
        self._last_call = 0
        self._transport: asyncio.Transport | None = None
        self._reader = FrameReader(REPLY_MESSAGE_BYTES_MAX)
        self._connected = asyncio.Event()
        self._lost = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    @classmethod
    async def connect(cls, path: Path | str, *, timeout_s: float | None = 10.0, **limits: Any) -> Self:
        """A started client that has reached the exchange. timeout_s None: do not wait, connect in the background.

        Raises ConnectionError when the exchange does not answer in time.
        """
        client = cls(path, **limits)
        client.start()
        if timeout_s is not None:
            try:
                async with asyncio.timeout(timeout_s):
                    await client._connected.wait()
            except TimeoutError:
                await client.close()
                raise ConnectionError(f"{path}: no exchange process answers here; is it running?") from None
        return client

    @property
    def connected(self) -> bool:
        """Whether the exchange can be reached at this moment."""
        return self._transport is not None

    def start(self) -> None:
        """Begin to connect, in the background."""
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._keep_connected()), loop.create_task(self._give_up_late_calls())]

    async def call(self, account: int, method: str, params: dict[str, Any]) -> Reply:
        """(status, JSON of the result or the error) of one request in the name of `account`; see the module's text."""
        return await self.post(account, method, params)

    def post(self, account: int, method: str, params: dict[str, Any]) -> asyncio.Future[Reply]:
        """As `call`, without a coroutine: for callers that send many."""
        reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        if self._transport is None:
            reply.set_result(AWAY)
        elif len(self._calls) >= self._calls_max:
            reply.set_result(TOO_MANY)
        else:
            self._send(account, method, params, reply)
        return reply

    async def close(self) -> None:
        """Stop. Calls without an answer yet end with status 503, code -1007."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        if self._transport is not None:
            self._transport.close()
            await self._lost.wait()

    # the connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        self._transport = cast(asyncio.Transport, transport)
        self._reader = FrameReader(REPLY_MESSAGE_BYTES_MAX)
        self._lost.clear()
        self._connected.set()

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        for message in self._reader.feed(data):
            for number, status, body in _replies.decode(message):
                call = self._calls.pop(number, None)
                if call is not None and not call[0].done():
                    call[0].set_result((status, body.copy()))

    def connection_lost(self, error: Exception | None) -> None:
        """Called by asyncio: what was sent may or may not have been executed."""
        self._transport = None
        self._unsent.clear()
        calls, self._calls = self._calls, {}
        for reply, _ in calls.values():
            if not reply.done():
                reply.set_result(UNKNOWN)
        self._connected.clear()
        self._lost.set()

    async def _keep_connected(self) -> None:
        loop = asyncio.get_running_loop()
        pause_s = RECONNECT_SECONDS_MIN
        while True:
            try:
                await loop.create_unix_connection(lambda: self, self._path)
                pause_s = RECONNECT_SECONDS_MIN
                await self._lost.wait()
            except OSError:
                pause_s = min(2 * pause_s, RECONNECT_SECONDS_MAX)
            await asyncio.sleep(pause_s)

    # sending

    def _send(self, account: int, method: str, params: dict[str, Any], reply: asyncio.Future[Reply]) -> None:
        self._last_call += 1
        request = msgspec.json.encode((self._last_call, account, method, params))
        self._calls[self._last_call] = (reply, time.monotonic())
        if not self._unsent:
            asyncio.get_running_loop().call_soon(self._flush)
        self._unsent.append(request)

    def _flush(self) -> None:
        requests, self._unsent = self._unsent, []
        if self._transport is not None:
            groups = range(0, len(requests), REQUESTS_PER_MESSAGE_MAX)
            self._transport.write(b"".join(
                frame(b"[" + b",".join(requests[start:start + REQUESTS_PER_MESSAGE_MAX]) + b"]") for start in groups))

    async def _give_up_late_calls(self) -> None:
        while True:
            await asyncio.sleep(min(1.0, self._reply_seconds_max / 4))
            oldest_wanted = time.monotonic() - self._reply_seconds_max
            late = []
            for number, (_, sent) in self._calls.items():
                if sent > oldest_wanted:
                    break
                late.append(number)
            for number in late:
                reply, _ = self._calls.pop(number)
                if not reply.done():
                    reply.set_result(UNKNOWN)
