"""Mistakes that others have made, put into the product for the time of a schedule: the auditor must find each."""
import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import engine.journal_writer
import engine.reserve
import engine.segments
from engine.follower import _Position
from engine.frames import Frame
from engine.journal_writer import JournalWriter
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


PLANTS: dict[str, Callable[[Venue], list[_Patch]]] = {
    "ack before fsync": _ack_before_fsync,
    "no fsync of the folder": _no_folder_sync,
    "a frame replayed twice": _replay_twice,
    "the ledger's position not compared": _position_not_compared,
    "a commit's outcome guessed": _outcome_guessed,
    "the tail not written again": _tail_not_written_again,
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
