"""A small client of the public order-entry WebSocket, as any customer would write one; signs each request with HMAC.

`request` answers with the result or raises RequestRefused; when the connection breaks, what was under way ends with
ConnectionError. The demo's traders and the system tests use it.
"""
import asyncio
import hmac
import ssl
import time
from types import TracebackType
from typing import Any, Self

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

PENDING_MAX = 256     # requests without an answer; one more waits
MESSAGE_BYTES_MAX = 4 * 1024 * 1024


class RequestRefused(Exception):
    """The venue's answer was an error."""

    def __init__(self, status: int, code: int, msg: str) -> None:
        super().__init__(f"{status} {code} {msg}")
        self.status, self.code, self.msg = status, code, msg


class _Error(msgspec.Struct):
    code: int
    msg: str


class _Reply(msgspec.Struct):
    id: int | None = None
    status: int = 0
    result: Any = None
    error: _Error | None = None
    event: dict[str, Any] | None = None


_decode = msgspec.json.Decoder(_Reply).decode


class TradingClient:
    """One connection. `async with TradingClient(url, key, secret) as client: await client.request(...)`.

    `tls` says who a wss:// address may be; without it, this machine's authorities decide.
    Events of a subscribed user stream are put into `events`, which drops nothing and is bounded by what the venue is
    willing to send before it closes the connection of a slow reader.
    """

    def __init__(self, url: str, key: str = "", secret: str = "", *, answer_seconds_max: float = 10.0,
                 tls: ssl.SSLContext | None = None) -> None:
        self._url, self._key, self._secret, self._tls = url, key, secret.encode(), tls
        self._answer_seconds_max = answer_seconds_max
        self._waiting: dict[int, asyncio.Future[_Reply]] = {}
        self._room = asyncio.Semaphore(PENDING_MAX)
        self._last_id = 0
        self.events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        """Connect. Raises OSError when the venue is away."""
        try:
            self._socket: ClientConnection = await connect(
                self._url, compression=None, max_size=MESSAGE_BYTES_MAX, ssl=self._tls)
        except WebSocketException as error:
            raise ConnectionError(f"{self._url}: {error}") from None
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:
        """Close."""
        await self._socket.close()
        await asyncio.gather(self._reader, return_exceptions=True)

    async def request(self, method: str, **params: Any) -> Any:
        """Call a signed method and return its result. `timestamp` in ms, unless given, is this machine's time."""
        signed = {"timestamp": time.time_ns() // 1_000_000} | params | {"apiKey": self._key}
        payload = "&".join(f"{name}={signed[name]}" for name in sorted(signed))
        return await self.call(method, **signed, signature=hmac.digest(self._secret, payload.encode(), "sha256").hex())

    async def call(self, method: str, **params: Any) -> Any:
        """Call a method as it stands: public ones need no signature."""
        async with self._room:
            self._last_id += 1
            number = self._last_id
            self._waiting[number] = asyncio.get_running_loop().create_future()
            try:
                await self._send(msgspec.json.encode({"id": number, "method": method, "params": params}).decode())
                async with asyncio.timeout(self._answer_seconds_max):
                    reply = await self._waiting[number]
            finally:
                del self._waiting[number]
        if reply.error is not None:
            raise RequestRefused(reply.status, reply.error.code, reply.error.msg)
        return reply.result

    async def _send(self, text: str) -> None:
        try:
            await self._socket.send(text)
        except WebSocketException as error:
            raise ConnectionError(f"{self._url}: {error}") from None

    async def _read(self) -> None:
        try:
            async for message in self._socket:
                reply = _decode(message)
                if reply.event is not None:
                    self.events.put_nowait(reply.event)
                elif reply.id in self._waiting and not self._waiting[reply.id].done():
                    self._waiting[reply.id].set_result(reply)
        except WebSocketException:
            pass
        finally:
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_exception(ConnectionError(f"{self._url}: the connection was lost"))
