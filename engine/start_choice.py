"""From which snapshot a start should go on: decided by names and headers, before anything is read as a whole."""
from contextlib import suppress
from pathlib import Path

from engine.config import Config
from engine.errors import JournalError, SnapshotError
from engine.segments import START, find_frame, list_files
from engine.snapshot_file import list_snapshots, read_header


def snapshots_to_try(config: Config) -> tuple[int, list[Path]]:
    """About where the journal ends, and snapshots in the order in which to try them. Raises JournalError.

    None when the whole journal is short enough to be told. Those made before the journal begins are of no use: a power
    loss may have brought them back.
    """
    journal, snapshots, tell = config.paths.journal, config.paths.snapshots, config.snapshots.told_commands
    next_seq = _next_seq(journal, snapshots)
    begin = min((first_seq for first_seq, _ in list_files(journal)), default=1)
    if begin == 1 and next_seq <= tell:
        return next_seq, []
    found = [(seq, path) for seq, path in list_snapshots(snapshots) if seq >= begin]
    old = [path for seq, path in reversed(found) if seq <= next_seq - tell]
    return next_seq, old + [path for seq, path in found if seq > next_seq - tell]


def check_reach(journal: Path, snapshots: Path, next_seq: int) -> None:
    """JournalError when there is a snapshot of a command that the journal does not have."""
    for seq, path in list_snapshots(snapshots)[-1:]:
        if seq >= next_seq:
            raise JournalError(
                journal, 0, f"the journal ends at command {next_seq - 1}, {path} was made after command {seq}: the "
                "newest part of the journal is lost", "Restore the journal from a copy; or, if it is meant to be "
                "another journal, move the snapshots away.")


def _next_seq(journal: Path, snapshots: Path) -> int:
    """About where the journal ends, by its headers. JournalError when a snapshot says that its end is lost."""
    files, next_seq = list_files(journal), 1
    if files:
        first_seq, path = files[-1]
        offset, frame_seq = _hint(list_snapshots(snapshots), first_seq)
        _, next_seq, _ = find_frame(path, 2**64 - 1, offset, frame_seq)
        if next_seq == frame_seq:       # no frame there: of another journal, or damaged
            _, next_seq, _ = find_frame(path, 2**64 - 1)
    check_reach(journal, snapshots, next_seq)
    return next_seq


def _hint(found: list[tuple[int, Path]], first_seq: int) -> tuple[int, int]:
    """(offset, first command) of a frame in the segment of first_seq from where its end is near."""
    for seq, path in reversed(found):
        if seq >= first_seq:
            with suppress(SnapshotError, OSError):
                header = read_header(path)
                return (header.frame_offset, header.frame_seq) if header.frame_seq >= first_seq else (START, first_seq)
    return START, first_seq
