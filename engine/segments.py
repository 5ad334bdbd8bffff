"""Segment files of the journal: their names, their header, and how one comes into being zero-filled.

A file under its final name always has a sound header and all its space: it is written under another name, made durable,
then renamed, then the directory is made durable. JOURNAL.md is the specification.
"""
import errno
import os
import struct
from array import array
from bisect import bisect_left
from contextlib import suppress
from pathlib import Path
from threading import Event

from google_crc32c import extend
from msgspec import Struct

from engine.errors import JournalError
from engine.frame_scan import FOUND, MORE, hop
from engine.frames import HEADER_BYTES
from engine.records import RECORD_BYTES

MAGIC = b"BWJRNL\xb7\xf3"
VERSION = 1                     # raise it with any change of the records in engine/core/types.pxd
START = 64                      # bytes before the first frame
SPARE_NAME = "next-segment.tmp"
MARK_BYTES = 256 * 1024         # an entry of the index in memory for so many bytes of frames
_SCAN_BYTES = 1024 * 1024
_FILL_BYTES = 512 * 1024
_FILL_PAUSE_SECONDS = 0.001     # leaves the disk to the journal between two pieces of a spare segment
_FIELDS = struct.Struct("<8sIIQQQI")
_RESTORE = "Restore the file from a copy of the data directory; nothing was changed."


class SegmentHeader(Struct, frozen=True):
    """First bytes of a segment: which journal it belongs to, and the chain it continues."""

    journal_id: int     # random, the same in all segments of a journal
    first_seq: int
    epoch: int          # of the frame before
    prev_crc: int       # of the frame before; 0 in the first segment

    def encode(self) -> bytes:
        """The 64 bytes at the start of the file."""
        fields = _FIELDS.pack(
            MAGIC, VERSION, RECORD_BYTES, self.journal_id, self.first_seq, self.epoch, self.prev_crc)
        crc: int = extend(0, fields)
        return (fields + crc.to_bytes(4, "little")).ljust(START, b"\0")


class Segment:
    """One file: how far it holds sound frames, and a coarse index from sequence number to offset."""

    def __init__(self, path: Path, header: SegmentHeader, size_bytes: int) -> None:
        self.path, self.header, self.size_bytes = path, header, size_bytes
        self.first_seq = header.first_seq
        self.end = START                    # offset after the last frame
        self.tail = START                   # offset of the last frame with commands; epochs' frames may follow
        self.indexed = True                 # false: nobody has looked for the end yet
        self._mark_seqs = array("Q")
        self._mark_offsets = array("Q")

    def advance(self, frame_first_seq: int, frame_bytes: int) -> None:
        """Count one more frame."""
        if not self._mark_offsets or self.end - self._mark_offsets[-1] >= MARK_BYTES:
            self._mark_seqs.append(frame_first_seq)
            self._mark_offsets.append(self.end)
        if frame_bytes > HEADER_BYTES:
            self.tail = self.end
        self.end += frame_bytes

    def advance_over(self, first_seq: int, run_bytes: int, tail: int) -> None:
        """Count a run of frames; the last one with commands begins at its byte `tail`, below 0: none has any."""
        self.advance(first_seq, 0)
        if tail >= 0:
            self.tail = self.end + tail
        self.end += run_bytes

    def fits(self, count: int) -> bool:
        """Whether a frame of so many commands has room here."""
        return self.end + HEADER_BYTES + count * RECORD_BYTES <= self.size_bytes

    def locate(self, seq: int) -> int:
        """Offset of the first frame that holds `seq` or opens an epoch just before it; `end` when there is none.

        Reads at most MARK_BYTES of frames, more where nobody has read before: behind the start of a recovery from a
        snapshot.
        """
        mark = bisect_left(self._mark_seqs, seq) - 1
        offset, next_seq = (START, self.first_seq) if mark < 0 else (self._mark_offsets[mark], self._mark_seqs[mark])
        return min(self.end, find_frame(self.path, seq, offset, next_seq, epochs=True)[0])

    def knows(self, seq: int) -> bool:
        """Whether locate(seq) has little to read: somebody has walked over that part."""
        return self.indexed and bool(self._mark_seqs) and seq >= self._mark_seqs[0]

    @property
    def used_bytes(self) -> int:
        """Where its frames end, or the whole file while nobody has looked."""
        return self.end if self.indexed else self.size_bytes

    def index(self) -> None:
        """Find the end of a full segment that was passed over at the start. Reads all of it; for a thread."""
        if not self.indexed:
            self.end, _, _ = find_frame(self.path, 2**64 - 1, START, self.first_seq)
            self.indexed = True


def name_of(first_seq: int) -> str:
    """20 digits, so that names sort like numbers."""
    return f"{first_seq:020d}.journal"


