"""Keeps the replies of one connection in the order of its requests, and joins its commands into batches.

Commands collect until `submit`; then they wait for the engine. A query or an early reply that comes while commands wait
is queued behind them, so that a status asked for right behind an order sees the order. With nothing waiting it is
answered at once. A `tag` is whatever the connection needs to address a reply. Answers (answers.pyx) know theirs and are
written natively, all that became due together in one piece, to the connection's outlet.

The engine refuses commands above requests_pending_max, each is then answered with -1008. A connection on which twice as
many requests wait raises Overrun and is to be closed: its queries could pile up without end behind a slow disk.
"""
import logging
from collections import deque

from engine.core.batch cimport Batch
from gateway.answers cimport Answer, AnswerWriter, end_of_command
from gateway.outlet cimport Outlet

from engine.errors import Busy, LedgerBehind, Stopped, StorageFull
from gateway.refusals import DISCONNECTED, LEDGER_BEHIND, SERVER_BUSY, STORAGE_FULL, UNKNOWN_ERROR, Refusal

__all__ = ["Lane", "Overrun"]

cdef enum:   # what an item is that is no Answer: (kind, tag, what that kind needs)
    COMMAND
    COMMANDS
    QUERY
    REFUSED
    STARTED

_log = logging.getLogger(__name__)


class Overrun(Exception):
    """A connection has more requests waiting than it may have."""


cdef class Lane:
    """`answer` receives (tag, JSON of the result), `refuse` (tag, refusal), the outlet of `opened` finished frames;
    `settled` is called when the engine has answered and nothing more will come of it."""

    def __init__(self, engine, config, answer, refuse, settled=None):
        self.batch = Batch()
        self._submit_to, self._when_done = engine.submit, self.done
        self._pending_max = 2 * config.limits.requests_pending_max
        self._commands_max = config.journal.frame_commands_max
        self._answer = answer
        self._refuse = refuse
        self._settled = settled
        self._writer = AnswerWriter()
        self._items = []
        self._submitted = deque()

    def opened(self, Outlet outlet not None):
        """Where frames go: of connections whose replies are frames, the others add no Answers."""
        self._outlet = outlet

    def command(self, tag, finish):
        """The command just added to `batch` belongs to this request."""
        self._queue((COMMAND, tag, finish))
        if self.batch.count >= self._commands_max:
            self.submit()

    def make_room(self, Py_ssize_t count):
        """So many commands are about to be added that must not be parted."""
        if self.batch.count + count > self._commands_max:
            self.submit()

    def commands(self, tag, Py_ssize_t count, finish):
        """The last `count` commands added to `batch` belong to this request."""
        if not count:
            self.query(tag, lambda: finish([]))
            return
        self._queue((COMMANDS, tag, (self.batch.count - count, count, finish)))
        if self.batch.count >= self._commands_max:
            self.submit()

    cpdef int add(self, Answer answer) except -1:
        """The command just added to `batch` has this answer."""
        self.pending += 1
        self._items.append(answer)
        if self.pending > self._pending_max:
            raise Overrun
        if self.batch.count >= self._commands_max:
            self.submit()
        return 0

    def query(self, tag, work):
        """Answer with what `work` returns, after everything asked for before."""
        if self.pending:
            self._queue((QUERY, tag, work))
        else:
            self._run(tag, work)

    def start(self, tag, begin):
        """Call `begin` after everything asked for before is answered; the answer to this is the caller's business."""
        if self.pending:
            self._queue((STARTED, tag, begin))
        else:
            begin()

    def refuse(self, tag, refusal):
        """Answer with a refusal, after everything asked for before."""
        if self.pending:
            self._queue((REFUSED, tag, refusal))
        else:
            self._refuse(tag, refusal)

    cpdef int submit(self) except -1:
        """The read is over: hand its commands to the engine."""
        cdef list items = self._items
        cdef Batch batch = self.batch
        if not items:
            return 0
        self._items = []
        if not batch.count:
            self._submitted[len(self._submitted) - 1].extend(items)
            return 0
        self._submitted.append(items)
        try:
            self._submit_to(batch, self._when_done)
        except StorageFull:
            self._give_back(Refusal(STORAGE_FULL))
        except LedgerBehind:
            self._give_back(Refusal(LEDGER_BEHIND))
        except Busy:
            self._give_back(Refusal(SERVER_BUSY))
        except Stopped:
            self._give_back(Refusal(DISCONNECTED))
        batch.clear()
        return 0

    cdef int _queue(self, tuple item) except -1:
        self.pending += 1
        self._items.append(item)
        if self.pending > self._pending_max:
            raise Overrun
        return 0

    def done(self, first_seq, list events not None):
        """Called by the engine: the oldest submission is durable and applied."""
        cdef list items = self._submitted.popleft()
        cdef Py_ssize_t index = 0, start = 0, count = len(items)
        cdef bytes frames
        self.pending -= count
        while True:
            index, start = self._writer.write(items, index, events, start)
            frames = self._writer.taken()
            if frames:
                self._outlet.push(frames)
            if index == count:
                break
            if not frames or not isinstance(items[index], Answer):
                start = self._finish(items[index], first_seq, events, start)
                index += 1
        if self._settled is not None:
            self._settled()

    cdef Py_ssize_t _finish(self, item, first_seq, list events, Py_ssize_t start) except -1:
        """Do it the general way; where the next command's events begin."""
        cdef Py_ssize_t end
        kind, tag, what = (COMMAND, item.tag, item.body) if isinstance(item, Answer) else item
        if kind == COMMAND:
            end = end_of_command(events, start)
            self._run(tag, what, events[start:end])
            return end
        if kind == COMMANDS:
            place, count, finish = what
            end = start
            while end < len(events) and events[end].seq < first_seq + place + count:
                end += 1
            self._run(tag, finish, events[start:end])
            return end
        if kind == QUERY:
            self._run(tag, what)
        elif kind == STARTED:
            what()
        else:
            self._refuse(tag, what)
        return start

    def _run(self, tag, work, *args):
        try:
            body = work(*args)
        except Refusal as refusal:
            self._refuse(tag, refusal)
        except Exception:
            _log.exception("a reply could not be made")
            self._refuse(tag, Refusal(UNKNOWN_ERROR))
        else:
            self._answer(tag, body)

    def _give_back(self, refusal):
        """The engine took nothing: refuse the newest submission's commands, in their place."""
        items = [_refused(item, refusal) for item in self._submitted.pop()]
        if self._submitted:
            self._submitted[len(self._submitted) - 1].extend(items)
            return
        self._submitted.append(items)
        self.done(0, [])


def _refused(item, refusal):
    """The same item if the engine is not needed for it."""
    if isinstance(item, Answer):
        return REFUSED, item.tag, refusal
    return (REFUSED, item[1], refusal) if item[0] in (COMMAND, COMMANDS) else item
