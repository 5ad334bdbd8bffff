"""A simulated disk below a folder: what programs see (the page cache, real files) and what a power loss leaves.

Rules, the strictest that POSIX allows and more than ext4 does: written bytes are durable only after fsync or fdatasync
of their file; before that each sector of 512 bytes may or may not have got there, in any order. Names are durable only
after fsync of their folder; before that the first few changes of a folder may have got there, in order. After an fsync
that failed the unwritten sectors count as clean: programs still see them, the disk never gets them.
"""
import errno
import os
import random
from pathlib import Path

SECTOR_BYTES = 512
_TREE = "a folder"
REAL = {name: getattr(os, name) for name in (       # the calls that disk_calls.py stands before
    "open", "close", "pwrite", "pread", "preadv", "posix_fadvise", "posix_fallocate", "fstat", "rename", "unlink",
    "mkdir")}


class File:
    """An inode: what is durable of it, and what was written since."""

    def __init__(self) -> None:
        self.durable = bytearray()
        self.pending: list[tuple[int, bytes]] = []
        self.size_bytes = 0

    def write(self, offset: int, data: bytes) -> None:
        """Into the page cache."""
        self.pending.append((offset, data))
        self.size_bytes = max(self.size_bytes, offset + len(data))

    def sync(self) -> None:
        """All of it is durable."""
        for offset, data in self.pending:
            self._put(offset, data)
        self.pending.clear()

    def lose(self, dice: random.Random, share: float) -> None:
        """Each sector gets to the disk with this probability; the rest never will."""
        for offset, data in self.pending:
            at = 0
            while at < len(data):
                size = min(SECTOR_BYTES - (offset + at) % SECTOR_BYTES, len(data) - at)
                if dice.random() < share:
                    self._put(offset + at, data[at:at + size])
                at += size
        self.pending.clear()

    def _put(self, offset: int, data: bytes) -> None:
        if len(self.durable) < offset:
            self.durable.extend(bytes(offset - len(self.durable)))
        self.durable[offset:offset + len(data)] = data


class Disk:
    """Everything below `root`, which must be empty; real files there are the page cache."""

    def __init__(self, root: Path, dice: random.Random) -> None:
        self.root, self._dice = str(root), dice
        self.files: dict[str, File | str] = {}          # as programs see it
        self._durable: dict[str, File | str] = {}
        self._changes: dict[str, list[tuple[str, str, File | str | None]]] = {}    # of a folder: (old, new, what)
        self.capacity_bytes = 2**40
        self.failing_syncs = 0                          # so many fsyncs fail from now on
        self.syncs = 0

    # names

    def add(self, path: str, what: File | str) -> None:
        """A new name."""
        self.files[path] = what
        self._note(os.path.dirname(path), "", path, what)

    def remove(self, path: str) -> None:
        """A name is no more."""
        del self.files[path]
        self._note(os.path.dirname(path), path, "", None)

    def rename(self, old: str, new: str) -> None:
        """Within one folder, at once."""
        what = self.files[new] = self.files.pop(old)
        self._note(os.path.dirname(new), old, new, what)

    def _note(self, folder: str, old: str, new: str, what: File | str | None) -> None:
        self._changes.setdefault(folder, []).append((old, new, what))

    # durability

    def check_room(self, more_bytes: int) -> None:
        """Raises OSError (ENOSPC)."""
        used = sum(file.size_bytes for file in self.files.values() if isinstance(file, File))
        if more_bytes > 0 and used + more_bytes > self.capacity_bytes:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def sync(self, path: str, file: File | str | None) -> None:
        """fsync of a file or a folder. Raises OSError (EIO)."""
        self.syncs += 1
        if self.failing_syncs and isinstance(file, File):
            self.failing_syncs -= 1
            file.lose(self._dice, self._dice.choice((0.0, 0.5)))
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        if isinstance(file, File):
            file.sync()
        else:
            self._settle(path, len(self._changes.get(path, ())))

    def _settle(self, folder: str, count: int) -> None:
        changes = self._changes.get(folder, [])
        for old, new, what in changes[:count]:
            self._durable.pop(old, None)
            if new and what is not None:
                self._durable[new] = what
        del changes[:count]

    def has_durably(self, needle: bytes, path: str) -> bool:
        """Whether a power loss now would leave these bytes in the file of this name, and the name."""
        file = self._durable.get(path)
        folder = os.path.dirname(path)
        while folder != self.root:
            if folder not in self._durable:
                return False
            folder = os.path.dirname(folder)
        return isinstance(file, File) and file.durable.find(needle) >= 0

    def lose_power(self) -> None:
        """What was not durable is gone, or there in part. No process may have files open."""
        for folder, changes in list(self._changes.items()):
            self._settle(folder, self._dice.choice((0, self._dice.randint(0, len(changes)), len(changes))))
        self._changes.clear()
        share = self._dice.choice((0.0, 0.3, 0.7, 1.0))
        for file in {id(file): file for file in (*self.files.values(), *self._durable.values())}.values():
            if isinstance(file, File):
                file.lose(self._dice, share)
                file.size_bytes = len(file.durable)
        self._durable = {path: what for path, what in self._durable.items() if self._reachable(path)}
        before, self.files = self.files, dict(self._durable)
        self._restore(before)

    def _reachable(self, path: str) -> bool:
        folder = os.path.dirname(path)
        return folder == self.root or (folder in self._durable and self._reachable(folder))

    def _restore(self, before: dict[str, File | str]) -> None:
        for path in sorted(before, reverse=True):
            if isinstance(before[path], File):
                REAL["unlink"](path)
            else:
                os.rmdir(path)
        for path in sorted(self.files):
            file = self.files[path]
            if isinstance(file, File):
                Path(path).write_bytes(file.durable)
            else:
                REAL["mkdir"](path, 0o700)


def folder() -> str:
    """What stands in `files` for a folder."""
    return _TREE
