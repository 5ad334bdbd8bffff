"""What lies in a journal's directory, for people: each segment with its frames, epochs, numbers and times.

Looks at the headers of frames and at the checksum of the very last one; whether all of it is sound is a Walk's business
(engine/journal.py). Reads only, also beside an engine that writes.
"""
import mmap
import struct
from pathlib import Path

from msgspec import Struct

from engine.errors import JournalError
from engine.frames import HEADER_BYTES, BadFrame, decode, frame_size
from engine.journal import Walk
from engine.segments import START, list_files, read_segment

_HEAD = struct.Struct("<IIQQ")
_TIME = struct.Struct("<q")
_TIME_AT = HEADER_BYTES + 24    # of the first command of a frame: all commands of a frame have the same time


class SegmentView(Struct, frozen=True):
    """One file. used_bytes: to the end of its last frame. Numbers and times are 0 where there is no command."""

    file: str
    size_bytes: int
    used_bytes: int
    frames: int
    commands: int
    first_epoch: int
    last_epoch: int
    first_seq: int
    last_seq: int
    first_time_ns: int
    last_time_ns: int


class Checked(Struct, frozen=True):
    """What a check of a sound journal has seen. torn_bytes: of a write at the very end that never became whole."""

    segments: int
    frames: int
    commands: int
    epochs: int
    last_seq: int
    torn_bytes: int


def survey(directory: Path) -> list[SegmentView]:
    """All segments in order. Raises JournalError for a damaged segment header or a strange name."""
    files = list_files(directory)
    return [_view(path, first_seq, last=path == files[-1][1]) for first_seq, path in files]


def check(directory: Path) -> Checked:
    """Read every byte of the journal from its oldest segment on. Raises JournalError naming file, offset and remedy."""
    files = list_files(directory)
    if not files:
        raise JournalError(directory, 0, "there is no journal", "Choose the data directory of a venue with --data.")
    walk = Walk(directory, files[0][0])
    frames = commands = 0
    epochs = set()
    for frame in walk:
        frames += 1
        commands += frame.count
        epochs.add(frame.epoch)
    return Checked(len(walk.segments), frames, commands, len(epochs), walk.chain.next_seq - 1, _torn(walk))


def _torn(walk: Walk) -> int:
    """Bytes behind the end up to the last one that is not zero."""
    if not walk.unclean:
        return 0
    segment = walk.segments[-1]
    with segment.path.open("rb") as file:
        file.seek(segment.end)
        return len(file.read().rstrip(b"\0"))


def _view(path: Path, first_seq: int, *, last: bool) -> SegmentView:
    segment = read_segment(path, first_seq)
    frames = commands = first_epoch = last_epoch = first_time_ns = last_time_ns = 0
    offset, next_seq = START, first_seq
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        while (size := _next_frame(data, offset, next_seq, last)) > 0:
            _, count, _, epoch = _HEAD.unpack_from(data, offset)
            first_epoch, last_epoch, frames = first_epoch or epoch, epoch, frames + 1
            if count:
                last_time_ns = _TIME.unpack_from(data, offset + _TIME_AT)[0]
                first_time_ns = first_time_ns or last_time_ns
            commands, next_seq, offset = commands + count, next_seq + count, offset + size
    return SegmentView(
        path.name, segment.size_bytes, offset, frames, commands, first_epoch, last_epoch,
        first_seq if commands else 0, next_seq - 1 if commands else 0, first_time_ns, last_time_ns)


def _next_frame(data: mmap.mmap, offset: int, next_seq: int, last: bool) -> int:
    """Size of the frame here; 0 when there is none. The last frame of a journal may be torn: it must be whole."""
    try:
        size = frame_size(data[offset:offset + HEADER_BYTES]) if offset + HEADER_BYTES <= len(data) else 0
        if not size or offset + size > len(data) or _HEAD.unpack_from(data, offset)[2] != next_seq:
            return 0
        if last and not any(data[offset + size:offset + size + HEADER_BYTES]):
            decode(data[offset:offset + size])
    except BadFrame:
        return 0
    return size


def commands_of(view: SegmentView) -> str:
    """`first-last`, or a dash when there are none."""
    return f"{view.first_seq}-{view.last_seq}" if view.commands else "-"
