"""The drop copy: every durable frame, in order, to every follower over a Unix socket, from any sequence number.

A follower is either behind (fed from the journal's files, a piece per loop pass) or live (given each frame as it
becomes durable). One that does not read fast enough is sent back to the files before its buffer passes
follower_buffer_bytes_max, so a slow follower costs no memory and never holds the engine. Only durable bytes are sent:
a segment's `end` is where they end.
"""
import asyncio
import itertools
import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

from engine.config import Limits
from engine.dropcopy_wire import HELLO_BYTES, REPORT_BYTES, Greeting, Status, decode_hello, decode_report
from engine.frames import frame_of
from engine.journal_writer import JournalWriter
from engine.segments import START

_PIECE_BYTES_MAX = 128 * 1024           # read from a file in one pass of the loop: about 30 us from the page cache
_SCAN_BYTES_MAX = 4 * 1024 * 1024      # read on the loop to find a place
_READ_AHEAD_BYTES = 4 * 1024 * 1024
_COLD_WAIT_SECONDS = 0.002              # for the kernel to bring cold bytes into memory
_COLD_WAITS_MAX = 50                    # then they are read even if that holds the loop
_log = logging.getLogger(__name__)


class DropCopy:
    """The server. `publish` each durable frame in order; the writer's segments tell what may be sent."""

    def __init__(self, path: Path, writer: JournalWriter, limits: Limits,
                 reported: Mapping[str, Callable[[int], None]] | None = None) -> None:
        """`reported`: whom to tell how far a follower of that name is, by its own word."""
        self.reported = reported or {}
        self.path, self.writer, self.limits = path, writer, limits
        self.next_seq = writer.chain.next_seq
        self.followers: set[Follower] = set()
        self.numbers = itertools.count(1)
        self.closed = False     # a connection may be accepted just then: it is cut
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen. The caller holds the data directory's lock, so an old socket file belongs to nobody."""
        self.path.unlink(missing_ok=True)
        self._server = await asyncio.get_running_loop().create_unix_server(lambda: Follower(self), str(self.path))

    def publish(self, raw: bytes) -> None:
        """Give a frame that has just become the newest durable one to the live followers."""
        self.next_seq = frame_of(raw).end_seq
        for follower in tuple(self.followers):
            follower.offer(raw)

    def drop(self, count: int) -> int:
        """Take the oldest segments off the list, as many of these as no follower is reading; how many that were."""
        behind = [follower for follower in self.followers if follower.behind]
        count = min([count, *(follower.place for follower in behind)])
        del self.writer.segments[:count]
        for follower in behind:
            follower.place -= count
        return count

    async def close(self) -> None:
        """Stop listening and disconnect everybody; they go on from their position at the next start."""
        self.closed = True
        if self._server is None:
            return
        self._server.close()
        for follower in tuple(self.followers):
            follower.disconnect()
        await self._server.wait_closed()
        self.path.unlink(missing_ok=True)


def _nobody(seq: int) -> None:
    """For reports of followers that nobody waits for."""


