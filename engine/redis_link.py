"""A connection to Redis as bare protocol bytes: address, commands, and a link that is made again for ever.

Through redis-py's asyncio client one awaited publish costs 90 to 150 us of CPU, here half a microsecond: commands are
joined into one write and nobody waits for an answer. What the bytes mean is the publisher's and the subscriber's thing.
"""
import asyncio
import logging
import ssl
from collections.abc import Callable
from typing import Self, TypeVar, cast
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from engine.errors import ConfigError

GREETING_SECONDS_MAX = 2.0   # a server that does not answer in this time counts as away
PAUSE_SECONDS_MIN = 0.05     # between attempts; doubles up to the maximum while they fail
PAUSE_SECONDS_MAX = 2.0

_log = logging.getLogger(__name__)


def encode_command(*parts: bytes) -> bytes:
    """A command in the Redis serialization protocol."""
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)


class RedisAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Where a Redis server listens and how to get in; `database` only names the channels."""

    path: str = ""        # of a Unix socket; else host and port
    host: str = "127.0.0.1"
    port: int = 6379
    tls: bool = False
    user: str = ""
    password: str = ""
    database: int = 0

    @classmethod
    def parse(cls, url: str) -> Self:
        """From redis://[user:password@]host[:port][/db], rediss://..., or unix://[user:password@]/path[?db=N].

        Raises ConfigError that names redis.url and the remedy.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("redis", "rediss", "unix"):
            raise ConfigError(f"redis.url {url!r}: name a server as redis://host:port, rediss://host:port or "
                              "unix:///path.sock; `buttonwood up` brings its own")
        local = parts.scheme == "unix"
        number = parse_qs(parts.query).get("db", ["0"])[0] if local else parts.path.strip("/") or "0"
        try:
            host, port, database = parts.hostname or "127.0.0.1", parts.port or 6379, int(number)
        except ValueError as error:
            raise ConfigError(f"redis.url {url!r}: {error}: the port and the database are numbers") from None
        return cls(path=unquote(parts.path) if local else "", host=host, port=port, tls=parts.scheme == "rediss",
                   user=unquote(parts.username or ""), password=unquote(parts.password or ""), database=database)

    def __str__(self) -> str:
        return self.path or f"{self.host}:{self.port}"


class RedisLink(asyncio.Protocol):
    """One connection. Subclasses say what to do with the bytes that follow the greeting (`received`)."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.closed: asyncio.Future[None] = loop.create_future()
        self.greeted: asyncio.Future[None] = loop.create_future()
        self.transport: asyncio.Transport
        self._awaited, self._answer = b"", b""

    def received(self, data: bytes) -> None:
        """Bytes from the server, after the greeting."""
        raise NotImplementedError

    def greet(self, address: RedisAddress) -> None:
        """Log in if the address says so, and ask for a sign of life; `greeted` resolves or fails."""
        commands = [encode_command(b"PING")]
        self._awaited = b"+PONG\r\n"
        if address.password:
            login = [part.encode() for part in (address.user, address.password) if part]
            commands.insert(0, encode_command(b"AUTH", *login))
            self._awaited = b"+OK\r\n" + self._awaited
        self.transport.write(b"".join(commands))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)   # uvloop's is one without saying so

    def data_received(self, data: bytes) -> None:
        if self.greeted.done():
            self.received(data)
            return
        self._answer += data
        if self._answer == self._awaited:
            self.greeted.set_result(None)
        elif not self._awaited.startswith(self._answer):
            self.greeted.set_exception(ConnectionError(self._answer[:200].decode(errors="replace").strip()))

    def connection_lost(self, error: Exception | None) -> None:
        if not self.greeted.done():
            self.greeted.set_exception(error or ConnectionError("closed before it answered"))
        if not self.closed.done():
            self.closed.set_result(None)


Link = TypeVar("Link", bound=RedisLink)


async def keep_linked(address: RedisAddress, make: Callable[[], Link], opened: Callable[[Link], None]) -> None:
    """Connect, call `opened`, wait for the end of the link, and so on until cancelled.

    Failures are logged once per outage. After a failure, and after each end, there is a pause before the next attempt.
    """
    pause = PAUSE_SECONDS_MIN
    while True:
        try:
            link = await _connect(address, make)
        except (OSError, TimeoutError) as error:
            if pause == PAUSE_SECONDS_MIN:
                _log.warning("Redis at %s is away, trying on: %s", address, error or type(error).__name__)
            await asyncio.sleep(pause)
            pause = min(2 * pause, PAUSE_SECONDS_MAX)
            continue
        pause = PAUSE_SECONDS_MIN
        try:
            if not link.closed.done():      # else it ended right after its greeting, and nothing can be written to it
                opened(link)
            await link.closed
        finally:
            link.transport.abort()
        _log.warning("the connection to Redis at %s has ended", address)
        await asyncio.sleep(PAUSE_SECONDS_MIN)


async def _connect(address: RedisAddress, make: Callable[[], Link]) -> Link:
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(GREETING_SECONDS_MAX):
        if address.path:
            _, link = await loop.create_unix_connection(make, address.path)
        else:
            secure = ssl.create_default_context() if address.tls else None
            _, link = await loop.create_connection(make, address.host, address.port, ssl=secure)
        try:
            link.greet(address)
            await link.greeted
        except BaseException:
            link.transport.abort()
            raise
        return link
