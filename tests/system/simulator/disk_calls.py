"""The system calls through which the shell uses files, put in front of the simulated disk.

Paths and descriptors outside of the simulated folder go to the real calls. Inside, each call is a place where the
process may be killed or lose power, and on a thread a place where others get their turn.
"""
import errno
import fcntl
import os
from collections.abc import Callable
from typing import Any

from tests.system.simulator.disk import REAL, Disk, File, folder
from tests.system.simulator.threads import current_thread
from tests.system.simulator.world import US, Killed, Process, World

_FIRST_NUMBER = 1_000_000
_REAL_FLOCK = fcntl.flock


class Descriptor:
    """An open file of a simulated process."""

    def __init__(self, path: str, real: int, process: Process) -> None:
        self.path, self.real, self.process = path, real, process


class DiskCalls:
    """`replacements` are for the os module, by name."""

    def __init__(self, world: World, disk: Disk) -> None:
        self._world, self._disk, self._dice = world, disk, world.dice("disk calls")
        self._open: dict[int, Descriptor] = {}
        self._locks: dict[str, int] = {}
        self._number = _FIRST_NUMBER
        self.replacements: dict[str, Callable[..., Any]] = {
            "open": self.open, "close": self.close, "pwrite": self.pwrite, "pread": self.pread, "preadv": self.preadv,
            "posix_fadvise": self.posix_fadvise, "posix_fallocate": self.posix_fallocate, "fsync": self.fsync,
            "fdatasync": self.fsync, "fstat": self.fstat, "rename": self.rename, "unlink": self.unlink,
            "mkdir": self.mkdir, "urandom": self._dice.randbytes}

    def descriptor(self, fd: int) -> Descriptor:
        """Of a simulated process."""
        return self._open[fd]

    def write(self, opened: Descriptor, data: bytes, offset: int) -> None:
        """Into the page cache. Raises OSError (ENOSPC)."""
        file = self._file(opened)
        self._disk.check_room(offset + len(data) - file.size_bytes)
        file.write(offset, data)
        REAL["pwrite"](opened.real, data, offset)

    def sync(self, opened: Descriptor) -> None:
        """Make a file or a folder durable. Raises OSError (EIO)."""
        self._disk.sync(opened.path, self._disk.files.get(opened.path))

    def _file(self, opened: Descriptor) -> File:
        file = self._disk.files.get(opened.path)
        if not isinstance(file, File):
            raise OSError(errno.EBADF, f"{opened.path} is no file")
        return file

    def _inside(self, path: Any) -> str | None:
        text = os.fspath(path)
        return text if isinstance(text, str) and text.startswith(self._disk.root) else None

    def _enter(self) -> Process:
        """Before a call: here its process may die, and a thread lets others run."""
        process, thread = self._world.current, current_thread()
        assert process is not None, "a disk call outside of a process"
        if process.alive and process.disk_calls_left >= 0:
            process.disk_calls_left -= 1
            if process.disk_calls_left < 0:
                process.in_disk_call()
        if thread is not None and process.alive:
            thread.pause(self._dice.randrange(1, 400 * US))
        if not process.alive:
            raise Killed
        return process

    # the calls

    def open(self, path: Any, flags: int, mode: int = 0o777, **options: Any) -> int:
        text = self._inside(path)
        if text is None:
            return int(REAL["open"](path, flags, mode, **options))
        process = self._enter()
        real = REAL["open"](text, flags, mode)
        if text not in self._disk.files and text != self._disk.root:
            self._disk.add(text, File())
        elif flags & os.O_TRUNC:
            self._disk.remove(text)
            self._disk.add(text, File())
        self._number += 1
        number = self._number
        self._open[number] = Descriptor(text, real, process)
        process.at_death.append(lambda: self.close(number))
        return number

    def close(self, fd: int) -> None:
        if fd < _FIRST_NUMBER:
            REAL["close"](fd)
        elif fd in self._open:
            opened = self._open.pop(fd)
            REAL["close"](opened.real)
            if self._locks.get(opened.path) == fd:
                del self._locks[opened.path]

    def pwrite(self, fd: int, data: Any, offset: int) -> int:
        if fd < _FIRST_NUMBER:
            return int(REAL["pwrite"](fd, data, offset))
        self._enter()
        self.write(self._open[fd], bytes(data), offset)
        return len(data)

    def pread(self, fd: int, size: int, offset: int) -> bytes:
        return bytes(REAL["pread"](self._number_of(fd), size, offset))

    def preadv(self, fd: int, buffers: Any, offset: int, flags: int = 0) -> int:
        if fd >= _FIRST_NUMBER and flags and self._dice.random() < 0.1:
            raise BlockingIOError(errno.EAGAIN, "not in memory")
        return int(REAL["preadv"](self._number_of(fd), buffers, offset))

    def posix_fadvise(self, fd: int, *arguments: int) -> None:
        """Advice changes nothing."""

    def posix_fallocate(self, fd: int, offset: int, size: int) -> None:
        if fd < _FIRST_NUMBER:
            REAL["posix_fallocate"](fd, offset, size)
            return
        self._enter()
        file = self._file(self._open[fd])
        if file.size_bytes < offset + size:
            self.write(self._open[fd], bytes(offset + size - file.size_bytes), file.size_bytes)

    def fsync(self, fd: int) -> None:
        if fd < _FIRST_NUMBER:      # outside of the simulation everything is durable
            return
        self._enter()
        self.sync(self._open[fd])

    def fstat(self, fd: int) -> os.stat_result:
        result: os.stat_result = REAL["fstat"](self._number_of(fd))
        return result

    def rename(self, old: Any, new: Any, **options: Any) -> None:
        source, target = self._inside(old), self._inside(new)
        if source is None or target is None:
            REAL["rename"](old, new, **options)
            return
        self._enter()
        REAL["rename"](source, target)
        self._disk.rename(source, target)

    def unlink(self, path: Any, **options: Any) -> None:
        text = self._inside(path)
        if text is None:
            REAL["unlink"](path, **options)
            return
        self._enter()
        REAL["unlink"](text)
        self._disk.remove(text)

    def mkdir(self, path: Any, mode: int = 0o777, **options: Any) -> None:
        text = self._inside(path)
        if text is None:
            REAL["mkdir"](path, mode, **options)
            return
        self._enter()
        REAL["mkdir"](text, mode)
        self._disk.add(text, folder())

    def flock(self, fd: int, operation: int) -> None:
        """fcntl.flock, exclusive and without waiting."""
        if fd < _FIRST_NUMBER:
            _REAL_FLOCK(fd, operation)
            return
        path = self._open[fd].path
        if path in self._locks:
            raise BlockingIOError(errno.EAGAIN, "locked")
        self._locks[path] = fd

    def _number_of(self, fd: int) -> int:
        return self._open[fd].real if fd >= _FIRST_NUMBER else fd
