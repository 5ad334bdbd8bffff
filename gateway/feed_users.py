"""Private events in a feed process: follows the exchange (user_feed.py) and hands each event to who listens to its key.

Nothing is kept, merged or dropped: when the link to the exchange is lost, all who listen to a key are parted with, as
events may be missing. A key that is not known may have been made a moment ago: it is waited for, `seconds_max`, then
whoever asked is told that it is over.
"""
import asyncio
import logging
from pathlib import Path
from typing import Protocol, cast

import msgspec
from msgspec import Raw

from gateway.door_frames import REPLY_MESSAGE_BYTES_MAX, FrameReader, FrameTooLong
from gateway.listen_words import ENDED, STARTED

PAUSE_SECONDS_MIN, PAUSE_SECONDS_MAX = 0.02, 1.0
_NOTHING = b"null"
_read = msgspec.json.Decoder(list[tuple[str, str, Raw]]).decode
_log = logging.getLogger(__name__)


class KeyListener(Protocol):
    """A connection that listens to keys."""

    def private(self, key: str, event: bytes) -> None:
        """One event of the key, as JSON."""

    def key_ended(self, key: str) -> None:
        """The key is over, or never was."""

    def lost(self) -> None:
        """Events may be missing."""


class FeedUsers:
    """Who listens to which key; `run` keeps the link."""

    def __init__(self, path: Path, seconds_max: float) -> None:
        self.known: set[str] = set()
        self._path, self._seconds_max = path, seconds_max
        self._listeners: dict[str, dict[KeyListener, None]] = {}
        self._lost = asyncio.Event()

    def join(self, key: str, listener: KeyListener) -> None:
        """From now on; one listener may join many keys."""
        self._listeners.setdefault(key, {})[listener] = None
        if key not in self.known:
            asyncio.get_running_loop().call_later(self._seconds_max, self._give_up, key, listener)

    def leave(self, key: str, listener: KeyListener) -> None:
        """At once."""
        members = self._listeners[key]
        del members[listener]
        if not members:
            del self._listeners[key]

    async def run(self) -> None:
        """Follow the exchange, and again after each loss, until cancelled."""
        loop = asyncio.get_running_loop()
        pause = PAUSE_SECONDS_MIN
        while True:
            try:
                transport, _ = await loop.create_unix_connection(lambda: _Link(self), str(self._path))
            except OSError:
                pause = min(2 * pause, PAUSE_SECONDS_MAX)
            else:
                pause = PAUSE_SECONDS_MIN
                try:
                    await self._lost.wait()
                finally:
                    transport.abort()
                self._lost.clear()
            await asyncio.sleep(pause)

    # for the link

    def heard(self, word: str, key: str, payload: bytes) -> None:
        """What the exchange says."""
        if word == STARTED:
            self.known.add(key)
            return
        listeners = list(self._listeners.get(key, ()))
        if payload != _NOTHING:
            for listener in listeners:
                listener.private(key, payload)
        if word == ENDED:
            self.known.discard(key)
            for listener in listeners:
                listener.key_ended(key)

    def link_lost(self) -> None:
        """Nobody knows what the exchange said meanwhile; those who wait for a key go on waiting."""
        parted = {listener: None for key in self.known for listener in self._listeners.get(key, ())}
        self.known.clear()
        for listener in parted:
            listener.lost()
        self._lost.set()

    def _give_up(self, key: str, listener: KeyListener) -> None:
        if key not in self.known and listener in self._listeners.get(key, ()):
            listener.key_ended(key)


class _Link(asyncio.Protocol):
    """One connection to the exchange."""

    def __init__(self, users: FeedUsers) -> None:
        self._users, self._reader = users, FrameReader(REPLY_MESSAGE_BYTES_MAX)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        try:
            for message in self._reader.feed(data):
                for word, key, payload in _read(message):
                    self._users.heard(word, key, bytes(payload))
        except (FrameTooLong, msgspec.DecodeError) as error:
            _log.error("the exchange's private events cannot be read: %s", error)
            self._transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        """Called by asyncio."""
        self._users.link_lost()
