"""The snapshots of one venue: which there are, taking one, loading the best one that is sound.

What cannot be used for damage is passed over with a word in the log; what is sound but foreign or newer is refused.
"""
import fcntl
import logging
import os
import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from engine.core.exchange import DIGEST_VERSION, Exchange
from engine.errors import JournalError, SnapshotDamaged, SnapshotRefused
from engine.frames import HEADER_BYTES
from engine.paths import Paths
from engine.positions import positions
from engine.retention import start_for
from engine.segments import find_frame, list_files, read_segment
from engine.snapshot_file import Header, list_snapshots, read_snapshot, write_snapshot
from engine.snapshot_shell import SHELL, shell_sections, transfers_of
from engine.transfers import Transfers

_LOCK_NAME = "writer.lock"
_FRAME = struct.Struct("<IIQQI")
_log = logging.getLogger(__name__)


class Loaded(Struct, frozen=True):
    """A sound snapshot. transfers None: the file was written before snapshots had them."""

    core: Exchange
    header: Header
    transfers: Transfers | None


AtHand = Callable[[Path], Loaded | None]     # gives what it has loaded of that file already


def take(core: Exchange, transfers: Transfers, paths: Paths, keep: int) -> Path | None:
    """Write the state of this core, whose last command must be durable, and delete what is needed no more.

    The transfers are those of the same commands.

    None: another process writes one now, or there is no command yet. Raises OSError, leaving nothing behind;
    JournalError when the journal does not hold the last command.
    """
    if core.seq == 0:
        return None
    paths.snapshots.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _only_writer(paths.snapshots) as alone:
        if not alone:
            return None
        mark_seq, state_hash = core.mark
        if mark_seq != core.seq:
            state_hash = core.state_hash()
        header = _header(core, paths.journal, state_hash)
        path = write_snapshot(paths.snapshots, header, core.dump() + shell_sections(transfers))
        _prune(paths, keep)
    return path


def load_first(paths: Iterable[Path], make: Callable[[], Exchange]) -> Loaded | None:
    """The first of these that is sound, in an exchange made for it; None when none is. Raises SnapshotRefused."""
    for loaded in _sound(paths, make):
        return loaded
    return None


def load_whole(
    paths: Iterable[Path], at_hand: AtHand | None = None,
) -> tuple[Exchange, Header, Transfers] | None:
    """The first of these that is sound and holds transfers too: what is needed to go on as an engine.

    at_hand: asked for the first of them, which it may have loaded.
    """
    for loaded in _sound(paths, Exchange, at_hand):
        if loaded.transfers is not None:
            return loaded.core, loaded.header, loaded.transfers
        _log.warning("the snapshot of command %d is passed over: an older version wrote it, without the transfers "
                     "(holds), which are made again from the journal", loaded.header.seq)
    return None


def _sound(
    paths: Iterable[Path], make: Callable[[], Exchange], at_hand: AtHand | None = None,
) -> Iterator[Loaded]:
    for path in paths:
        try:
            found, at_hand = at_hand(path) if at_hand is not None else None, None
            yield found if found is not None else load(path, make())
        except (SnapshotDamaged, OSError) as error:
            _log.error("a snapshot is passed over: %s", error)


def load(path: Path, core: Exchange) -> Loaded:
    """Fill an empty core; its mark is set. Raises SnapshotDamaged, SnapshotRefused, OSError."""
    snapshot = read_snapshot(path)
    header = snapshot.header
    try:
        transfers = transfers_of([section for section in snapshot.sections if section[0] >= SHELL])
        core.load([section for section in snapshot.sections if section[0] < SHELL])
    except ValueError as error:
        raise SnapshotRefused(path, 0, f"its sections cannot be loaded: {error}",
                              "Use the version of Buttonwood that wrote it, or move the file away.") from None
    if header.digest_version == DIGEST_VERSION:
        found = core.state_hash()
        if (core.seq, found) != (header.seq, header.state_hash):
            raise SnapshotDamaged(path, 0, f"it hashes to {found:016x}, its header says {header.state_hash:016x}")
        core.set_mark(found)
    return Loaded(core, header, transfers)


def core_before(paths: Paths, seq_max: int) -> Exchange:
    """A core to replay on: the newest sound snapshot of no later command than that, else the beginning."""
    loaded = load_first(newest_first(paths.snapshots, seq_max), Exchange)
    return loaded.core if loaded is not None else Exchange()


def newest_first(directory: Path, seq_max: int = 2**63) -> list[Path]:
    """Files of snapshots made after no later command than that."""
    return [path for seq, path in reversed(list_snapshots(directory)) if seq <= seq_max]


def _header(core: Exchange, journal: Path, state_hash: int) -> Header:
    """Reads from the journal where the last command lies."""
    files = [(first_seq, path) for first_seq, path in list_files(journal) if first_seq <= core.seq]
    if not files:
        raise JournalError(journal, 0, f"command {core.seq} is not in the journal", "Restore the journal from a copy.")
    first_seq, path = files[-1]
    offset, frame_seq, found = find_frame(path, core.seq)
    if not found:
        raise JournalError(path, offset, f"command {core.seq} is not in the journal", "Restore it from a copy.")
    with path.open("rb") as file:
        _, _, _, epoch, prev_crc = _FRAME.unpack(os.pread(file.fileno(), HEADER_BYTES, offset)[:_FRAME.size])
    return Header(read_segment(path, first_seq).header.journal_id, core.seq, core.time_ns, state_hash, DIGEST_VERSION,
                  epoch, frame_seq, prev_crc, offset)


def _prune(paths: Paths, keep: int) -> None:
    """Keeps the newest, and those that readers far behind start from. Drafts go too: we are the only writer now.

    A power loss may bring back an older position of a reader, 0 too. Where the journal does not reach back to that, the
    oldest snapshot from which it can be read is the reader's: it was there when the segments before went.
    """
    found = dict(list_snapshots(paths.snapshots))
    begin = min((first_seq for first_seq, _ in list_files(paths.journal)), default=1)
    usable = [seq for seq in found if seq >= begin]
    last_resort = min(usable, default=0) if begin > 1 else 0
    readers = positions(paths.positions).values()
    wanted = {*list(found)[-keep:], *(start_for(usable, seq) or last_resort for seq in readers)}
    for seq, path in found.items():
        if seq not in wanted:
            path.unlink()
    for path in paths.snapshots.glob("*.tmp"):
        path.unlink()


@contextmanager
def _only_writer(directory: Path) -> Iterator[bool]:
    """Whether we are; held until the end, however the process ends."""
    fd = os.open(directory / _LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            alone = True
        except BlockingIOError:
            alone = False
        yield alone
    finally:
        os.close(fd)
