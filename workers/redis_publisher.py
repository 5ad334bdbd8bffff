"""Publishes to Redis without ever waiting: commands are joined into one write, answers are only counted.

Why not a client library: an awaited publish through redis-py costs 90 to 150 us of CPU, this half a microsecond
(bench/feed.py measures both). Prices are ephemeral, so nothing is kept for a server that is away:

  server away or gone       what is published is dropped and counted; we connect again for ever, with growing pauses
  each new connection       a higher `epoch`, by which readers know that something may be missing
  server takes no more      above redis.buffer_bytes_max of unsent bytes the connection is cut, and so on as above
  server does not answer    after redis.silent_seconds_max likewise: a stopped process has room in its kernel buffers
  server refuses a command  logged with its text, likewise
"""
import asyncio
import logging
import time
from collections.abc import Callable

from engine.config import Redis
from engine.redis_link import RedisAddress, RedisLink, keep_linked

_log = logging.getLogger(__name__)


class PublisherLink(RedisLink):
    """One connection; knows how many answers it waits for and since when."""

    def __init__(self) -> None:
        super().__init__()
        self.pending = 0            # commands without an answer
        self._heard_at = 0.0        # loop time of the last answer, or of the first command after all were answered

    def write(self, commands: list[bytes], now: float) -> None:
        """All commands in one write."""
        if not self.pending:
            self._heard_at = now
        self.pending += len(commands)
        self.transport.write(b"".join(commands))

    def silent_seconds(self, now: float) -> float:
        """How long an answer has been missing; 0 when none is."""
        return now - self._heard_at if self.pending else 0.0

    def received(self, data: bytes) -> None:
        """Each answer to PUBLISH is one line with the number of readers; a minus sign starts an error."""
        self.pending -= data.count(b"\n")
        self._heard_at = asyncio.get_running_loop().time()
        if b"-" in data:
            _log.error("Redis refuses: %s", data[data.index(b"-"):][:200].decode(errors="replace").strip())
            self.transport.abort()


class RedisPublisher:
    """Keeps one connection and writes to it. `opened` is called whenever a new one is ready."""

    def __init__(self, settings: Redis, opened: Callable[[], None]) -> None:
        self.epoch = 0       # of the present connection; rises with each one, also over restarts of this process
        self.published = 0   # messages handed to the kernel or its write buffer
        self.dropped = 0     # messages for which there was no connection
        self._address, self._settings, self._opened = RedisAddress.parse(settings.url), settings, opened
        self._link: PublisherLink | None = None
        self._commands: list[bytes] = []

    async def run(self) -> None:
        """Connect, and connect again, until cancelled."""
        await keep_linked(self._address, PublisherLink, self._open)

    @property
    def connected(self) -> bool:
        """False: whatever is published now is dropped."""
        return self._link is not None

    @property
    def pending(self) -> int:
        """Messages that were written and are not answered yet."""
        return self._link.pending if self._link is not None else 0

    def publish(self, channel: bytes, message: bytes) -> None:
        """Queue one message for the next flush, or drop it."""
        if self._link is None:
            self.dropped += 1
            return
        self._commands.append(b"*3\r\n$7\r\nPUBLISH\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n" % (
            len(channel), channel, len(message), message))

    def flush(self) -> None:
        """Write what is queued in one piece; call it at the end of each frame and each tick.

        The limit is looked at before the write, so that one large frame alone never cuts a healthy connection.
        """
        link, commands = self._link, self._commands
        if link is None:
            return
        if link.closed.done():      # in this very pass of the loop: the callback comes in the next one
            self._close(link)
            return
        now = asyncio.get_running_loop().time()
        unsent = link.transport.get_write_buffer_size()
        if unsent > self._settings.buffer_bytes_max or link.silent_seconds(now) > self._settings.silent_seconds_max:
            _log.error("Redis does not keep up (%d bytes unsent, %d answers missing): connecting again",
                       unsent, link.pending)
            self._close(link)
        elif commands:
            link.write(commands, now)
            self.published += len(commands)
            commands.clear()

    def _open(self, link: PublisherLink) -> None:
        self.epoch = max(self.epoch + 1, time.time_ns())
        self._link = link
        link.closed.add_done_callback(lambda _: self._close(link))
        self._opened()

    def _close(self, link: PublisherLink) -> None:
        link.transport.abort()
        if self._link is link:
            self._link = None
            self.dropped += len(self._commands)
            self._commands.clear()
