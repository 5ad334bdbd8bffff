"""Shows a process's metrics to Prometheus over HTTP: GET /metrics, nothing else, on an address of its own.

For a private network: it asks nobody who they are. A request is at most REQUEST_BYTES_MAX long and has SECONDS_MAX to
arrive; more than CONNECTIONS_MAX connections at once are closed unanswered. Each connection gets one answer.
"""
import asyncio
from collections.abc import Callable
from typing import Self, cast

from engine.config import Metrics as Settings
from engine.errors import ConfigError
from engine.metrics import Metrics

REQUEST_BYTES_MAX = 8192
SECONDS_MAX = 5.0
CONNECTIONS_MAX = 16


class MetricsServer:
    """Made by `start`; `url` is where it is read. It ends with its process, or with `close`."""

    def __init__(self, metrics: Metrics) -> None:
        self.metrics, self.url = metrics, ""
        self.connections: set[asyncio.BaseTransport] = set()
        self._server: asyncio.Server

    @classmethod
    async def start(cls, make: Callable[[], Metrics], settings: Settings, port: int) -> Self | None:
        """None, and nothing made, when the settings name no host. Raises ConfigError when the port cannot be had."""
        if not settings.host:
            return None
        server, loop = cls(make()), asyncio.get_running_loop()
        try:
            server._server = await loop.create_server(lambda: _Connection(server), settings.host, port)
        except OSError as error:
            raise ConfigError(f"metrics cannot listen on {settings.host}:{port}: {error.strerror}; choose another port "
                              "under [metrics] in the configuration; 0 takes any free one") from None
        server.url = f"http://{settings.host}:{server._server.sockets[0].getsockname()[1]}/metrics"
        return server

    async def close(self) -> None:
        """Stop listening and hang up."""
        self._server.close()
        for transport in tuple(self.connections):
            cast(asyncio.Transport, transport).abort()
        await self._server.wait_closed()


class _Connection(asyncio.Protocol):
    def __init__(self, server: MetricsServer) -> None:
        self._server, self._request = server, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._deadline = asyncio.get_running_loop().call_later(SECONDS_MAX, self._transport.abort)
        if len(self._server.connections) >= CONNECTIONS_MAX:
            self._transport.abort()
        self._server.connections.add(transport)

    def data_received(self, data: bytes) -> None:
        if self._transport.is_closing():
            return
        self._request += data
        if len(self._request) > REQUEST_BYTES_MAX:
            self._answer("431 Request Header Fields Too Large", b"")
        elif b"\r\n\r\n" in self._request:
            words = self._request.split(b"\r\n", 1)[0].split(b" ")
            if words[:2] == [b"GET", b"/metrics"]:
                self._answer("200 OK", self._server.metrics.render())
            else:
                self._answer("404 Not Found", b"only GET /metrics is here\n")

    def connection_lost(self, exc: Exception | None) -> None:
        self._deadline.cancel()
        self._server.connections.discard(self._transport)

    def _answer(self, status: str, body: bytes) -> None:
        head = (f"HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
                f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n")
        self._transport.write(head.encode() + body)
        self._transport.close()
