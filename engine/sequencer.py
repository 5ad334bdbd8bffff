"""Gives every command its place and its time, and gathers commands into frames: the only clock read of the venue.

While one frame is being written the next one gathers, so one disk write serves everybody who waits. A frame holds
what was waiting when the journal became free; on an idle engine it begins at the end of the loop's pass, so that all
commands of one pass share it. Time is monotone in nanoseconds, also when the clock steps back and over restarts.
"""
import asyncio
import time
from collections import deque
from collections.abc import Callable

from engine.core.batch import Batch
from engine.core.unpack import Event
from engine.errors import BatchTooLarge, Busy

Done = Callable[[int, list[Event]], None]
_BATCHES_KEPT = 4


class Group:
    """The commands of one frame and who waits for them: (number of commands, done) in order."""

    __slots__ = ("batch", "submissions")

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.submissions: list[tuple[int, Done]] = []


class Sequencer:
    """Single writer. `append` makes bytes durable; call `durable` when it has, and get the group back."""

    def __init__(
        self, append: Callable[[bytes], None], *, next_seq: int, time_ns: int, frame_commands_max: int,
        pending_max: int, clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self.next_seq, self.time_ns = next_seq, time_ns  # of the next command; of the last one
        self.pending = 0                                 # commands taken and not durable yet
        self._append, self._clock = append, clock
        self._frame_commands_max, self._pending_max = frame_commands_max, pending_max
        self._waiting: deque[Group] = deque()
        self._writing: Group | None = None
        self._kept: list[Batch] = []
        self._scheduled = False

    def submit(self, batch: Batch, done: Done) -> None:
        """Copy the commands into the next frame; the batch may be reused at once. Raises Busy, BatchTooLarge."""
        count = len(batch)
        if not 0 < count <= self._frame_commands_max:
            raise BatchTooLarge(f"{count} commands: send 1 to {self._frame_commands_max} at a time")
        if self.pending + count > self._pending_max:
            raise Busy(f"{self.pending} commands wait (requests_pending_max {self._pending_max}): send again later")
        group = self._group_for(count)
        group.batch.extend(batch)
        group.submissions.append((count, done))
        self.pending += count
        if self._writing is None and not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._begin)

    def durable(self) -> Group:
        """The frame being written is durable: begin the next one and hand this one's group back."""
        group = self._writing
        assert group is not None
        self._writing = None
        self.pending -= len(group.batch)
        if self._waiting:
            self._begin()
        return group

    def recycle(self, batch: Batch) -> None:
        """Take a batch back whose commands nobody reads any more."""
        if len(self._kept) < _BATCHES_KEPT:
            batch.clear()
            self._kept.append(batch)

    def _group_for(self, count: int) -> Group:
        if self._waiting and len(self._waiting[-1].batch) + count <= self._frame_commands_max:
            return self._waiting[-1]
        self._waiting.append(Group(self._kept.pop() if self._kept else Batch()))
        return self._waiting[-1]

    def _begin(self) -> None:
        self._scheduled = False
        if self._writing is not None or not self._waiting:
            return
        group = self._writing = self._waiting.popleft()
        self.time_ns = max(self._clock(), self.time_ns + 1)
        group.batch.stamp(self.next_seq, self.time_ns)
        self.next_seq += len(group.batch)
        self._append(bytes(group.batch))
