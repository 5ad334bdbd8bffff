"""WebSocket servers: `listen` gives every connection of a port a Handler of its own, whatever path it asks for.

One listener, one timer wheel, one flush per loop pass: connections that were sent to outside of their own reads are
written together at the end of the pass, each with one write. A request that is no WebSocket handshake gets a 4xx.
"""
import asyncio
import contextlib
import logging
import ssl
import time
from collections.abc import Callable, Sequence
from typing import Any

from websockets.typing import Origin

from engine.config import Limits
from engine.errors import ConfigError
from gateway.connection import Connection
from gateway.frames import text_frame
from gateway.handler import Handler
from gateway.outlet import Turn
from gateway.stragglers import Stragglers
from gateway.timer_wheel import TimerWheel
from gateway.windows import Window

__all__ = ["Connection", "Handler", "Listener", "listen", "text_frame"]
BACKLOG = 1024
CONNECTS_SECONDS = 300
FULL = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\nConnection: close\r\n\r\n"
TOO_MANY = (
    b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\nRetry-After: %d\r\nConnection: close\r\n\r\n")
_log = logging.getLogger(__name__)


class Listener:
    """A listening port and its connections. `close`, then `wait_closed`, as with asyncio.Server."""

    def __init__(self, factory: Callable[[], Handler], limits: Limits, tls: ssl.SSLContext | None = None,
                 behind_seconds_max: float = 0) -> None:
        self.factory = factory
        self.limits, self._tls = limits, tls
        self.wheel = TimerWheel()
        self.stragglers = Stragglers(self.wheel, behind_seconds_max)
        self.connections: set[Connection] = set()
        self.origins = origins_of(limits)
        self._connects = Window(CONNECTS_SECONDS)
        self.turn = Turn()
        self._closing = False
        self._empty = asyncio.Event()
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int, shared: bool = False) -> None:
        """Listen; port 0 takes any free one, a shared one lets other processes listen on it as well.

        Raises ConfigError when the address cannot be used.
        """
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(
                lambda: Connection(self), host, port, backlog=BACKLOG, reuse_port=shared or None, **self._tls_terms())
        except OSError as error:
            why = error.strerror or error
            raise ConfigError(f"cannot listen on {host}:{port}: {why}; choose another port") from None

    def _tls_terms(self) -> dict[str, Any]:
        if self._tls is None:
            return {}
        limits = self.limits
        return {"ssl": self._tls, "ssl_handshake_timeout": limits.handshake_seconds_max,
                "ssl_shutdown_timeout": limits.close_seconds_max}

    @property
    def sockets(self) -> tuple[Any, ...]:
        """The listening sockets."""
        return tuple(self._server.sockets) if self._server is not None else ()

    @property
    def port(self) -> int:
        """The port in use."""
        return int(self.sockets[0].getsockname()[1])

    async def drain(self, seconds_max: float) -> None:
        """Take no more connections, and give the open ones so long to go by themselves."""
        self._refuse()
        if seconds_max:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds_max):
                    await self._empty.wait()

    def close(self) -> None:
        """Take no more connections and say 1001 to the open ones."""
        self._refuse()
        for connection in list(self.connections):
            connection.going_away()

    def _refuse(self) -> None:
        self._closing = True
        if self._server is not None:
            self._server.close()
        if not self.connections:
            self._empty.set()

    async def wait_closed(self) -> None:
        """Return when all connections are gone; those that have not hung up in time are cut."""
        try:
            async with asyncio.timeout(self.limits.close_seconds_max):
                await self._empty.wait()
        except TimeoutError:
            for connection in list(self.connections):
                connection.abort()
            await self._empty.wait()
        self.wheel.close()

    # for connections

    def joined(self, connection: Connection) -> bytes:
        """Count it in; or what refuses it: connections_max, address_connects_max, or the listener closes."""
        if self._closing or len(self.connections) >= self.limits.connections_max:
            return FULL
        most = self.limits.address_connects_max
        if most and self._connects.add(connection.address, 1, time.time()) > most:
            return TOO_MANY % (CONNECTS_SECONDS - int(time.time()) % CONNECTS_SECONDS)
        self.connections.add(connection)
        return b""

    def left(self, connection: Connection) -> None:
        """Count it out."""
        self.connections.discard(connection)
        if self._closing and not self.connections:
            self._empty.set()


def origins_of(limits: Limits) -> Sequence[Origin | None] | None:
    """Which values the header Origin may have; programs send none, which is always taken."""
    names = [Origin(name.strip()) for name in limits.origins.split(",") if name.strip()]
    return [None, *names] if names else None


async def listen(factory: Callable[[], Handler], host: str, port: int, limits: Limits,
                 tls: ssl.SSLContext | None = None, *, behind_seconds_max: float = 0, shared: bool = False) -> Listener:
    """Serve WebSocket connections; `factory` makes the Handler of each. Raises ConfigError.

    behind_seconds_max: how long a peer may leave something unread; 0: for ever. shared: other processes may listen at
    the same port, the system deals connections out.
    """
    listener = Listener(factory, limits, tls, behind_seconds_max)
    await listener.start(host, port, shared)
    return listener
