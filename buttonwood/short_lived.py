"""Temporary folders that are deleted in the end, and by the next run when their own was killed.

A folder holds a file that its process keeps locked: whoever can lock it knows that the process is gone, however it
went. A folder that some process still uses (a server that was left running) stays until that has ended.
"""
import fcntl
import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from engine import short_folders

_LOCK = ".in_use"
_NEW_SECONDS = 60
_held: dict[Path, int] = {}


def make_folder(prefix: str) -> Path:
    """A new folder; those with this prefix that nobody uses any more are deleted."""
    _sweep(prefix)
    path = Path(tempfile.mkdtemp(prefix=prefix))
    _held[path] = fd = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(fd, fcntl.LOCK_EX)
    return path


def delete_folder(path: Path) -> None:
    """With all that is in it, and sockets that lie elsewhere for it."""
    shutil.rmtree(path, ignore_errors=True)
    os.close(_held.pop(path))
    short_folders.sweep()


def _sweep(prefix: str) -> None:
    for lock in Path(tempfile.gettempdir()).glob(f"{prefix}*/{_LOCK}"):
        with suppress(OSError):
            fd = os.open(lock, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _abandoned(os.fstat(fd)) and not _used(lock.parent):
                    shutil.rmtree(lock.parent, ignore_errors=True)
            finally:
                os.close(fd)


def _abandoned(lock: os.stat_result) -> bool:
    """It is ours and was not made just now: its maker locks it in the next moment."""
    return lock.st_uid == os.geteuid() and time.time() - lock.st_mtime > _NEW_SECONDS


def _used(folder: Path) -> bool:
    """Whether a process works in it or was given its name; where that cannot be seen, it is."""
    processes = [path for path in Path("/proc").glob("[0-9]*") if path.name.isdecimal()]
    for process in processes:
        with suppress(OSError):
            if os.fsencode(folder) in (process / "cmdline").read_bytes():
                return True
            if Path(os.readlink(process / "cwd")).is_relative_to(folder):
                return True
    return not processes
