"""A journal frame as bytes: header, checksum and chain; JOURNAL.md is its specification.

Pure: bytes in, frames out; no file and no socket. The same check serves recovery, the drop copy's followers and every
reader of files, so a frame is accepted everywhere or nowhere.
"""
import struct

from google_crc32c import extend
from msgspec import Struct

from engine.records import RECORD_BYTES

MAGIC = 0xB7F3A9D1              # every byte is above 127: no ASCII text inside a record can look like a frame
FRAME_COMMANDS_MAX = 65536      # a header that claims more is damaged
ALIGNMENT_BYTES = 32            # frames begin at multiples of this, counted from the start of the file
_FIELDS = struct.Struct("<IIQQI")
_HEADER = struct.Struct("<IIQQII")
HEADER_BYTES = _HEADER.size
MAGIC_BYTES = struct.pack("<I", MAGIC)


class Frame(Struct, frozen=True):
    """Commands that became durable together. count is 0 for the frame that opens an epoch."""

    first_seq: int          # of the first command
    epoch: int              # which run of the engine wrote it
    count: int
    commands: memoryview    # count * 128 bytes, read only
    crc: int                # of the frame as written, what the next frame's prev_crc repeats
    prev_crc: int

    @property
    def end_seq(self) -> int:
        """The sequence number after the last command."""
        return self.first_seq + self.count

    @property
    def size_bytes(self) -> int:
        """Bytes of the frame as written."""
        return HEADER_BYTES + len(self.commands)

    def after(self, seq: int) -> "Frame":
        """This frame without the commands before `seq`, which it must reach."""
        skip = max(0, seq - self.first_seq)
        commands = self.commands[skip * RECORD_BYTES:]
        return Frame(self.first_seq + skip, self.epoch, self.count - skip, commands, self.crc, self.prev_crc)


    def upto(self, seq: int) -> "Frame":
        """This frame without the commands after `seq`."""
        count = min(self.count, max(0, seq + 1 - self.first_seq))
        return Frame(self.first_seq, self.epoch, count, self.commands[:count * RECORD_BYTES], self.crc, self.prev_crc)


class BadFrame(Exception):
    """The bytes are not the next frame; the text says in what they differ."""


class Chain:
    """Where a journal stands: the next sequence number, the epoch, and the checksum the next frame must repeat.

    linked False: the first frame's prev_crc is not known yet and is taken as it is.
    """

    def __init__(self, next_seq: int = 1, epoch: int = 0, crc: int = 0, linked: bool = True) -> None:
        self.next_seq, self.epoch, self.crc, self.linked = next_seq, epoch, crc, linked

    def encode(self, commands: bytes) -> bytes:
        """The next frame with these commands, stamped already; advances the chain."""
        count = len(commands) // RECORD_BYTES
        fields = _FIELDS.pack(MAGIC, count, self.next_seq, self.epoch, self.crc)
        self.crc = extend(extend(0, fields), commands)
        self.next_seq += count
        return b"".join((fields, self.crc.to_bytes(4, "little"), commands))

    def accept(self, frame: Frame) -> None:
        """Advance over a frame; BadFrame when it does not continue this chain."""
        if self.linked and frame.prev_crc != self.crc:
            raise BadFrame(f"previous checksum {frame.prev_crc:08x}, expected {self.crc:08x}")
        if frame.first_seq != self.next_seq:
            raise BadFrame(f"first_seq {frame.first_seq}, expected {self.next_seq}")
        if frame.epoch < self.epoch:
            raise BadFrame(f"epoch {frame.epoch} after epoch {self.epoch}")
        self.next_seq, self.epoch, self.crc, self.linked = frame.end_seq, frame.epoch, frame.crc, True


def frame_size(data: bytes, offset: int = 0) -> int:
    """Bytes of the frame whose header stands here; BadFrame when it is no header."""
    magic: int
    count: int
    magic, count = struct.unpack_from("<II", data, offset)
    if magic != MAGIC:
        raise BadFrame(f"magic {magic:08x}, expected {MAGIC:08x}")
    if count > FRAME_COMMANDS_MAX:
        raise BadFrame(f"count {count} above {FRAME_COMMANDS_MAX}")
    return HEADER_BYTES + count * RECORD_BYTES


def decode(data: bytes, offset: int = 0) -> Frame:
    """The frame that begins here, copied; BadFrame when it is cut off or damaged. Does not look at the chain."""
    end = offset + frame_size(data, offset)
    if end > len(data):
        raise BadFrame(f"{len(data) - offset} bytes, expected {end - offset}")
    _, count, first_seq, epoch, prev_crc, crc = _HEADER.unpack_from(data, offset)
    commands = data[offset + HEADER_BYTES:end]
    found = extend(extend(0, data[offset:offset + _FIELDS.size]), commands)
    if found != crc:
        raise BadFrame(f"checksum {found:08x}, expected {crc:08x}")
    return Frame(first_seq, epoch, count, memoryview(commands), crc, prev_crc)


def frame_of(raw: bytes) -> Frame:
    """The frame in these bytes, which this process encoded itself: shares their memory and checks nothing."""
    _, count, first_seq, epoch, prev_crc, crc = _HEADER.unpack_from(raw)
    return Frame(first_seq, epoch, count, memoryview(raw)[HEADER_BYTES:], crc, prev_crc)


class FrameSplitter:
    """Cuts a stream of bytes into frames and checks their checksums. Holds at most one unfinished frame (8 MiB)."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that are complete now; BadFrame at the first damaged one, after which the stream is of no use."""
        data, offset, frames = self._rest + data, 0, []
        while len(data) - offset >= HEADER_BYTES and offset + frame_size(data, offset) <= len(data):
            frame = decode(data, offset)
            offset += frame.size_bytes
            frames.append(frame)
        self._rest = data[offset:]
        return frames
