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
from engine.errors import DataDirLocked, JournalError
from engine.frames import Frame
from engine.journal import Walk
from engine.records import EVENT
from engine.snapshots import AtHand, load_whole
from engine.start_choice import check_reach, snapshots_to_try
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
    at_hand: AtHand | None = None,
) -> Recovered:
    """The newest state there is: a sound snapshot and the journal behind it, or the whole journal.

    The listener hears the last `told_commands` commands, with their events; `begin` gets the core as it is just
    before those. So the snapshot is the newest one that lies that far back; where the journal is short or the
    snapshots are young, what is told begins later. at_hand: may have loaded it. Raises JournalError, SnapshotRefused.
    """
    paths, begun = config.paths, time.perf_counter()
    next_seq, candidates = snapshots_to_try(config)
    loaded = load_whole(candidates, at_hand)
    core, transfers, walk, loaded_seq = Exchange(), Transfers(), Walk(paths.journal, joined=True), 0
    if loaded is not None:
        core, header, transfers = loaded
        walk, loaded_seq = Walk(paths.journal, header.seq, header.start, joined=True), header.seq
        _log.info("loaded the snapshot of command %d", header.seq)
    core.marks_max = MARKS_ALL if config.snapshots.prove else 0
    load_done = time.perf_counter()
    await replay(walk, core, transfers, listener, begin, next_seq - config.snapshots.told_commands)
    check_reach(paths.journal, paths.snapshots, core.seq + 1)
    return Recovered(core, transfers, walk, loaded_seq, load_done - begun, core.seq - loaded_seq,
                     time.perf_counter() - load_done)


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
