"""Mistakes that others have made, put into the product for the time of a schedule: the auditor must find each."""
import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from msgspec.structs import replace

import engine.checkpoints
import engine.journal_writer
import engine.reserve
import engine.segments
import engine.snapshot_file
import engine.snapshots
from engine.core.exchange import Exchange
from engine.follower import _Position
from engine.frames import Frame
from engine.journal_writer import JournalWriter
from engine.segments import sync_directory
from engine.snapshot_file import Header, Section, encode_head, name_of, read_header
from tests.system.simulator.journal_disk import SimDiskThread
from tests.system.simulator.venue import Venue
from workers.ledger import Ledger
from workers.ledger_batch import Batch

_Patch = tuple[Any, str, Any]


def _ack_before_fsync(_: Venue) -> list[_Patch]:
    return [(SimDiskThread, "_sync", lambda self: self._finish(0))]


def _no_folder_sync(_: Venue) -> list[_Patch]:
    return [(module, name, lambda *_: None) for module, name in (
        (engine.segments, "sync_directory"), (engine.reserve, "sync_directory"), (engine.journal_writer, "sync_names"))]


def _replay_twice(_: Venue) -> list[_Patch]:
    def again(self: _Position, frame: Frame) -> bool:
        return frame.count > 0

    return [(_Position, "_accept", again)]


def _position_not_compared(venue: Venue) -> list[_Patch]:
    venue.postgres.compares = False
    return []


def _outcome_guessed(_: Venue) -> list[_Patch]:
    async def commit(self: Ledger, batch: Batch) -> None:
        with contextlib.suppress(OSError):
            await self._store.write(batch)

    return [(Ledger, "_commit", commit)]


def _tail_not_written_again(_: Venue) -> list[_Patch]:
    return [(JournalWriter, "_write_again", lambda self: None)]


def _epoch_not_raised(_: Venue) -> list[_Patch]:
    return [(JournalWriter, "_open_epoch", lambda self: None)]


def _snapshot_without_folder_sync(_: Venue) -> list[_Patch]:
    return [(engine.snapshot_file, "sync_directory", lambda *_: None),
            (engine.checkpoints, "_make_durable", lambda _: None)]


def _rename_before_fsync(_: Venue) -> list[_Patch]:
    def write(directory: Path, header: Header, sections: list[Section]) -> Path:
        path = directory / name_of(header.seq)
        fd = os.open(directory / f"{path.name}.tmp", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.pwrite(fd, b"".join((encode_head(header, sections), *(items for *_, items in sections))), 0)
        os.rename(directory / f"{path.name}.tmp", path)
        sync_directory(directory)
        os.close(fd)
        return path

    return [(engine.snapshots, "write_snapshot", write)]


def _retention_too_much(_: Venue) -> list[_Patch]:
    return [(engine.checkpoints, "removable", lambda pieces, needs, keep_bytes: pieces[:-1])]


def _hash_of_another_command(_: Venue) -> list[_Patch]:
    before: list[int] = []

    def late(path: Path) -> Header:
        header = read_header(path)
        before.append(header.state_hash)
        return replace(header, state_hash=before[-2:][0])

    return [(engine.checkpoints, "read_header", late)]


def _snapshot_numbered_too_low(_: Venue) -> list[_Patch]:
    right = engine.snapshots._header

    def low(core: Exchange, journal: Path, state_hash: int) -> Header:
        return replace(right(core, journal, state_hash), seq=core.seq - 1)

    return [(engine.snapshots, "_header", low)]


PLANTS: dict[str, Callable[[Venue], list[_Patch]]] = {
    "ack before fsync": _ack_before_fsync,
    "no fsync of the folder": _no_folder_sync,
    "a frame replayed twice": _replay_twice,
    "the ledger's position not compared": _position_not_compared,
    "a commit's outcome guessed": _outcome_guessed,
    "the tail not written again": _tail_not_written_again,
    "a snapshot's folder without fsync": _snapshot_without_folder_sync,
    "a snapshot renamed before its fsync": _rename_before_fsync,
    "retention deletes what is needed": _retention_too_much,
    "a checkpoint with the hash of another command": _hash_of_another_command,
    "a snapshot numbered one too low": _snapshot_numbered_too_low,
    "no new epoch at a start": _epoch_not_raised}


@contextlib.contextmanager
def plant(name: str, venue: Venue) -> Iterator[None]:
    """Make this mistake; none for an empty name."""
    patches = PLANTS[name](venue) if name else []
    kept = [(place, what, getattr(place, what)) for place, what, _ in patches]
    try:
        for place, what, mistake in patches:
            setattr(place, what, mistake)
        yield
    finally:
        for place, what, right in kept:
            setattr(place, what, right)
