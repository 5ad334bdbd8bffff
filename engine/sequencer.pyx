"""Gives every command its place and its time, and gathers commands into frames: the only clock read of the venue.

While one frame is being written the next one gathers, so one disk write serves everybody who waits. A frame holds
what was waiting when the journal became free; on an idle engine it begins at the end of the loop's pass, so that all
commands of one pass share it. Time is monotone in nanoseconds, also when the clock steps back and over restarts.
"""
import asyncio
import logging
import time
from collections import deque

from libc.stdint cimport int64_t, uint64_t

from engine.core.batch cimport Batch
from engine.core.unpack import split_events
from engine.errors import BatchTooLarge, Busy

__all__ = ["Group", "Sequencer"]

cdef enum:
    BATCHES_KEPT = 4

_log = logging.getLogger(__name__)


cdef class Group:
    """The commands of one frame and who waits for them: (number of commands, done) in order."""
    cdef readonly Batch batch
    cdef readonly list submissions

    def __init__(self, Batch batch not None):
        self.batch, self.submissions = batch, []

    def answer(self, uint64_t first_seq, list events not None):
        """Give each of them the events of its own commands. One that fails is logged, the others get theirs."""
        cdef list counts = [count for count, _ in self.submissions]
        for (seq, share), (_, done) in zip(split_events(events, first_seq, counts), self.submissions, strict=True):
            try:
                done(seq, share)
            except Exception:
                _log.exception("the callback of command %d failed", seq)


cdef class Sequencer:
    """Single writer. `append` makes bytes durable; call `durable` when it has, and get the group back.

    next_seq, time_ns: of the next command; of the last one. pending: commands taken and not durable yet.
    """
    cdef readonly uint64_t next_seq
    cdef readonly int64_t time_ns
    cdef readonly Py_ssize_t pending
    cdef Py_ssize_t _frame_commands_max, _pending_max
    cdef object _append, _clock
    cdef object _waiting     # groups, the next one first
    cdef Group _last         # of those the newest, None when nothing waits
    cdef Group _writing
    cdef list _kept
    cdef bint _scheduled

    def __init__(self, append, *, uint64_t next_seq, int64_t time_ns, Py_ssize_t frame_commands_max,
                 Py_ssize_t pending_max, clock=time.time_ns):
        self.next_seq, self.time_ns = next_seq, time_ns
        self._append, self._clock = append, clock
        self._frame_commands_max, self._pending_max = frame_commands_max, pending_max
        self._waiting, self._kept = deque(), []

    def submit(self, Batch batch not None, done):
        """Copy the commands into the next frame; the batch may be reused at once. Raises Busy, BatchTooLarge."""
        cdef Py_ssize_t count = batch.count
        cdef Group group
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

    def durable(self):
        """The frame being written is durable: begin the next one and hand this one's group back."""
        cdef Group group = self._writing
        assert group is not None
        self._writing = None
        self.pending -= group.batch.count
        if self._last is not None:
            self._begin()
        return group

    def recycle(self, Batch batch not None):
        """Take a batch back whose commands nobody reads any more."""
        if len(self._kept) < BATCHES_KEPT:
            batch.clear()
            self._kept.append(batch)

    cdef Group _group_for(self, Py_ssize_t count):
        if self._last is None or self._last.batch.count + count > self._frame_commands_max:
            self._last = Group(self._kept.pop() if self._kept else Batch())
            self._waiting.append(self._last)
        return self._last

    def _begin(self):
        cdef Group group
        self._scheduled = False
        if self._writing is not None or self._last is None:
            return
        group = self._writing = self._waiting.popleft()
        if group is self._last:
            self._last = None
        self.time_ns = max(self._clock(), self.time_ns + 1)
        group.batch.stamp(self.next_seq, self.time_ns)
        self.next_seq += <uint64_t>group.batch.count
        self._append(bytes(group.batch))
