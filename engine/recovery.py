"""What happens before the first command of a run: the data directory is locked and the journal replayed.

The lock is flock on one file: it ends with the process, however that ends. A second engine on the same directory is
told which process holds it.
"""
import asyncio
import fcntl
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from engine.core.exchange import Exchange
from engine.core.unpack import Event, unpack_events
from engine.errors import DataDirLocked, JournalError
from engine.frames import Frame
from engine.journal import Walk

Listener = Callable[[Frame, list[Event]], None]
_COMMANDS_PER_PASS = 8192   # replayed between two looks at the loop: Ctrl-C stays possible


def lock_directory(directory: Path, lock: Path) -> int:
    """Hold this data directory until the descriptor is closed. Raises DataDirLocked."""
    fd = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        text = os.pread(fd, 32, 0).decode("ascii", "replace").strip()
        os.close(fd)
        raise DataDirLocked(directory, int(text) if text.isdecimal() else 0) from None
    with suppress(OSError):  # the disk may be full: then the number is missing, the lock holds all the same
        os.pwrite(fd, f"{os.getpid():<20}\n".encode("ascii"), 0)
    return fd


async def replay(walk: Walk, core: Exchange, listener: Listener | None) -> None:
    """Apply every frame of the journal to the core; the listener sees each with its events. Raises JournalError."""
    waiting = 0
    for frame in walk:
        if not frame.count:
            continue
        events = core.apply(frame.commands)
        if listener is not None:
            listener(frame, unpack_events(events))
        waiting += frame.count
        if waiting > _COMMANDS_PER_PASS:
            waiting = 0
            await asyncio.sleep(0)
    if core.seq != walk.chain.next_seq - 1:
        raise JournalError(
            walk.directory, 0, f"the core stands at command {core.seq} after a journal that ends at "
            f"{walk.chain.next_seq - 1}", "This is a bug of the program: keep the journal and report it.")