class Follower(asyncio.Protocol):
    """One connection: waits for the hello, catches up from the files, then is live."""

    def __init__(self, server: DropCopy) -> None:
        self._server, self._limits = server, server.limits
        self.number = next(server.numbers)      # of this connection, for whoever looks at them from outside
        self._hello = b""
        self._welcome = False
        self._live = False
        self._from_seq = 0                      # asked for and not looked for yet
        self.place, self._offset = 0, START    # segment and position of the next byte to send while behind
        self._fd = -1
        self._piece_bytes = max(1, min(_PIECE_BYTES_MAX, self._limits.follower_buffer_bytes_max // 4))
        self._writable = asyncio.Event()
        self._catching_up: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)
        self._transport.set_write_buffer_limits(high=2 * self._piece_bytes, low=self._piece_bytes)
        self._writable.set()
        self._deadline = asyncio.get_running_loop().call_later(
            self._limits.follower_hello_seconds_max, self.disconnect)
        if self._server.closed:
            self.disconnect()
        if len(self._server.followers) >= self._limits.followers_max:
            self._greet(Status.FULL)
        self._server.followers.add(self)

    def data_received(self, data: bytes) -> None:
        if self._transport.is_closing():
            return
        self._hello += data
        if self._welcome:
            self._read_reports()
        elif len(self._hello) > HELLO_BYTES:
            self._greet(Status.BAD_HELLO)
        elif len(self._hello) == HELLO_BYTES:
            self._answer(decode_hello(self._hello))

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.followers.discard(self)
        self._deadline.cancel()
        self._live = False
        if self._catching_up is not None:
            self._catching_up.cancel()

    def offer(self, raw: bytes) -> None:
        """The newest durable frame: sent at once when live and there is room, else left to the files."""
        if not self._live:
            return
        waiting = self.buffered_bytes
        if not waiting or waiting + len(raw) <= self._limits.follower_buffer_bytes_max:
            self._transport.write(raw)
            return
        segments = self._server.writer.segments
        self.place, self._offset = len(segments) - 1, segments[-1].end - len(raw)
        self._fall_behind()

    @property
    def behind(self) -> bool:
        """It is fed from the files; `place` is the segment it is in."""
        return self._welcome and not self._live

    @property
    def buffered_bytes(self) -> int:
        """What waits in memory for this follower to read."""
        return self._transport.get_write_buffer_size()

    @property
    def unsent_bytes(self) -> int:
        """Durable frames it has not been sent: what waits in memory, and behind it in the files."""
        if self._live or not self._welcome:
            return self.buffered_bytes
        segments = self._server.writer.segments
        later = sum(segment.used_bytes - START for segment in segments[self.place + 1:])
        return self.buffered_bytes + segments[self.place].used_bytes - self._offset + later

    def disconnect(self) -> None:
        """Drop the connection and what waits in its buffer."""
        self._transport.abort()

    def _read_reports(self) -> None:
        """What a welcome follower says: how far it is. The connection ends with anything else."""
        whole = len(self._hello) - len(self._hello) % REPORT_BYTES
        reports, self._hello = self._hello[:whole], self._hello[whole:]
        for start in range(0, whole, REPORT_BYTES):
            name, seq = decode_report(reports[start:start + REPORT_BYTES])
            if not name or seq >= self._server.next_seq:
                _log.error("a follower says what is no report: its connection is ended")
                self.disconnect()
                return
            self._server.reported.get(name, _nobody)(seq)

    def _answer(self, from_seq: int) -> None:
        segments, next_seq = self._server.writer.segments, self._server.next_seq
        if not from_seq:
            self._greet(Status.BAD_HELLO)
        elif from_seq > next_seq:
            _log.error("a follower asks for command %d, the journal ends at %d: it is ahead", from_seq, next_seq - 1)
            self._greet(Status.AHEAD)
        elif from_seq < segments[0].first_seq:
            self._greet(Status.GONE)
        else:
            self._hello = b""
            self._greet(Status.WELCOME)
            self._from_seq = from_seq
            self.place = self._segment_of(from_seq)
            self._fall_behind()

    def _greet(self, status: Status) -> None:
        self._deadline.cancel()
        self._transport.write(Greeting(status, self._server.writer.journal_id, self._server.next_seq).encode())
        self._welcome = status is Status.WELCOME
        if not self._welcome:
            self._transport.close()

    def _segment_of(self, from_seq: int) -> int:
        """An epoch's frame may end the segment before the one that begins with this command."""
        segments = self._server.writer.segments
        before = [place for place, segment in enumerate(segments) if segment.first_seq < from_seq]
        return before[-1] if before else 0

    async def _locate(self) -> None:
        """Find the first frame to send; in a thread where that takes reading much."""
        from_seq, self._from_seq = self._from_seq, 0
        segment = self._server.writer.segments[self.place]
        if not segment.knows(from_seq) and segment.used_bytes > _SCAN_BYTES_MAX:
            await asyncio.to_thread(segment.index)
            self._offset = await asyncio.to_thread(segment.locate, from_seq)
        else:
            segment.index()
            self._offset = segment.locate(from_seq)

    def _fall_behind(self) -> None:
        self._live = False
        self._catching_up = asyncio.get_running_loop().create_task(self._catch_up())

    async def _catch_up(self) -> None:
        """Feed from the files until nothing durable is left there; then live, in the same pass of the loop."""
        try:
            if self._from_seq:
                await self._locate()
            while not self._live:
                await self._writable.wait()
                await self._send_piece()
        except OSError as error:
            _log.error("a follower is dropped: %s cannot be read: %s", self._server.writer.directory, error)
            self.disconnect()
        finally:
            self._close_file()

    async def _send_piece(self) -> None:
        segments = self._server.writer.segments
        segment = segments[self.place]
        if self._offset < segment.end:
            data = await self._read(segment.path, min(self._piece_bytes, segment.end - self._offset))
            self._transport.write(data)
            self._offset += len(data)
            await asyncio.sleep(0)
        elif self.place + 1 < len(segments):
            self._close_file()
            if not segments[self.place + 1].indexed:
                await asyncio.to_thread(segments[self.place + 1].index)
            self.place, self._offset = self.place + 1, START
        else:
            self._live = True

    async def _read(self, path: Path, size: int) -> bytes:
        """Bytes of a segment without holding the loop for the disk: cold ones are asked for and waited for."""
        if self._fd < 0:
            self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        os.posix_fadvise(self._fd, self._offset, _READ_AHEAD_BYTES, os.POSIX_FADV_WILLNEED)
        buffer = bytearray(size)
        for _ in range(_COLD_WAITS_MAX):
            try:
                got = os.preadv(self._fd, [buffer], self._offset, os.RWF_NOWAIT)
            except OSError:  # not in memory yet, or a file system that cannot tell
                got = 0
            if got:
                return bytes(buffer[:got])
            await asyncio.sleep(_COLD_WAIT_SECONDS)
        return os.pread(self._fd, size, self._offset)

    def _close_file(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
