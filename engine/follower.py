"""Follows the drop copy: every durable frame from a sequence number on, verified, over any number of reconnections.

A follower never asks for more than it can take: reading stops while the consumer works. The exchange may be away for
any time; the follower tries again, at first soon, then once a second. It stops with JournalError when what it hears
cannot be the same journal: damaged bytes, another history, or a journal that ends before the follower's own position.
"""
import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

from engine.dropcopy_wire import GREETING_BYTES, Greeting, Status, decode_greeting, encode_hello, encode_report
from engine.errors import JournalError
from engine.frames import BadFrame, Chain, Frame, FrameSplitter

BACKOFF_SECONDS_MIN = 0.02
BACKOFF_SECONDS_MAX = 1.0
_READ_BYTES = 256 * 1024
_log = logging.getLogger(__name__)


class Report:
    """Tells the exchange how far a follower is with what it makes of the frames: `reached`, over any connections."""

    def __init__(self, name: str) -> None:
        self._name, self._seq = name, 0
        self._writer: asyncio.StreamWriter | None = None

    def reached(self, seq: int) -> None:
        """Everything up to this command is done for good."""
        self._seq = seq
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(encode_report(self._name, seq))

    def attach(self, writer: asyncio.StreamWriter) -> None:
        """A new connection was welcomed."""
        self._writer = writer
        if self._seq:
            self.reached(self._seq)


async def follow(path: Path, from_seq: int, report: Report | None = None) -> AsyncIterator[Frame]:
    """The commands from `from_seq` (1 or more) on, for ever: frames from the drop copy at this socket.

    Raises JournalError when this journal cannot be the one followed so far.
    """
    position, delay_seconds = _Position(path, from_seq), BACKOFF_SECONDS_MIN
    while True:
        try:
            reader, writer = await _connect(path, position)
        except (OSError, EOFError) as error:
            _log.info("the drop copy at %s is away (%s): trying again", path, error)
            await asyncio.sleep(delay_seconds)
            delay_seconds = min(2 * delay_seconds, BACKOFF_SECONDS_MAX)
            continue
        delay_seconds = BACKOFF_SECONDS_MIN
        if report is not None:
            report.attach(writer)
        try:
            splitter = FrameSplitter()
            while data := await _read(reader):
                for frame in position.take(splitter, data):
                    yield frame
        finally:
            writer.close()
        await asyncio.sleep(delay_seconds)


async def _connect(path: Path, position: "_Position") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection that was welcomed. OSError and EOFError: try again."""
    reader, writer = await asyncio.open_unix_connection(str(path), limit=_READ_BYTES)
    try:
        writer.write(encode_hello(position.next_seq))
        position.check(decode_greeting(await reader.readexactly(GREETING_BYTES)))
    except BaseException as error:
        writer.close()
        if isinstance(error, ValueError):
            raise JournalError(path, 0, str(error), "Use the same version of Buttonwood on both sides.") from None
        raise
    return reader, writer


async def _read(reader: asyncio.StreamReader) -> bytes:
    """The next bytes; empty when the connection is gone."""
    try:
        return await reader.read(_READ_BYTES)
    except OSError:
        return b""


class _Position:
    """Where the follower stands in which journal, and whether a new connection has linked up with that."""

    def __init__(self, path: Path, from_seq: int) -> None:
        self.path, self._from_seq = path, from_seq
        self._journal_id = 0
        self._chain = Chain(from_seq, linked=False)
        self._searching = True

    @property
    def next_seq(self) -> int:
        """The command to ask for."""
        return max(self._from_seq, self._chain.next_seq)

    def check(self, greeting: Greeting) -> None:
        """Accept a new connection. Raises ConnectionError (try again) or JournalError (never again)."""
        if greeting.status is Status.FULL:
            raise ConnectionError("followers_max connections are open")
        if self._journal_id not in (0, greeting.journal_id):
            raise self._other_history(f"its id is {greeting.journal_id:x}, it was {self._journal_id:x}")
        if greeting.status is Status.AHEAD:
            raise JournalError(
                self.path, 0, f"the journal ends at command {greeting.next_seq - 1}, this follower has seen "
                f"{self.next_seq - 1}", "The journal has lost its end: restore it, or rebuild the follower from it.")
        if greeting.status is not Status.WELCOME:
            raise JournalError(self.path, 0, f"command {self.next_seq} is refused: {greeting.status.name}",
                               "The journal's older part is away: start from a snapshot or restore it.")
        self._journal_id = greeting.journal_id
        self._searching = True

    def take(self, splitter: FrameSplitter, data: bytes) -> list[Frame]:
        """The frames with new commands that are complete with these bytes."""
        try:
            return [frame.after(self._from_seq) for frame in splitter.feed(data) if self._accept(frame)]
        except BadFrame as bad:
            raise JournalError(self.path, 0, f"the frame of command {self._chain.next_seq} is unsound: {bad}",
                               "The exchange's journal is damaged there: check it before going on.") from None

    def _accept(self, frame: Frame) -> bool:
        if self._searching and not self._link(frame):
            return False
        self._chain.accept(frame)
        return frame.count > 0 and frame.end_seq > self._from_seq

    def _link(self, frame: Frame) -> bool:
        """A new connection may begin with epochs' frames seen before; its first new one must continue the chain."""
        if not self._chain.linked:
            if frame.first_seq > self._from_seq:
                raise BadFrame(f"first_seq {frame.first_seq}, expected at most {self._from_seq}")
            self._chain = Chain(frame.first_seq, frame.epoch, linked=False)
        elif frame.prev_crc != self._chain.crc:
            if frame.count:
                raise self._other_history("its frames do not continue those seen before")
            return False
        self._searching = False
        return True

    def _other_history(self, reason: str) -> JournalError:
        return JournalError(self.path, 0, f"this is another journal: {reason}",
                            "Point the follower at the journal it has followed, or rebuild the follower.")