def list_files(directory: Path) -> list[tuple[int, Path]]:
    """(first_seq, path) of all segments in order."""
    found = directory.glob("*.journal") if directory.is_dir() else ()
    try:
        return sorted((int(path.stem), path) for path in found)
    except ValueError as error:
        raise JournalError(directory, 0, f"a file has a name that is no sequence number ({error})",
                           "Move it elsewhere.") from None


def read_segment(path: Path, first_seq: int) -> Segment:
    """The segment as its header describes it. Raises JournalError when the header is damaged or of another format."""
    with path.open("rb") as file:
        data = file.read(START)
        size_bytes = os.fstat(file.fileno()).st_size
    if len(data) < START:
        raise JournalError(path, len(data), "the file ends inside its header", _RESTORE)
    magic, version, record_bytes, journal_id, first, epoch, prev_crc = _FIELDS.unpack_from(data)
    stored = int.from_bytes(data[_FIELDS.size:_FIELDS.size + 4], "little")
    if magic != MAGIC or extend(0, data[:_FIELDS.size]) != stored:
        raise JournalError(path, 0, "the segment header is damaged", _RESTORE)
    if version != VERSION or record_bytes != RECORD_BYTES:
        raise JournalError(path, 8, f"format {version} with {record_bytes}-byte records, this program reads format "
                           f"{VERSION} with {RECORD_BYTES}", "Use the version of Buttonwood that wrote it.")
    if first != first_seq:
        raise JournalError(path, 24, f"the header says it begins at {first}", "Give the file its own name again.")
    return Segment(path, SegmentHeader(journal_id, first, epoch, prev_crc), size_bytes)


def find_frame(
    path: Path, seq: int, offset: int = START, next_seq: int = 0, *, epochs: bool = False,
) -> tuple[int, int, bool]:
    """Where in a segment the frame lies that holds `seq`: (offset, its first seq, True); (end, seq there, False).

    Begins at the frame of next_seq at that offset (0: at the first one). Headers are believed, nothing else is looked
    at. epochs: a frame that opens an epoch just before that one is found instead.
    """
    next_seq = next_seq or int(path.stem)
    with path.open("rb", buffering=0) as file:
        outcome = MORE
        while outcome == MORE:
            data = os.pread(file.fileno(), _SCAN_BYTES, offset)
            if len(data) < HEADER_BYTES:
                return offset, next_seq, False
            place, next_seq, outcome = hop(data, 0, next_seq, seq, epochs)
            offset += place
    return offset, next_seq, outcome == FOUND


def make_spare(
    directory: Path, size_bytes: int, hurry: Event, stop: Event, name: str = SPARE_NAME,
) -> Path | None:
    """Make a zero-filled durable file under a passing name; None when `stop` was set meanwhile.

    Raises OSError (ENOSPC, EDQUOT) when the disk has no room, leaving nothing behind. `hurry` drops the pauses.
    """
    path = directory / name
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        _reserve(fd, size_bytes)
        done = _fill(fd, size_bytes, hurry, stop)
        os.fsync(fd)
    except OSError:
        path.unlink()
        raise
    finally:
        os.close(fd)
    if not done:
        path.unlink()
    return path if done else None


def _reserve(fd: int, size_bytes: int) -> None:
    """Claim the space at once, so that a full disk is found before seconds of writing."""
    try:
        os.posix_fallocate(fd, 0, size_bytes)
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
            raise


def _fill(fd: int, size_bytes: int, hurry: Event, stop: Event) -> bool:
    zeros = bytes(_FILL_BYTES)
    for offset in range(0, size_bytes, _FILL_BYTES):
        if stop.is_set():
            return False
        os.pwrite(fd, zeros[:size_bytes - offset], offset)
        os.fdatasync(fd)
        hurry.wait(_FILL_PAUSE_SECONDS)
    return True


def adopt_spare(spare: Path, header: SegmentHeader) -> Segment:
    """Turn a spare into the segment with this header, durably. Raises OSError; the name must not exist."""
    path = spare.with_name(name_of(header.first_seq))
    if path.exists():
        raise FileExistsError(errno.EEXIST, "a segment of this name exists", str(path))
    fd = os.open(spare, os.O_RDWR | os.O_CLOEXEC)
    try:
        os.pwrite(fd, header.encode(), 0)
        os.fdatasync(fd)
        size_bytes = os.fstat(fd).st_size
    finally:
        os.close(fd)
    spare.rename(path)
    sync_directory(path.parent)
    return Segment(path, header, size_bytes)


def sync_directory(directory: Path) -> None:
    """Make names in this directory durable."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sync_names(directory: Path) -> None:
    """Make the way to a journal's files durable, whoever made it: a run that was killed may not have come to that.

    Raises OSError; what lies above the data directory is the machine's, and synced as far as we may.
    """
    sync_directory(directory)
    sync_directory(directory.parent)
    for above in directory.parent.parents:
        with suppress(OSError):
            sync_directory(above)
