"""WebSocket servers: `listen` gives every connection of a port a Handler of its own, whatever path it asks for.

One listener, one timer wheel, one flush per loop pass: connections that were sent to outside of their own reads are
written together at the end of the pass, each with one write. A request that is no WebSocket handshake gets a 4xx.
"""
import asyncio
import logging
from collections.abc import Callable
from typing import Any

from engine.config import Limits
from engine.errors import ConfigError
from gateway.connection import Connection
from gateway.frames import text_frame
from gateway.handler import Handler
from gateway.timer_wheel import TimerWheel

__all__ = ["Connection", "Handler", "Listener", "listen", "text_frame"]
BACKLOG = 1024
_log = logging.getLogger(__name__)


class Listener:
    """A listening port and its connections. `close`, then `wait_closed`, as with asyncio.Server."""

    def __init__(self, factory: Callable[[], Handler], limits: Limits) -> None:
        self.factory = factory
        self.limits = limits
        self.wheel = TimerWheel()
        self.connections: set[Connection] = set()
        self._dirty: list[Connection] = []
        self._closing = False
        self._empty = asyncio.Event()
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> None:
        """Listen; port 0 takes any free one. Raises ConfigError when the address cannot be used."""
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(lambda: Connection(self), host, port, backlog=BACKLOG)
        except OSError as error:
            why = error.strerror or error
            raise ConfigError(f"cannot listen on {host}:{port}: {why}; choose another port") from None

    @property
    def sockets(self) -> tuple[Any, ...]:
        """The listening sockets."""
        return tuple(self._server.sockets) if self._server is not None else ()

    @property
    def port(self) -> int:
        """The port in use."""
        return int(self.sockets[0].getsockname()[1])

    def close(self) -> None:
        """Take no more connections and say 1001 to the open ones."""
        self._closing = True
        if self._server is not None:
            self._server.close()
        for connection in list(self.connections):
            connection.going_away()
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

    def joined(self, connection: Connection) -> bool:
        """Count it in; False when connections_max is reached or the listener closes."""
        if self._closing or len(self.connections) >= self.limits.connections_max:
            return False
        self.connections.add(connection)
        return True

    def left(self, connection: Connection) -> None:
        """Count it out."""
        self.connections.discard(connection)
        if self._closing and not self.connections:
            self._empty.set()

    def flush_soon(self, connection: Connection) -> None:
        """Flush it at the end of this loop pass, with all others that ask."""
        if not self._dirty:
            asyncio.get_running_loop().call_soon(self._flush)
        self._dirty.append(connection)

    def _flush(self) -> None:
        dirty, self._dirty = self._dirty, []
        for connection in dirty:
            try:
                connection.flush()
            except Exception:
                _log.exception("%s: write failed", connection.peer)
                connection.abort()


async def listen(factory: Callable[[], Handler], host: str, port: int, limits: Limits) -> Listener:
    """Serve WebSocket connections; `factory` makes the Handler of each. Raises ConfigError."""
    listener = Listener(factory, limits)
    await listener.start(host, port)
    return listener
