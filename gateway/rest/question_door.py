"""The socket at which the exchange asks what only Postgres knows: klines, statistics, trades and orders of the past.

So these methods are there over WebSocket as well, and the exchange process neither waits for Postgres nor spends its
time on it. Messages are those of door.py, the other way round; replies come as they are ready. The socket lies in the
venue's private folder. Of several REST processes the one that was started last answers; without one, it is 503 -1001.

More than QUESTIONS_MAX questions at once are answered with 429 -1003, a message that cannot be read ends the
connection, as do more unsent bytes than REPLY_BYTES_MAX.
"""
import asyncio
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import msgspec

from gateway.door_frames import REQUEST_MESSAGE_BYTES_MAX, FrameReader, FrameTooLong, frame
from gateway.questions import QUESTIONS
from gateway.refusals import TOO_MANY_REQUESTS, UNKNOWN_ERROR, UNSUPPORTED, Refusal
from gateway.rest.gateway import NS_PER_MS, NS_PER_US, Local

QUESTIONS_MAX = 1024
REPLY_BYTES_MAX = 256 * 2**20
_read_questions = msgspec.json.Decoder(list[tuple[int, int, str, dict[str, str]]]).decode
_log = logging.getLogger(__name__)


class QuestionDoor:
    """Answers with the local methods of the REST gateway."""

    def __init__(self, methods: Mapping[str, Local]) -> None:
        self.methods = {name: methods[name] for name in QUESTIONS}
        self.connections: set[QuestionConnection] = set()
        self._server: asyncio.Server | None = None

    async def open(self, path: Path) -> None:
        """Listen; a socket that is there is taken over."""
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.unlink(missing_ok=True)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(lambda: QuestionConnection(self), str(path))
        os.chmod(path, 0o600)

    async def close(self) -> None:
        """Stop listening and hang up."""
        if self._server is not None:
            self._server.close()
        for connection in list(self.connections):
            connection.cut()
        if self._server is not None:
            await self._server.wait_closed()


class QuestionConnection(asyncio.Protocol):
    """One exchange process that asks."""

    def __init__(self, door: QuestionDoor) -> None:
        self._door = door
        self._reader = FrameReader(REQUEST_MESSAGE_BYTES_MAX)
        self._tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        self._transport = cast(asyncio.Transport, transport)
        self._door.connections.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        """Called by asyncio."""
        self._door.connections.discard(self)
        for task in self._tasks:
            task.cancel()

    def cut(self) -> None:
        """Close at once."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        try:
            for message in self._reader.feed(data):
                for number, account, method, params in _read_questions(message):
                    self._begin(number, account, method, params)
        except (FrameTooLong, msgspec.DecodeError, UnicodeDecodeError) as error:
            _log.error("the door for questions was closed: %s", error)
            self.cut()

    def _begin(self, number: int, account: int, method: str, params: dict[str, str]) -> None:
        if len(self._tasks) >= QUESTIONS_MAX:
            self._reply(number, Refusal(TOO_MANY_REQUESTS))
            return
        task = asyncio.get_running_loop().create_task(self._answer(number, account, method, params))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, number: int, account: int, method: str, params: dict[str, str]) -> None:
        unit_ns = NS_PER_US if params.pop("timeUnit", "") == "MICROSECOND" else NS_PER_MS
        work = self._door.methods.get(method)
        try:
            if work is None:
                raise Refusal(UNSUPPORTED)
            self._reply(number, await work(account, params, unit_ns))
        except Refusal as refusal:
            self._reply(number, refusal)
        except Exception:
            _log.exception("%s failed", method)
            self._reply(number, Refusal(UNKNOWN_ERROR))

    def _reply(self, number: int, result: bytes | Refusal) -> None:
        status, body = (result.status, result.body()) if isinstance(result, Refusal) else (200, result)
        if self._transport.is_closing():
            return
        self._transport.write(frame(b"[[%d,%d,%b]]" % (number, status, body)))
        if self._transport.get_write_buffer_size() > REPLY_BYTES_MAX:
            _log.error("the door for questions was closed: the exchange does not read its replies")
            self.cut()
