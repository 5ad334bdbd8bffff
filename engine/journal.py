"""Reads a journal: every sound frame in order, where it ends, and whether its end is a torn write or damage.

A write that was cut by a crash was never acknowledged, so the last frame may be unsound: reading stops before it. An
unsound frame with a sound later one behind it is damage, and reading refuses. JOURNAL.md is the specification.
"""
import os
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from engine.core.memory import Block
from engine.errors import JournalError
from engine.frame_runs import read_run
from engine.frames import ALIGNMENT_BYTES, HEADER_BYTES, MAGIC_BYTES, BadFrame, Chain, Frame, decode, frame_size
from engine.segments import START, Segment, find_frame, list_files, read_segment

__all__ = ["Frame", "Start", "Walk", "read_frames"]

_CHUNK_BYTES = 1024 * 1024
_RUN_COMMANDS = 2048    # of frames that are given as one: so much stays in the cache
_TIME_AT = 24           # in a record
_FOREIGN = "Put journal and snapshots of the same venue and time together, or move the snapshots away."
_RESTORE = "Restore the journal from a copy, or from the frames a follower has; nothing was changed."
_LOST = "The newest part of the journal is lost: " + _RESTORE


def read_frames(directory: Path, from_seq: int = 1) -> Iterator[Frame]:
    """The commands from `from_seq` on, frame by frame. Stops before a torn last frame.

    Raises JournalError for damage in the middle, and when the journal does not reach `from_seq`. Only for a journal
    that no engine writes: the last frame of a living one may not be durable yet, follow the drop copy instead.
    """
    walk = Walk(directory, from_seq)
    for frame in walk:
        if frame.count and frame.end_seq > from_seq:
            yield frame.after(from_seq)


class Start(Struct, frozen=True):
    """Where to begin in the middle of a journal: at the frame that holds `seq`, of which this is known."""

    journal_id: int
    seq: int
    epoch: int
    prev_crc: int
    time_ns: int        # tells it from a frame of another history that has the same place in the chain
    frame_seq: int      # where it was found once: a hint, offset 0 is none
    offset: int


