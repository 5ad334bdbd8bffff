"""Writing a journal: segments roll and grow, a full disk is waited out, an error is final."""
import asyncio
import errno
import os
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest

from engine import spare
from engine.config import Journal as Settings
from engine.errors import JournalError
from engine.journal import Walk, read_frames
from engine.journal_writer import JournalWriter
from engine.segments import SPARE_NAME, list_files
from tests.engine.stage import SMALL, descriptor_of, frames_of, run, stamped, write_frames
from tests.support.waiting import SECONDS_MAX, until


def walked(directory: Path) -> Walk:
    walk = Walk(directory)
    for _ in walk:
        pass
    return walk


def test_segments_double_up_to_their_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("engine.journal_writer.FIRST_SEGMENT_BYTES", 2048)
    run(write_frames(tmp_path, [8] * 40, Settings(segment_bytes=10_000, frame_commands_max=8)))
    sizes = [path.stat().st_size for _, path in list_files(tmp_path)]
    assert sizes[:3] == [2048, 4096, 8192] and set(sizes[3:]) == {10_000}
    assert sum(frame.count for frame in read_frames(tmp_path)) == 320


def test_an_epoch_a_start_also_when_nothing_is_written(tmp_path: Path):
    for _ in range(150):
        run(write_frames(tmp_path, []))
    run(write_frames(tmp_path, [1]))
    frames = frames_of(tmp_path)
    assert [frame.epoch for frame in frames] == [*range(1, 152), 151]
    assert list_files(tmp_path)[0][0] == 1 and len(list(read_frames(tmp_path))) == 1


def test_the_largest_frame_fits_after_any_number_of_starts(tmp_path: Path):
    for _ in range(100):
        run(write_frames(tmp_path, []))
    run(write_frames(tmp_path, [8, 8, 8, 8, 8]))
    larger = Settings(segment_bytes=4096, frame_commands_max=100)
    run(write_frames(tmp_path, [100, 1, 100], larger))
    assert sum(frame.count for frame in read_frames(tmp_path)) == 241


def test_a_left_over_spare_is_thrown_away(tmp_path: Path):
    (tmp_path / SPARE_NAME).write_bytes(b"half made")
    run(write_frames(tmp_path, [8] * 8))
    assert sum(frame.count for frame in read_frames(tmp_path)) == 64


@pytest.mark.parametrize("device", ["/dev/full", "/dev/null"], ids=["write fails", "fdatasync fails"])
def test_an_error_is_told_and_nothing_is_reported_durable(device: str, tmp_path: Path):
    async def story() -> None:
        writer = JournalWriter(walked(tmp_path), SMALL)
        durable, failed = [], []
        writer.on_durable, writer.on_failed = durable.append, failed.append
        writer.open()
        writer.start()
        fd = os.open(device, os.O_WRONLY)
        os.dup2(fd, descriptor_of(writer.segment.path))
        os.close(fd)
        writer.append(stamped(1, 2))
        await until(lambda: bool(failed or durable))
        assert not durable and isinstance(failed[0], JournalError)
        assert failed[0].file == writer.segment.path and "start again" in str(failed[0])
        await writer.close()
    run(story())
    assert [frame.count for frame in frames_of(tmp_path)] == [0]


def everywhere(monkeypatch: pytest.MonkeyPatch, make_spare: Callable[..., Path | None]) -> None:
    """This is how files for segments and for the reserve come into being from now on."""
    monkeypatch.setattr("engine.spare.make_spare", make_spare)
    monkeypatch.setattr("engine.reserve.make_spare", make_spare)


def test_a_full_disk_without_a_reserve_is_waited_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    room, make_spare = Event(), spare.make_spare

    def fill(directory: Path, size_bytes: int, hurry: Event, stop: Event, *name: str) -> Path | None:
        if not room.is_set():
            raise OSError(errno.ENOSPC, "No space left on device")
        return make_spare(directory, size_bytes, hurry, stop, *name)

    async def story() -> None:
        writer, durable = JournalWriter(walked(tmp_path), SMALL), asyncio.Queue[bytes]()
        writer.on_durable = durable.put_nowait
        writer.open()
        everywhere(monkeypatch, fill)
        writer.start()
        for _ in range(3):
            writer.append(stamped(writer.chain.next_seq, 8))
            await durable.get()
        await until(lambda: writer.storage_low)
        writer.append(stamped(writer.chain.next_seq, 8))
        await asyncio.sleep(0.05)
        assert durable.empty() and writer.storage_low and writer.waits_for_room
        room.set()
        await durable.get()
        await until(lambda: not writer.storage_low)
        await writer.close()
    monkeypatch.setattr("engine.spare.RETRY_SECONDS", 0.01)
    monkeypatch.setattr("engine.reserve.RETRY_SECONDS", 0.01)
    run(story())
    assert [frame.count for frame in read_frames(tmp_path)] == [8, 8, 8, 8]


def test_closing_while_the_disk_is_full_ends_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(*_: object) -> Path:
        raise OSError(errno.ENOSPC, "No space left on device")

    async def story() -> None:
        writer, durable = JournalWriter(walked(tmp_path), SMALL), asyncio.Queue[bytes]()
        writer.on_durable = durable.put_nowait
        writer.open()
        everywhere(monkeypatch, full)
        writer.start()
        for _ in range(3):
            writer.append(stamped(writer.chain.next_seq, 8))
            await durable.get()
        writer.append(stamped(writer.chain.next_seq, 8))
        await until(lambda: writer.storage_low)
        async with asyncio.timeout(SECONDS_MAX):
            await writer.close()
    run(story())
    assert [frame.count for frame in read_frames(tmp_path)] == [8, 8, 8]


def test_another_error_of_the_next_segment_is_final(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def broken(*_: object) -> Path:
        raise OSError(errno.EIO, "Input/output error")

    async def story() -> None:
        writer, durable, failed = JournalWriter(walked(tmp_path), SMALL), asyncio.Queue[bytes](), []
        writer.on_durable, writer.on_failed = durable.put_nowait, failed.append
        writer.open()
        everywhere(monkeypatch, broken)
        writer.start()
        for _ in range(3):
            writer.append(stamped(writer.chain.next_seq, 8))
            await durable.get()
        writer.append(stamped(writer.chain.next_seq, 8))
        await until(lambda: bool(failed))
        assert durable.empty() and "no new segment" in str(failed[0])
        await writer.close()
    run(story())


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(*_: object) -> Path:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("engine.spare.make_spare", full)
    with pytest.raises(JournalError, match=rf"{tmp_path}.*cannot be written.*No space left"):
        JournalWriter(walked(tmp_path), SMALL).open()
