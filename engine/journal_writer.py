"""Appends frames to the journal, one at a time, and tells when each is durable.

The bytes are written and fdatasynced by a native thread (engine/disk.pyx); this class lives on the event loop and never
waits. A failed write is final: `on_failed` is called, nothing more is reported durable, the process must end.
"""
import asyncio
import os
from collections.abc import Callable
from threading import Thread

from engine.config import Journal as Settings
from engine.disk import DiskThread
from engine.errors import JournalError, Stopped
from engine.frames import HEADER_BYTES
from engine.journal import Walk
from engine.records import RECORD_BYTES
from engine.segments import START, Segment, SegmentHeader, sync_names
from engine.spare import Spare

FIRST_SEGMENT_BYTES = 16 * 1024 * 1024  # each next one twice as long, up to segment_bytes: a small venue starts at once
_PIECE_BYTES = 1024 * 1024
_STARTS_WHEN_FULL = 64
_RESTART = "Check the disk, then start again: recovery keeps every acknowledged command."


class JournalWriter:
    """Goes on where a completed Walk found the end. `open`, `start`, `append` (again after `on_durable`), `close`.

    on_durable(raw): these bytes, a whole frame, are on the disk. segments: every file with its durable end.
    write_ns: how long the last frame took to be durable once the disk had it.
    """

    def __init__(self, walk: Walk, settings: Settings) -> None:
        self.directory, self.segments, self.chain = walk.directory, walk.segments, walk.chain
        self.journal_id = walk.journal_id or int.from_bytes(os.urandom(8), "little") | 1
        self.on_durable: Callable[[bytes], None] = _nobody
        self.on_failed: Callable[[Exception], None] = _nobody
        self._unclean = walk.unclean
        self._frames_bytes = 2 * HEADER_BYTES + settings.frame_commands_max * RECORD_BYTES  # an epoch's and the largest
        self._most_bytes = max(settings.segment_bytes, START + self._frames_bytes)
        reserve_bytes = max(START + self._frames_bytes, min(settings.reserve_bytes, self._most_bytes))
        self._spare = Spare(walk.directory, reserve_bytes)
        self.write_ns = 0
        self._fd = -1
        self._raw = b""
        self._rolling: asyncio.Task[None] | None = None

    @property
    def storage_low(self) -> bool:
        """The disk has no room for the next segment or for the reserve: take nothing but cancels."""
        return self._spare.low

    @property
    def room_commands(self) -> int:
        """Commands that find a place without new room on the disk, even if each has a frame of its own.

        Some room is left for the frames that open epochs, so that the engine can be started again meanwhile.
        """
        room_bytes = self.segment.size_bytes - self.segment.end - _STARTS_WHEN_FULL * HEADER_BYTES
        if self._spare.reserve_bytes:
            room_bytes += self._spare.reserve_bytes - START - self._frames_bytes  # the old segment's end stays unused
        return max(0, room_bytes) // (HEADER_BYTES + RECORD_BYTES)

    @property
    def waits_for_room(self) -> bool:
        """A frame fits nowhere until somebody frees some space."""
        rolling = self._rolling is not None and not self._rolling.done()
        return rolling and self.storage_low and not self._spare.reserve_bytes

    @property
    def segment(self) -> Segment:
        """The one that is written to."""
        return self.segments[-1]

    def open(self) -> None:
        """Make all that was found durable, clear what a torn write left, open a new epoch. Raises JournalError."""
        try:
            sync_names(self.directory)
            if not self.segments:
                self.segments.append(self._spare.first(self._next_header(), self._next_size()))
            self._fd = os.open(self.segment.path, os.O_RDWR | os.O_CLOEXEC)
            self._write_again()
            self._clear()
            self._lengthen()
            if not self.segment.fits(0):
                self._use(self._spare.first(self._next_header(), self._next_size()))
            self._open_epoch()
        except OSError as error:
            raise JournalError(self.directory, 0, f"cannot be written: {error}", "Check the disk.") from error

    def start(self) -> None:
        """Begin to work on the running loop."""
        self._disk = DiskThread()
        self._thread = Thread(target=self._disk.run, name="journal", daemon=True)
        self._thread.start()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._disk.event_fd, self._outcome)
        self._spare.reserve.keep()
        self._look_ahead()

    def append(self, commands: bytes) -> None:
        """Make one frame of these stamped commands durable. The frame before must have been reported."""
        if self.segment.fits(len(commands) // RECORD_BYTES):
            self._write(commands)
        else:
            self._rolling = self._loop.create_task(self._roll(commands))

    async def close(self) -> None:
        """Stop the threads and close the file. A frame under way is finished, but may not be reported any more."""
        self._spare.close()
        if self._rolling is not None:
            await asyncio.wait([self._rolling])
        self._loop.remove_reader(self._disk.event_fd)
        self._disk.stop()
        await asyncio.to_thread(self._thread.join)
        self._disk.free()
        os.close(self._fd)

    def _write(self, commands: bytes) -> None:
        self._raw = self.chain.encode(commands)
        self._disk.write(self._fd, self._raw, self.segment.end)

    def _outcome(self) -> None:
        error, raw = self._disk.outcome(), self._raw
        self.write_ns = self._disk.elapsed_ns
        if error:
            self.on_failed(JournalError(self.segment.path, self.segment.end,
                                        f"writing failed: {os.strerror(error)}", _RESTART))
            return
        first_seq = int.from_bytes(raw[8:16], "little")
        self.segment.advance(first_seq, len(raw))
        self._look_ahead()
        self.on_durable(raw)

    def _look_ahead(self) -> None:
        if self.segment.end * 2 > self.segment.size_bytes:
            self._spare.prepare(self._next_size())

    async def _roll(self, commands: bytes) -> None:
        try:
            self._use(await self._spare.take(self._next_header(), self._next_size()))
        except Stopped:
            return
        except OSError as error:
            self.on_failed(JournalError(self.directory, 0, f"no new segment: {error}", _RESTART))
            return
        self._write(commands)

    def _use(self, segment: Segment) -> None:
        os.close(self._fd)
        self._fd = os.open(segment.path, os.O_RDWR | os.O_CLOEXEC)
        self.segments.append(segment)

    def _next_header(self) -> SegmentHeader:
        return SegmentHeader(self.journal_id, self.chain.next_seq, self.chain.epoch, self.chain.crc)

    def _next_size(self) -> int:
        wanted = self.segment.size_bytes * 2 if self.segments else FIRST_SEGMENT_BYTES
        return max(START + self._frames_bytes, min(wanted, self._most_bytes))

    def _write_again(self) -> None:
        """The last frames may be in memory only, and clean there: after an fdatasync that failed nobody writes them.

        These are the last one with commands and the epochs' frames behind it: any other was durable before the next.
        """
        begin = self.segment.tail
        os.pwrite(self._fd, os.pread(self._fd, self.segment.end - begin, begin), begin)

    def _clear(self) -> None:
        """Zero what lies behind the end, so that no old byte is ever read as part of a later frame."""
        for begin in self._unclean:
            size = min(_PIECE_BYTES, self.segment.size_bytes - begin)
            os.pwrite(self._fd, bytes(size), begin)
        os.fdatasync(self._fd)

    def _lengthen(self) -> None:
        """A segment without commands has the name its successor would need: give it room for the next frame instead."""
        segment, size_bytes = self.segment, self.segment.end + self._frames_bytes
        if segment.first_seq == self.chain.next_seq and segment.size_bytes < size_bytes:
            os.pwrite(self._fd, bytes(size_bytes - segment.size_bytes), segment.size_bytes)
            os.fsync(self._fd)
            segment.size_bytes = size_bytes

    def _open_epoch(self) -> None:
        self.chain.epoch += 1
        first_seq, raw = self.chain.next_seq, self.chain.encode(b"")
        os.pwrite(self._fd, raw, self.segment.end)
        os.fdatasync(self._fd)
        self.segment.advance(first_seq, len(raw))


def _nobody(_: object) -> None:
    """Stands in until the engine has named its callbacks."""
