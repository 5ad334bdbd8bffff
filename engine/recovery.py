"""What happens before the first command of a run: the data directory is locked, the newest state found again.

The lock is flock on one file: it ends with the process, however that ends. A second engine on the same directory is
told which process holds it.
"""
import asyncio
import fcntl
import logging
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
from msgspec import Struct

from engine.config import Config
from engine.core.exchange import Exchange, StateDiffers
from engine.core.unpack import Event, unpack_events
from engine.errors import DataDirLocked, JournalError, SnapshotError
from engine.frames import Frame
from engine.journal import Walk
from engine.records import EVENT
from engine.segments import START, find_frame, list_files
from engine.snapshot_file import list_snapshots, read_header
from engine.snapshots import load_whole
from engine.transfers import Transfers

Listener = Callable[[Frame, list[Event]], None]
MARKS_ALL = 2**62           # hash the state at every mark, however large it is
ASTRAY = ("The program or the memory of one of the machines is at fault: keep everything and report it. prove = false "
           "under [snapshots] starts without comparing.")
_log = logging.getLogger(__name__)
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


class Recovered(Struct, frozen=True):
    """How a start went. loaded_seq: of the snapshot, 0: none was used."""

    core: Exchange
    transfers: Transfers
    walk: Walk
    loaded_seq: int
    load_seconds: float
    replayed: int
    replay_seconds: float


async def recover(
    config: Config, listener: Listener | None, begin: Callable[[Exchange], None] | None = None,
) -> Recovered:
    """The newest state there is: a sound snapshot and the journal behind it, or the whole journal.

    The listener hears the last `told_commands` commands, with their events; `begin` gets the core as it is just
    before those. So the snapshot is the newest one that lies that far back; where the journal is short or the
    snapshots are young, what is told begins later. Raises JournalError, SnapshotRefused.
    """
    paths, tell = config.paths, config.snapshots.told_commands
    begun = time.perf_counter()
    next_seq = _next_seq(paths.journal, paths.snapshots)
    loaded = load_whole(_choice(paths.journal, paths.snapshots, next_seq, tell))
    core, transfers, walk, loaded_seq = Exchange(), Transfers(), Walk(paths.journal, joined=True), 0
    if loaded is not None:
        core, header, transfers = loaded
        walk, loaded_seq = Walk(paths.journal, header.seq, header.start, joined=True), header.seq
        _log.info("loaded the snapshot of command %d", header.seq)
    core.marks_max = MARKS_ALL if config.snapshots.prove else 0
    load_done = time.perf_counter()
    await replay(walk, core, transfers, listener, begin, next_seq - tell)
    _check_reach(paths.journal, paths.snapshots, core.seq + 1)
    return Recovered(core, transfers, walk, loaded_seq, load_done - begun, core.seq - loaded_seq,
                     time.perf_counter() - load_done)


def _choice(journal: Path, snapshots: Path, next_seq: int, tell: int) -> list[Path]:
    """Snapshots in the order in which to try them; none when the whole journal is short enough to be told.

    Those made before the journal begins are of no use: a power loss may have brought them back.
    """
    begin = min((first_seq for first_seq, _ in list_files(journal)), default=1)
    if begin == 1 and next_seq <= tell:
        return []
    found = [(seq, path) for seq, path in list_snapshots(snapshots) if seq >= begin]
    old = [path for seq, path in reversed(found) if seq <= next_seq - tell]
    return old + [path for seq, path in found if seq > next_seq - tell]


def _next_seq(journal: Path, snapshots: Path) -> int:
    """About where the journal ends, by its headers. JournalError when a snapshot says that its end is lost."""
    files, next_seq = list_files(journal), 1
    if files:
        first_seq, path = files[-1]
        offset, frame_seq = _hint(list_snapshots(snapshots), first_seq)
        _, next_seq, _ = find_frame(path, 2**64 - 1, offset, frame_seq)
        if next_seq == frame_seq:       # no frame there: of another journal, or damaged
            _, next_seq, _ = find_frame(path, 2**64 - 1)
    _check_reach(journal, snapshots, next_seq)
    return next_seq


def _check_reach(journal: Path, snapshots: Path, next_seq: int) -> None:
    """JournalError when there is a snapshot of a command that the journal does not have."""
    for seq, path in list_snapshots(snapshots)[-1:]:
        if seq >= next_seq:
            raise JournalError(
                journal, 0, f"the journal ends at command {next_seq - 1}, {path} was made after command {seq}: the "
                "newest part of the journal is lost", "Restore the journal from a copy; or, if it is meant to be "
                "another journal, move the snapshots away.")


def _hint(found: list[tuple[int, Path]], first_seq: int) -> tuple[int, int]:
    """(offset, first command) of a frame in the segment of first_seq from where its end is near."""
    for seq, path in reversed(found):
        if seq >= first_seq:
            with suppress(SnapshotError, OSError):
                header = read_header(path)
                return (header.frame_offset, header.frame_seq) if header.frame_seq >= first_seq else (START, first_seq)
    return START, first_seq


async def replay(
    walk: Walk, core: Exchange, transfers: Transfers, listener: Listener | None,
    begin: Callable[[Exchange], None] | None = None, tell_from: int = 0,
) -> None:
    """Apply what the core has not applied yet; the listener hears commands from tell_from on. Raises JournalError."""
    waiting, told = 0, False
    try:
        for frame in walk:
            if frame.end_seq <= core.seq + 1:
                continue
            waiting += frame.count
            frame = frame.after(core.seq + 1)
            if not told and frame.end_seq > tell_from:
                told = True
                _take_in(core, transfers, frame.upto(tell_from - 1))
                frame = frame.after(tell_from)
                if begin is not None:
                    begin(core)
            events = _take_in(core, transfers, frame)
            if told and listener is not None:
                listener(frame, unpack_events(events))
            if waiting > _COMMANDS_PER_PASS:
                waiting = 0
                await asyncio.sleep(0)
    except StateDiffers as error:
        raise JournalError(walk.directory, 0, str(error), ASTRAY) from None
    if not told and begin is not None:
        begin(core)
    if core.seq != walk.chain.next_seq - 1:
        raise JournalError(
            walk.directory, 0, f"the core stands at command {core.seq} after a journal that ends at "
            f"{walk.chain.next_seq - 1}", "This is a bug of the program: keep the journal and report it.")


def _take_in(core: Exchange, transfers: Transfers, frame: Frame) -> memoryview:
    """The events of these commands."""
    events = core.apply(frame.commands)
    transfers.apply_rows(np.frombuffer(events, EVENT))
    return events
