"""The engine of one exchange process, put together: lock, recovery, journal, sequencer, core, drop copy.

`submit` is the only door in. The path of a command:
1. sequencer   copied into the next frame, stamped with sequence number and time
2. journal     the frame is written and fdatasynced off the loop
3. core        applied; its state is durable at every moment, so queries read it directly
4. listeners   every applied frame with its events, in total order
5. done        each submitter gets its own events
6. drop copy   the same frame goes to every follower
A write error or an error of the core resolves `failed`: nothing is acknowledged any more and the process must end.
"""
import asyncio
import logging
import os
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Self

from engine.checkpoints import Checkpoints
from engine.config import Config
from engine.core.batch import Batch
from engine.core.codes import CommandKind, EventKind
from engine.core.exchange import Exchange
from engine.core.unpack import Event, unpack_events
from engine.dropcopy import DropCopy
from engine.errors import JournalError, LedgerBehind, Stopped, StorageFull
from engine.event_kinds import events_of_kind
from engine.frames import Frame, frame_of
from engine.instruments import Catalog
from engine.journal_writer import JournalWriter
from engine.ledger_lag import LedgerLag
from engine.records import RECORD_BYTES
from engine.recovery import Listener, Recovered, lock_directory, recover
from engine.room import make_room
from engine.sequencer import Sequencer
from engine.snapshot_file import list_snapshots
from engine.snapshots import AtHand, take

Done = Callable[[int, list[Event]], None]
MARKS_LIVE = 32_768         # a live engine hashes no larger state: it would pause for more than a few milliseconds
_DRAIN_LOOK_SECONDS = 0.1
_CONFIGURED = int(EventKind.CONFIGURED)
_TAKE_AWAY = {   # never add to the book
    CommandKind.CANCEL, CommandKind.REDUCE, CommandKind.CANCEL_ALL, CommandKind.MASS_CANCEL, CommandKind.TICK}
_ADDS = {CommandKind.PLACE, CommandKind.REPLACE, CommandKind.PLACE_LIST}
_log = logging.getLogger(__name__)