class Walk:
    """One pass over the journal from the segment that holds `from_seq`; afterwards it knows where the journal ends.

    start: begin in the middle of a segment, at this frame; segments before it are named but not read (`indexed` False).
    joined: frames that follow each other come as one, for who wants their commands only; each is checked all the same.

    segments and chain grow during the pass. unclean: offsets of pieces behind the end that are not zero (torn writes).
    A journal that is being written may grow while its end is looked at: then the pass goes on.
    """

    def __init__(
        self, directory: Path, from_seq: int = 1, start: Start | None = None, *, joined: bool = False,
    ) -> None:
        self.directory, self.from_seq, self._start, self._joined = directory, from_seq, start, joined
        self.segments: list[Segment] = []
        self.chain = Chain()
        self.journal_id = 0
        self.unclean: list[int] = []
        self._stopped = BadFrame("the file ends")
        self._memory = memoryview(b"")

    def __iter__(self) -> Iterator[Frame]:
        files = list_files(self.directory)
        later = [place for place, (first_seq, _) in enumerate(files) if first_seq > self.from_seq]
        begin = max(0, (later[0] if later else len(files)) - 1)
        if self._start is not None:
            begin = self._pass_over(files)
        for first_seq, path in files[begin:]:
            segment = read_segment(path, first_seq)
            self._enter(segment)
            yield from self._frames(segment)
        while self.segments and not self._is_end(self.segments[-1]):
            yield from self._frames(self.segments[-1])
        if self._start is not None and self._start.seq >= self.chain.next_seq:
            raise JournalError(self.segments[-1].path, self.segments[-1].end, f"command {self._start.seq}, of which "
                               f"there is a snapshot, is damaged ({self._stopped})", _LOST)
        if self.from_seq > self.chain.next_seq:
            raise JournalError(self.directory, 0, f"the journal ends at {self.chain.next_seq - 1}, "
                               f"{self.from_seq} was asked for", "Its newest part is missing: " + _RESTORE)

    def _pass_over(self, files: list[tuple[int, Path]]) -> int:
        """Name the segments before the start; how many there are."""
        assert self._start is not None
        begin = sum(first_seq <= self._start.seq for first_seq, _ in files) - 1
        for first_seq, path in files[:max(0, begin)]:
            segment = read_segment(path, first_seq)
            segment.indexed = False
            self.segments.append(segment)
        return max(0, begin)

    def _enter(self, segment: Segment) -> None:
        """The chain of the first segment is taken from its header; every later one must continue it."""
        header = segment.header
        if self._start is not None and not self.journal_id:
            self._begin_at(segment, self._start)
        elif not self.segments:
            self._begin(segment)
        elif (header.journal_id, header.first_seq, header.prev_crc) != (
                self.journal_id, self.chain.next_seq, self.chain.crc):
            last = self.segments[-1]
            raise JournalError(last.path, last.end, f"command {self.chain.next_seq} is missing ({self._stopped}), yet "
                               f"{segment.path.name} follows", _RESTORE)
        self.segments.append(segment)

    def _begin(self, segment: Segment) -> None:
        header = segment.header
        if header.first_seq > self.from_seq:
            raise JournalError(segment.path, 0, f"the journal begins at {header.first_seq}, {self.from_seq} was asked "
                               "for", "Its oldest part is missing: " + _RESTORE)
        self.chain = Chain(header.first_seq, header.epoch, header.prev_crc)
        self.journal_id = header.journal_id

    def _begin_at(self, segment: Segment, start: Start) -> None:
        """Find the frame; the chain then tells whether it is the right one."""
        self.journal_id = segment.header.journal_id
        if self.journal_id != start.journal_id:
            raise JournalError(segment.path, 16, "it is not of the journal that the snapshot is of", _FOREIGN)
        offset, first_seq, found = segment.end, 0, False
        if start.offset >= START and segment.first_seq <= start.frame_seq:
            offset, first_seq, found = find_frame(segment.path, start.seq, start.offset, start.frame_seq)
        if not found:
            offset, first_seq, found = find_frame(segment.path, start.seq)
        if not found:
            raise JournalError(segment.path, offset, f"command {start.seq}, of which there is a snapshot, is missing",
                               _LOST)
        if _time_ns(segment.path, offset) != start.time_ns:
            raise JournalError(segment.path, offset, f"command {start.seq} is damaged, or another one than that of "
                               "which there is a snapshot", _FOREIGN)
        segment.end = offset
        self.chain = Chain(first_seq, start.epoch, start.prev_crc)

    def _frames(self, segment: Segment) -> Iterator[Frame]:
        """Frames until the first that is no sound continuation; sets _stopped to the reason."""
        with segment.path.open("rb", buffering=0) as file:
            want = _CHUNK_BYTES
            while True:
                data = self._read(file.fileno(), want, segment.end)
                frames, missing = self._take(segment, data)
                yield from frames
                if not missing or (len(data) < want and not frames):
                    return
                want = max(_CHUNK_BYTES, missing)

    def _read(self, fd: int, size: int, offset: int) -> bytes | memoryview:
        """Joined frames are copies, so that the same memory can be read into again and again."""
        if not self._joined:
            return os.pread(fd, size, offset)
        if len(self._memory) < size:
            self._memory = memoryview(Block(size))
        return self._memory[:os.preadv(fd, [self._memory[:size]], offset)]

    def _take(self, segment: Segment, chunk: bytes | memoryview) -> tuple[list[Frame], int]:
        """The frames that lie wholly in the chunk, and the size of the next one (0: there is none)."""
        frames, offset = self._take_runs(segment, chunk) if self._joined else ([], 0)
        data, offset = bytes(chunk[offset:]), 0
        try:
            while len(data) - offset >= HEADER_BYTES:
                size = frame_size(data, offset)
                if offset + size > len(data):
                    return frames, size
                frame = decode(data, offset)
                self.chain.accept(frame)
                segment.advance(frame.first_seq, size)
                frames.append(frame)
                offset += size
        except BadFrame as bad:
            self._stopped = bad
            return frames, 0
        return frames, HEADER_BYTES

    def _take_runs(self, segment: Segment, data: bytes | memoryview) -> tuple[list[Frame], int]:
        """The sound frames at the beginning of data, joined, and where they end; what follows is for `_take`."""
        frames: list[Frame] = []
        offset, chain = 0, self.chain
        while chain.linked:
            used, tail, next_seq, epoch, crc, commands = read_run(
                data, offset, chain.next_seq, chain.epoch, chain.crc, _RUN_COMMANDS)
            if used == offset:
                break
            segment.advance_over(chain.next_seq, used - offset, tail - offset)
            frames.append(Frame(chain.next_seq, epoch, next_seq - chain.next_seq, memoryview(commands), crc, chain.crc))
            chain.next_seq, chain.epoch, chain.crc, offset = next_seq, epoch, crc, used
        return frames, offset

    def _is_end(self, segment: Segment) -> bool:
        """Nothing sound may lie behind the end: look at every place where a frame could begin.

        False when the journal goes on there after all: somebody wrote it meanwhile.
        """
        zeros = bytes(_CHUNK_BYTES)
        self.unclean.clear()
        with segment.path.open("rb", buffering=0) as file:
            fd = file.fileno()
            for offset in range(segment.end - segment.end % _CHUNK_BYTES, segment.size_bytes, _CHUNK_BYTES):
                begin = max(offset, segment.end)
                data = os.pread(fd, offset + _CHUNK_BYTES - begin, begin)
                if data == zeros[:len(data)]:
                    continue
                self.unclean.append(begin)
                place, follows = self._later_frame(fd, begin, data)
                if place:
                    if self._goes_on(segment, fd):
                        return False
                    raise JournalError(
                        segment.path, segment.end, f"no sound frame of command {self.chain.next_seq} ({self._stopped}),"
                        f" yet command {follows} follows at byte {place}: damage, not a torn write", _RESTORE)
        return True

    def _later_frame(self, fd: int, begin: int, data: bytes) -> tuple[int, int]:
        """Offset and first command of a sound frame in these bytes that no torn write leaves behind; (0, 0): none."""
        place = data.find(MAGIC_BYTES)
        while place >= 0:
            frame = _sound_frame(fd, begin + place)
            if frame is not None and frame.first_seq >= self.chain.next_seq:
                return begin + place, frame.first_seq
            place = data.find(MAGIC_BYTES, place + 1)
        return 0, 0

    def _goes_on(self, segment: Segment, fd: int) -> bool:
        """Whether the next frame stands at the end now, whole and in its place."""
        frame, chain = _sound_frame(fd, segment.end), self.chain
        if frame is None:
            return False
        try:
            Chain(chain.next_seq, chain.epoch, chain.crc).accept(frame)
        except BadFrame:
            return False
        return True


def _time_ns(path: Path, offset: int) -> int:
    """Of the commands of a frame: all have the same."""
    with path.open("rb", buffering=0) as file:
        return int.from_bytes(os.pread(file.fileno(), 8, offset + HEADER_BYTES + _TIME_AT), "little", signed=True)


def _sound_frame(fd: int, offset: int) -> Frame | None:
    """The frame at this offset if it is one; its place in the chain is not looked at."""
    header = os.pread(fd, HEADER_BYTES, offset)
    if offset % ALIGNMENT_BYTES or len(header) < HEADER_BYTES:
        return None
    try:
        return decode(os.pread(fd, frame_size(header), offset))
    except BadFrame:
        return None
