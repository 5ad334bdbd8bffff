"""The socket at which feed processes hear the private events of listen keys.

Frames as at the door: a u32 length and JSON, here [[word, key, payload], ...]. A feed that connects is told all keys
that are good (`started`), then what happens, in order: `event` with an event of the key, `ended` with the last event of
the key or null. It says nothing itself. One that leaves more than `buffer_bytes_max` unread is cut: it connects again,
and parts with its clients, who must learn what they missed. The socket lies in the venue's private folder.
"""
import asyncio
import logging
import os
from pathlib import Path
from typing import cast

import msgspec
from msgspec import Raw

from gateway.door_frames import frame
from gateway.listen_keys import ListenKeys
from gateway.listen_words import STARTED

_NOTHING = Raw(b"null")
_log = logging.getLogger(__name__)


class UserFeed:
    """The listening socket and the feeds that follow."""

    def __init__(self, keys: ListenKeys, buffer_bytes_max: int) -> None:
        self.keys, self.buffer_bytes_max = keys, buffer_bytes_max
        self.links: set[UserFeedLink] = set()
        self._waiting: list[tuple[str, str, Raw]] = []
        self._server: asyncio.Server | None = None

    async def open(self, path: Path) -> None:
        """Listen. A socket left by a process that died is replaced: the lock on the data directory says we may."""
        path.unlink(missing_ok=True)
        self._server = await asyncio.get_running_loop().create_unix_server(lambda: UserFeedLink(self), str(path))
        os.chmod(path, 0o600)
        self.keys.listeners.append(self._tell)

    async def close(self) -> None:
        """Send what waits, stop listening and hang up."""
        self._flush()
        if self._server is not None:
            self._server.close()
        for link in list(self.links):
            link.hang_up()
        if self._server is not None:
            await self._server.wait_closed()

    def _tell(self, word: str, key: str, payload: bytes) -> None:
        if not self.links:
            return
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._flush)
        self._waiting.append((word, key, Raw(payload)))

    def _flush(self) -> None:
        """What was told in this loop pass, in one write to each."""
        waiting, self._waiting = self._waiting, []
        if waiting:
            message = frame(msgspec.json.encode(waiting))
            for link in list(self.links):
                link.send(message)


class UserFeedLink(asyncio.Protocol):
    """One feed process."""

    def __init__(self, feed: UserFeed) -> None:
        self._feed = feed

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio. What waits for the others must not come before the keys it is about, nor twice."""
        self._transport = cast(asyncio.Transport, transport)
        self._feed._flush()
        self._feed.links.add(self)
        self.send(frame(msgspec.json.encode([(STARTED, key, _NOTHING) for key in self._feed.keys.known])))

    def connection_lost(self, error: Exception | None) -> None:
        """Called by asyncio."""
        self._feed.links.discard(self)

    def send(self, message: bytes) -> None:
        """Write, and cut one that does not read."""
        if self._transport.is_closing():
            return
        self._transport.write(message)
        if self._transport.get_write_buffer_size() > self._feed.buffer_bytes_max:
            _log.error("a feed process was cut: it does not read the private events")
            self._transport.abort()

    def hang_up(self) -> None:
        """Close after what was sent."""
        self._transport.close()