class Engine:
    """One per exchange process. Make it with `open`, end it with `close`; everything happens on one loop.

    failed: gets the exception that stopped the engine, if any; a server races it and exits.
    """

    def __init__(
        self, config: Config, recovered: Recovered, writer: JournalWriter, clock: Callable[[], int],
    ) -> None:
        self.recovered, self.core, self.catalog = recovered, recovered.core, Catalog.of(recovered.core)
        self.transfers = recovered.transfers
        self.transfers.holds_account = config.transfers.holds_account
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._writer, self._listeners = writer, list[Listener]()
        self._sequencer = Sequencer(
            writer.append, next_seq=writer.chain.next_seq, time_ns=self.core.time_ns, clock=clock,
            frame_commands_max=config.journal.frame_commands_max, pending_max=config.limits.requests_pending_max)
        self.ledger_lag = LedgerLag(config.ledger, self.core.seq)
        self.dropcopy = DropCopy(config.paths.dropcopy, writer, config.limits, {"ledger": self.ledger_lag.reported})
        self.checkpoints = Checkpoints(config, writer, self.submit, self.dropcopy.drop,
                                       lambda: self.ledger_lag.reported_seq, lambda: self.core.time_ns)
        self.core.marks_max = min(MARKS_LIVE, self.core.marks_max)
        self._config = config
        self._lock_fd, self._closing, self._durable_seq = -1, False, self.core.seq
        self._drained = asyncio.Event()
        writer.on_durable, writer.on_failed = self._durable, self._fail

    @classmethod
    async def open(
        cls, config: Config, listener: Listener | None = None, *, begin: Callable[[Exchange], None] | None = None,
        clock: Callable[[], int] = time.time_ns, at_hand: AtHand | None = None,
    ) -> Self:
        """Lock the data directory, recover, begin a new epoch, serve followers.

        The listener hears the frames that are told (engine.recovery) and every later one; before the first of them
        `begin` gets the core as it stands there. at_hand: gives the snapshot if it was loaded already.
        Raises DataDirLocked, JournalError, SnapshotRefused, ConfigError.
        """
        config.paths.prepare()
        lock_fd = lock_directory(config.paths.data_dir, config.paths.lock)
        try:
            config.paths.journal.mkdir(mode=0o700, exist_ok=True)
            recovered = await recover(config, listener, begin, at_hand)
            make_room(recovered.core, config.core)
            writer = JournalWriter(recovered.walk, config.journal)
            writer.open()
            engine = cls(config, recovered, writer, clock)
            if listener is not None:
                engine.listen(listener)
            await engine._start(lock_fd)
        except BaseException:
            os.close(lock_fd)
            raise
        return engine

    @property
    def seq(self) -> int:
        """The last command the core has applied."""
        return self.core.seq

    @property
    def durable_seq(self) -> int:
        """The last command that is on the disk."""
        return self._durable_seq

    @property
    def epoch(self) -> int:
        """Which run of the engine on this journal this is: 1, 2, 3, ..."""
        return self._writer.chain.epoch

    @property
    def pending(self) -> int:
        """Commands taken and not durable yet."""
        return self._sequencer.pending

    @property
    def storage_low(self) -> bool:
        """The disk is full: only commands that take orders off the book are taken, as long as the reserve lasts."""
        return self._writer.storage_low

    @property
    def orders_refused(self) -> bool:
        """No new orders are taken: the disk is full, or the ledger too far behind."""
        return self._writer.storage_low or self.ledger_lag.behind

    def submit(self, batch: Batch, done: Done) -> None:
        """Take these commands, all or none; the batch may be reused at once.

        done(first_seq, events of this batch) is called on the loop once they are durable and applied, in total order.
        Raises Busy (requests_pending_max, StorageFull, LedgerBehind), BatchTooLarge, Stopped; then nothing was taken.
        When the engine fails, done is never called: whether the commands count is known after the next start.
        """
        if self._closing or self.failed.done():
            raise Stopped("the engine is closing" if self._closing else "the engine has failed")
        if self._writer.storage_low:
            self._check_room(batch)
        if self.ledger_lag.behind if self._sequencer.pending else self.ledger_lag.look():   # each frame looks
            self._check_ledger(batch)
        self._sequencer.submit(batch, done)

    def listen(self, listener: Listener) -> None:
        """Call this for every applied frame from now on, before the submitters' own callbacks."""
        self._listeners.append(listener)

    async def close(self) -> None:
        """Refuse new commands, finish those taken, stop the threads and servers, release the directory.

        Commands that cannot be finished (engine failed, disk full) are dropped: they were not acknowledged.
        """
        if self._closing:
            return
        self._closing = True
        while self._sequencer.pending and not self.failed.done() and not self._writer.waits_for_room:
            self._drained.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(_DRAIN_LOOK_SECONDS):
                    await self._drained.wait()
        await self.dropcopy.close()
        await self.checkpoints.close()
        await self._writer.close()
        self._last_snapshot()
        os.close(self._lock_fd)

    def _last_snapshot(self) -> None:
        """So that nobody has to replay what this run has done. A failure costs time at the next start, nothing else."""
        core, paths = self.core, self._config.paths
        newest = max((seq for seq, _ in list_snapshots(paths.snapshots)), default=0)
        settled = not self.failed.done() and core.seq == self._durable_seq > newest and not self._writer.storage_low
        most = self._config.snapshots.stop_orders_max
        if not settled or not most or core.open_count > most:
            return
        try:
            take(core, self.transfers, paths, self._config.snapshots.keep)
        except (OSError, JournalError) as error:
            _log.error("no snapshot at the end of this run: %s", error)

    def _check_room(self, batch: Batch) -> None:
        """The disk is full: raises StorageFull for anything but cancels, and for those when the reserve is used up."""
        kinds = set(bytes(batch)[::RECORD_BYTES])
        if not kinds <= _TAKE_AWAY:
            raise StorageFull(f"{self._writer.directory} has no room for the next segment, nothing but cancels is "
                              "taken: free space, then send again")
        if self._sequencer.pending + len(batch) > self._writer.room_commands:
            raise StorageFull(f"{self._writer.directory} has used up its reserve, not even cancels are taken: free "
                              "space, then send again")

    def _check_ledger(self, batch: Batch) -> None:
        """The ledger is too far behind: raises LedgerBehind for new orders."""
        if _ADDS & set(bytes(batch)[::RECORD_BYTES]):
            raise LedgerBehind(
                f"the ledger in Postgres is {self.ledger_lag.seconds:.0f} s behind, at command "
                f"{self.ledger_lag.reported_seq} of {self.durable_seq}, no new orders are taken: see its log")

    async def _start(self, lock_fd: int) -> None:
        self._lock_fd = lock_fd
        await self.dropcopy.start()
        self._writer.start()
        self.checkpoints.start()

    def _durable(self, raw: bytes) -> None:
        if self.failed.done():
            return  # a frame was under way when the core failed: it is not applied, hence not acknowledged
        group, frame = self._sequencer.durable(), frame_of(raw)
        self._durable_seq = frame.end_seq - 1
        self.ledger_lag.durable(self._durable_seq)
        try:
            events = self._apply(frame)
        except Exception as error:
            self._fail(error)
            return
        self._tell(frame, events)
        group.answer(frame.first_seq, events)
        self._sequencer.recycle(group.batch)
        self.dropcopy.publish(raw)
        self._drained.set()

    def _apply(self, frame: Frame) -> list[Event]:
        buffer = self.core.apply(frame.commands)
        events = unpack_events(buffer)
        if events_of_kind(events, _CONFIGURED):
            self.catalog.update(self.core)
        self.transfers.apply(events)
        return events

    def _tell(self, frame: Frame, events: list[Event]) -> None:
        for listener in self._listeners:
            try:
                listener(frame, events)
            except Exception:
                _log.exception("a listener failed at command %d", frame.first_seq)

    def _fail(self, error: Exception) -> None:
        if self.failed.done():
            return
        _log.critical("the engine stops: %s", error)
        self.failed.set_exception(error)
        self.failed.exception()  # marks it as seen: whoever does not wait for it gets no second report
        self._drained.set()
