"""Segment files: headers that are sound or refused, space that is there, an index that finds every command."""
import errno
import os
from pathlib import Path
from threading import Event

import pytest

from engine.errors import JournalError
from engine.frames import decode
from engine.journal import Walk
from engine.segments import (
    SPARE_NAME,
    START,
    Segment,
    SegmentHeader,
    adopt_spare,
    list_files,
    make_spare,
    name_of,
    read_segment,
)
from tests.engine.stage import run, write_frames

HEADER = SegmentHeader(journal_id=7, first_seq=12, epoch=3, prev_crc=5)


def test_a_spare_is_zero_and_as_long_as_asked(tmp_path: Path):
    path = make_spare(tmp_path, 3_000_000, Event(), Event())
    assert path is not None and path.name == SPARE_NAME
    assert path.read_bytes() == bytes(3_000_000)
    assert path.stat().st_blocks * 512 >= 3_000_000


def test_a_spare_becomes_a_segment(tmp_path: Path):
    spare = make_spare(tmp_path, 4096, Event(), Event())
    assert spare is not None
    segment = adopt_spare(spare, HEADER)
    assert list_files(tmp_path) == [(12, segment.path)] and not spare.exists()
    read = read_segment(segment.path, 12)
    assert (read.header, read.size_bytes, read.end) == (HEADER, 4096, START)


def test_a_segment_is_never_replaced(tmp_path: Path):
    (tmp_path / name_of(12)).write_bytes(b"precious")
    spare = make_spare(tmp_path, 4096, Event(), Event())
    assert spare is not None
    with pytest.raises(FileExistsError):
        adopt_spare(spare, HEADER)
    assert (tmp_path / name_of(12)).read_bytes() == b"precious"


def test_making_a_spare_can_be_stopped(tmp_path: Path):
    stop = Event()
    stop.set()
    assert make_spare(tmp_path, 4096, Event(), stop) is None
    assert os.listdir(tmp_path) == []


def test_no_room_leaves_nothing_behind(tmp_path: Path):
    with pytest.raises(OSError) as caught:
        make_spare(tmp_path, 2**62, Event(), Event())
    assert caught.value.errno in (errno.ENOSPC, errno.EFBIG)
    assert os.listdir(tmp_path) == []


def test_every_flipped_bit_of_a_header_is_refused(tmp_path: Path):
    path, good = tmp_path / name_of(12), HEADER.encode()
    for bit in range(48 * 8):
        damaged = bytearray(good)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        with pytest.raises(JournalError, match="header is damaged"):
            read_segment(path, 12)


def test_another_format_and_a_cut_header_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / name_of(12)
    path.write_bytes(HEADER.encode()[:-1])
    with pytest.raises(JournalError, match="ends inside its header"):
        read_segment(path, 12)
    path.write_bytes(HEADER.encode())
    monkeypatch.setattr("engine.segments.VERSION", 2)
    with pytest.raises(JournalError, match=r"format 1 .* reads format 2"):
        read_segment(path, 12)


def slow_locate(segment: Segment, seq: int) -> int:
    """The first frame that holds this command or opens an epoch before it, by looking at each."""
    data, offset = segment.path.read_bytes(), START
    while offset < segment.end:
        frame = decode(data, offset)
        if frame.end_seq > seq or (not frame.count and frame.first_seq == seq):
            break
        offset += frame.size_bytes
    return offset


def test_every_command_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("engine.segments.MARK_BYTES", 1024)
    for counts in ([1, 5, 8, 2] * 5, [], [3]):
        run(write_frames(tmp_path, counts))
    walk = Walk(tmp_path)
    last_seq = max(frame.end_seq for frame in walk)
    for segment in walk.segments:
        for seq in range(segment.first_seq, last_seq + 1):
            assert segment.locate(seq) == slow_locate(segment, seq)
