"""One snapshot as a file: header, table of sections, sections; SNAPSHOT.md is its specification.

A file under its final name is whole and durable: it is written aside, fsynced, renamed, and the directory is fsynced.
Reading checks every byte. Damage raises SnapshotDamaged, so that an older snapshot can take its place; a file of a
newer format or of another journal raises SnapshotRefused, because nothing older may quietly take the place of those.
"""
import os
import struct
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from engine.core.memory import Block
from engine.errors import SnapshotDamaged, SnapshotRefused
from engine.frame_runs import crc32c
from engine.journal import Start
from engine.segments import sync_directory

MAGIC = b"BWSNAP\xb7\xf3"
VERSION = 1
SUFFIX = ".snapshot"
_HEADER = struct.Struct("<8sIIQQqQQIIQQ")
_ENTRY = struct.Struct("<IIIIQ")
_CRC = struct.Struct("<I")
_SECTIONS_MAX = 4096
_PIECE_BYTES = 1 << 20
_NEWER = "Use the version of Buttonwood that wrote it, or move it away to start from an older snapshot."

Section = tuple[int, int, int, bytes | memoryview]   # id, version, bytes of an item, items


class Header(Struct, frozen=True):
    """Where a snapshot belongs: after command `seq` of this journal, which lies in the frame described by the rest."""

    journal_id: int
    seq: int
    time_ns: int
    state_hash: int
    digest_version: int
    epoch: int
    frame_seq: int          # its first command
    prev_crc: int           # the chain goes on from here
    frame_offset: int       # in its segment

    @property
    def start(self) -> Start:
        """Where reading the journal goes on."""
        return Start(self.journal_id, self.seq, self.epoch, self.prev_crc, self.time_ns, self.frame_seq,
                     self.frame_offset)


class Snapshot(Struct, frozen=True):
    """A sound file."""

    header: Header
    sections: list[Section]


def name_of(seq: int) -> str:
    """20 digits, so that names sort like numbers."""
    return f"{seq:020d}{SUFFIX}"


def list_snapshots(directory: Path) -> list[tuple[int, Path]]:
    """(seq, path) of all files with a snapshot's name, oldest first. Their content is not looked at."""
    found = directory.glob("*" + SUFFIX) if directory.is_dir() else ()
    return sorted((int(path.stem), path) for path in found if path.stem.isdecimal())


def encode_head(header: Header, sections: Sequence[Section]) -> bytes:
    """Header, table and their checksum."""
    fields = _HEADER.pack(
        MAGIC, VERSION, len(sections), header.journal_id, header.seq, header.time_ns, header.epoch, header.frame_seq,
        header.prev_crc, header.digest_version, header.state_hash, header.frame_offset)
    table = b"".join(_ENTRY.pack(number, version, item_bytes, crc32c(items), len(items))
                     for number, version, item_bytes, items in sections)
    return fields + table + _CRC.pack(crc32c(fields + table))


def write_snapshot(directory: Path, header: Header, sections: Sequence[Section]) -> Path:
    """Write it aside, make it durable, give it its name. Raises OSError (ENOSPC), leaving nothing behind."""
    path, draft = directory / name_of(header.seq), directory / f"{name_of(header.seq)}.{os.getpid()}.tmp"
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        offset = 0
        for data in (encode_head(header, sections), *(items for _, _, _, items in sections)):
            offset = _write_all(fd, data, offset)
        os.fsync(fd)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    finally:
        os.close(fd)
    draft.rename(path)
    sync_directory(directory)
    return path


def read_header(path: Path) -> Header:
    """The header alone, checked. Raises as read_snapshot."""
    with path.open("rb", buffering=0) as file:
        return _read_head(path, file.fileno())[0]


def read_snapshot(path: Path) -> Snapshot:
    """The whole file, every byte checked. Raises SnapshotDamaged, SnapshotRefused, OSError."""
    with path.open("rb", buffering=0) as file:
        header, table, offset = _read_head(path, file.fileno())
        sections = list[Section]()
        for number, version, item_bytes, crc, size in table:
            items = _read_items(file.fileno(), offset, min(size, os.fstat(file.fileno()).st_size - offset))
            if len(items) != size or crc32c(items) != crc:
                raise SnapshotDamaged(path, offset, f"section {number} of {size} bytes is damaged or cut off")
            sections.append((number, version, item_bytes, items))
            offset += size
        if os.fstat(file.fileno()).st_size != offset:
            raise SnapshotDamaged(path, offset, "the file does not end here")
    return Snapshot(header, sections)


def _read_items(fd: int, offset: int, size: int) -> memoryview:
    """So many bytes, fewer where the file ends meanwhile."""
    items, done = memoryview(Block(max(size, 0))), 0
    while done < len(items):
        count = os.preadv(fd, [items[done:]], offset + done)
        if count == 0:
            break
        done += count
    return items[:done]


def _read_head(path: Path, fd: int) -> tuple[Header, list[tuple[int, int, int, int, int]], int]:
    """Header, table (id, version, item bytes, checksum, bytes), and the offset of the first section."""
    fixed = os.pread(fd, _HEADER.size, 0)
    if len(fixed) < _HEADER.size or not fixed.startswith(MAGIC):
        raise SnapshotDamaged(path, 0, "this is no snapshot, or its beginning is damaged")
    _, version, count, *numbers = _HEADER.unpack(fixed)
    if version != VERSION and _sound_version(fd, count):
        raise SnapshotRefused(path, 8, f"format {version}, this program reads format {VERSION}", _NEWER)
    if version != VERSION or count > _SECTIONS_MAX:
        raise SnapshotDamaged(path, 8, "the header is damaged")
    whole = os.pread(fd, _HEADER.size + count * _ENTRY.size + _CRC.size, 0)
    body, stored = whole[:-_CRC.size], whole[-_CRC.size:]
    if len(body) != _HEADER.size + count * _ENTRY.size or _CRC.pack(crc32c(body)) != stored:
        raise SnapshotDamaged(path, 0, "the header is damaged or cut off")
    if path.name != name_of(numbers[1]):
        raise SnapshotDamaged(path, 24, f"it is the snapshot of command {numbers[1]} under another name")
    journal_id, seq, time_ns, epoch, frame_seq, prev_crc, digest_version, state_hash, frame_offset = numbers
    header = Header(journal_id, seq, time_ns, state_hash, digest_version, epoch, frame_seq, prev_crc, frame_offset)
    return header, list(_ENTRY.iter_unpack(body[_HEADER.size:])), len(whole)


def _sound_version(fd: int, count: int) -> bool:
    """Whether the version field is what was written: header, table and checksum keep their places in all formats."""
    if count > _SECTIONS_MAX:
        return False
    whole = os.pread(fd, _HEADER.size + count * _ENTRY.size + _CRC.size, 0)
    return _CRC.pack(crc32c(whole[:-_CRC.size])) == whole[-_CRC.size:]


def _write_all(fd: int, data: bytes | memoryview, offset: int) -> int:
    """Where the next piece goes. Each is made durable by itself: the journal never waits for a disk full of them."""
    view = memoryview(data)
    while view:
        written = os.pwrite(fd, view[:_PIECE_BYTES], offset)
        view, offset = view[written:], offset + written
        if written == _PIECE_BYTES:
            os.fdatasync(fd)
    return offset
