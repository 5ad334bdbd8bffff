"""The native disk thread: bytes are there, errors are told, one write at a time."""
import errno
import os
import select
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from engine.disk import DiskThread


@pytest.fixture
def disk() -> Iterator[DiskThread]:
    disk = DiskThread()
    thread = Thread(target=disk.run)
    thread.start()
    yield disk
    disk.stop()
    thread.join(10)
    assert not thread.is_alive()
    disk.free()


def outcome(disk: DiskThread) -> int:
    assert select.select([disk.event_fd], [], [], 10)[0]
    return disk.outcome()


def test_bytes_are_written_where_they_belong(disk: DiskThread, tmp_path: Path):
    with (tmp_path / "file").open("w+b") as file:
        for offset in (0, 5000, 100):
            disk.write(file.fileno(), b"x" * 300_000, offset)
            assert outcome(disk) == 0
        assert file.read() == b"x" * 305_000


def test_one_write_at_a_time(disk: DiskThread, tmp_path: Path):
    with (tmp_path / "file").open("w+b") as file:
        disk.write(file.fileno(), b"a", 0)
        with pytest.raises(RuntimeError, match="under way"):
            disk.write(file.fileno(), b"b", 0)
        assert outcome(disk) == 0


@pytest.mark.parametrize(("device", "error"), [("/dev/full", errno.ENOSPC), ("/dev/null", errno.EINVAL)])
def test_a_failing_write_and_a_failing_fdatasync_are_told(disk: DiskThread, device: str, error: int):
    fd = os.open(device, os.O_WRONLY)
    disk.write(fd, b"a", 0)
    assert outcome(disk) == error
    os.close(fd)
    disk.write(fd, b"a", 0)
    assert outcome(disk) == errno.EBADF


def test_only_bytes_can_be_written(disk: DiskThread):
    with pytest.raises(TypeError):
        disk.write(1, None, 0)  # type: ignore[arg-type]
