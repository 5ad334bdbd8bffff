"""Has snapshots made while the engine works, tells their hashes in the journal, and deletes segments nobody needs.

The engine only puts a mark into the journal (a CHECKPOINT, core/checkpoint.pxd); a replica in another process, the
worker role `snapshots`, writes the file when it comes to the mark. So the engine's pause is that of one command. When
the file is there its hash goes into the journal, so that every replay and every replica that hashed the same mark
proves itself. Everything is tried again at the next look; nothing here stops the engine.
"""
import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from engine.config import Config
from engine.core.batch import Batch
from engine.core.exchange import DIGEST_VERSION
from engine.core.unpack import Event
from engine.errors import Busy, SnapshotError, Stopped
from engine.journal_writer import JournalWriter
from engine.paths import Paths
from engine.positions import positions, tell_position
from engine.retention import Needs, Piece, needs_of, removable
from engine.segments import Segment, sync_directory
from engine.snapshot_file import list_snapshots, read_header

LOOK_SECONDS = 1.0
_SNAPSHOTS_A_LOOK = 8
_log = logging.getLogger(__name__)
Done = Callable[[int, list[Event]], None]


class Checkpoints:
    """One of an engine. `marked_seq`: the last mark; `told_seq`: the last snapshot whose hash is in the journal."""

    def __init__(
        self, config: Config, writer: JournalWriter, submit: Callable[[Batch, Done], None],
        drop: Callable[[int], int], ledger_seq: Callable[[], int], time_ns: Callable[[], int],
    ) -> None:
        self.marked_seq = self.told_seq = max((seq for seq, _ in list_snapshots(config.paths.snapshots)), default=0)
        self.deleted_segments = 0
        self._config, self._writer, self._submit, self._drop = config, writer, submit, drop
        self._ledger_seq, self._kept_seq, self._time_ns = ledger_seq, 0, time_ns
        self._loop = asyncio.get_running_loop()
        self._marked_at, self._quiet_seq = self._loop.time(), 0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look."""
        self._task = self._loop.create_task(self._look())

    async def close(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def age_seconds(self) -> float:
        """Of the newest snapshot, in the journal's own time; 0 without one."""
        for _, path in list_snapshots(self._config.paths.snapshots)[-1:]:
            with suppress(SnapshotError, OSError):
                return max(0, self._time_ns() - read_header(path).time_ns) / 1e9
        return 0.0

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                self._mark_if_due()
                self._tell_hashes()
                self._keep_positions()
                await self._delete()
            except (Busy, Stopped):
                continue
            except OSError as error:
                _log.error("snapshots and old segments cannot be looked after: %s", error)

    def _mark_if_due(self) -> None:
        """Commands that are ours count for nothing: an idle venue stays silent."""
        seq, settings = self._writer.chain.next_seq - 1, self._config.snapshots
        if seq <= max(self.marked_seq, self._quiet_seq):
            return
        since, seconds = seq - self.marked_seq, self._loop.time() - self._marked_at
        if since >= settings.commands or (since >= settings.commands_min and seconds >= settings.seconds):
            batch = Batch()
            batch.checkpoint()
            self._submit(batch, self._marked)

    def _marked(self, first_seq: int, events: list[Event]) -> None:
        self.marked_seq, self._marked_at = first_seq, self._loop.time()

    def _tell_hashes(self) -> None:
        for seq, path in list_snapshots(self._config.paths.snapshots)[-_SNAPSHOTS_A_LOOK:]:
            if seq <= self.told_seq:
                continue
            with suppress(SnapshotError):
                header = read_header(path)
                if header.digest_version == DIGEST_VERSION and header.journal_id == self._writer.journal_id:
                    batch = Batch()
                    batch.checkpoint(header.seq, header.state_hash)
                    self._submit(batch, self._told)
            self.told_seq = seq

    def _told(self, first_seq: int, events: list[Event]) -> None:
        self._quiet_seq = first_seq

    def _keep_positions(self) -> None:
        """What the ledger said of itself stays known while neither it nor we run."""
        seq = self._ledger_seq()
        if seq > self._kept_seq:
            tell_position(self._config.paths.positions, "ledger", seq)
            self._kept_seq = seq

    async def _delete(self) -> None:
        settings = self._config.journal
        if not settings.keep_bytes:
            return
        oldest = list(self._writer.segments)
        count = len(removable(pieces_of(oldest), needs(self._config), settings.keep_bytes))
        if not count:
            return
        await asyncio.to_thread(_make_durable, self._config.paths)
        gone = self._drop(count)
        self.deleted_segments += gone
        if gone:
            await asyncio.to_thread(_unlink, oldest[:gone])


def needs(config: Config) -> Needs:
    """Who holds what, from the files that tell it."""
    made = [seq for seq, _ in list_snapshots(config.paths.snapshots)]
    required = ("ledger",) if config.journal.for_ledger else ()
    return needs_of(made, config.snapshots.keep, positions(config.paths.positions), required)


def pieces_of(segments: list[Segment]) -> list[Piece]:
    """The last one has no next: its next_seq is its own first."""
    following = [segment.first_seq for segment in segments[1:]] + [segments[-1].first_seq] if segments else []
    return [Piece(segment.path.name, segment.first_seq, next_seq, segment.size_bytes)
            for segment, next_seq in zip(segments, following, strict=True)]


def _make_durable(paths: Paths) -> None:
    """The names on which the decision rests: a power loss must not take a snapshot whose segments are gone."""
    for directory in (paths.snapshots, paths.positions, paths.data_dir):
        with suppress(FileNotFoundError):
            sync_directory(directory)


def _unlink(segments: list[Segment]) -> None:
    """Oldest first: what is left is a journal at every moment."""
    for segment in segments:
        _log.info("%s is deleted: nobody needs it", segment.path)
        segment.path.unlink()
        sync_directory(segment.path.parent)
