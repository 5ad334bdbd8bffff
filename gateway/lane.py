"""Keeps the replies of one connection in the order of its requests, and joins its commands into batches.

Commands collect until `submit`; then they wait for the engine. A query or an early reply that comes while commands wait
is queued behind them, so that a status asked for right behind an order sees the order. With nothing waiting it is
answered at once. A `tag` is whatever the connection needs to address a reply. Answers (answers.pyx) know theirs and are
written natively, all that became due together in one piece, to `send`.

The engine refuses commands above requests_pending_max, each is then answered with -1008. A connection on which twice as
many requests wait raises Overrun and is to be closed: its queries could pile up without end behind a slow disk.
"""
import logging
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from engine.config import Config
from engine.core.batch import Batch
from engine.core.unpack import Event
from engine.errors import Busy, LedgerBehind, Stopped, StorageFull
from engine.service import Engine
from gateway.answers import Answer, AnswerWriter, end_of_command
from gateway.orders import Finish
from gateway.refusals import DISCONNECTED, LEDGER_BEHIND, SERVER_BUSY, STORAGE_FULL, UNKNOWN_ERROR, Refusal

Tag = TypeVar("Tag")
Work = Callable[[], bytes]
_Item = tuple[int, Tag, Any] | Answer   # kind, tag, and what that kind needs
_COMMAND, _COMMANDS, _QUERY, _REFUSED, _STARTED = range(5)
_log = logging.getLogger(__name__)


def _unused(frames: bytes) -> None:
    """For connections whose replies are no frames: they add no Answers."""
    raise AssertionError("an answer without a connection")


def _nothing() -> None:
    """For connections that do not care when the engine has answered."""


class Overrun(Exception):
    """A connection has more requests waiting than it may have."""


class Lane(Generic[Tag]):
    """`answer` receives (tag, JSON of the result), `refuse` (tag, refusal), `send` frames; `settled` is called when
    the engine has answered and nothing more will come of it."""

    def __init__(self, engine: Engine, config: Config, answer: Callable[[Tag, bytes], None],
                 refuse: Callable[[Tag, Refusal], None], send: Callable[[bytes], None] = _unused,
                 settled: Callable[[], None] = _nothing) -> None:
        self.batch = Batch()            # the commands of this read
        self._engine = engine
        self._pending_max = 2 * config.limits.requests_pending_max
        self._commands_max = config.journal.frame_commands_max
        self._answer = answer
        self._refuse = refuse
        self._send = send
        self._settled = settled
        self._writer = AnswerWriter()
        self._items: list[_Item[Tag]] = []     # of this read, in order
        self._submitted: deque[list[_Item[Tag]]] = deque()
        self._pending = 0

    @property
    def pending(self) -> int:
        """Requests that wait for the engine."""
        return self._pending

    def command(self, tag: Tag, finish: Finish) -> None:
        """The command just added to `batch` belongs to this request."""
        self._queue((_COMMAND, tag, finish))
        if len(self.batch) >= self._commands_max:
            self.submit()

    def make_room(self, count: int) -> None:
        """So many commands are about to be added that must not be parted."""
        if len(self.batch) + count > self._commands_max:
            self.submit()

    def commands(self, tag: Tag, count: int, finish: Finish) -> None:
        """The last `count` commands added to `batch` belong to this request."""
        if not count:
            self.query(tag, lambda: finish([]))
            return
        self._queue((_COMMANDS, tag, (len(self.batch) - count, count, finish)))
        if len(self.batch) >= self._commands_max:
            self.submit()

    def add(self, answer: Answer) -> None:
        """The command just added to `batch` has this answer."""
        self._pending += 1
        self._items.append(answer)
        if self._pending > self._pending_max:
            raise Overrun
        if len(self.batch) >= self._commands_max:
            self.submit()

    def query(self, tag: Tag, work: Work) -> None:
        """Answer with what `work` returns, after everything asked for before."""
        if self._pending:
            self._queue((_QUERY, tag, work))
        else:
            self._run(tag, work)

    def start(self, tag: Tag, begin: Callable[[], None]) -> None:
        """Call `begin` after everything asked for before is answered; the answer to this is the caller's business."""
        if self._pending:
            self._queue((_STARTED, tag, begin))
        else:
            begin()

    def refuse(self, tag: Tag, refusal: Refusal) -> None:
        """Answer with a refusal, after everything asked for before."""
        if self._pending:
            self._queue((_REFUSED, tag, refusal))
        else:
            self._refuse(tag, refusal)

    def submit(self) -> None:
        """The read is over: hand its commands to the engine."""
        items, batch = self._items, self.batch
        if not items:
            return
        self._items = []
        if not len(batch):
            self._submitted[-1].extend(items)
            return
        self._submitted.append(items)
        try:
            self._engine.submit(batch, self._done)
        except StorageFull:
            self._give_back(Refusal(STORAGE_FULL))
        except LedgerBehind:
            self._give_back(Refusal(LEDGER_BEHIND))
        except Busy:
            self._give_back(Refusal(SERVER_BUSY))
        except Stopped:
            self._give_back(Refusal(DISCONNECTED))
        batch.clear()

    def _queue(self, item: _Item[Tag]) -> None:
        self._pending += 1
        self._items.append(item)
        if self._pending > self._pending_max:
            raise Overrun

    def _done(self, first_seq: int, events: list[Event]) -> None:
        """The oldest submission is durable and applied."""
        items = self._submitted.popleft()
        self._pending -= len(items)
        index = start = 0
        while True:
            index, start = self._writer.write(items, index, events, start)
            if frames := self._writer.taken():
                self._send(frames)
            if index == len(items):
                break
            if not frames or not isinstance(items[index], Answer):
                start = self._finish(items[index], first_seq, events, start)
                index += 1
        self._settled()

    def _finish(self, item: _Item[Tag], first_seq: int, events: list[Event], start: int) -> int:
        """Do it the general way; where the next command's events begin."""
        work: tuple[int, Tag, Any] = (_COMMAND, item.tag, item.body) if isinstance(item, Answer) else item
        kind, tag, what = work
        if kind == _COMMAND:
            end = end_of_command(events, start)
            self._run(tag, what, events[start:end])
            return end
        if kind == _COMMANDS:
            place, count, finish = what
            end = start
            while end < len(events) and events[end].seq < first_seq + place + count:
                end += 1
            self._run(tag, finish, events[start:end])
            return end
        if kind == _QUERY:
            self._run(tag, what)
        elif kind == _STARTED:
            what()
        else:
            self._refuse(tag, what)
        return start

    def _run(self, tag: Tag, work: Callable[..., bytes], *args: list[Event]) -> None:
        try:
            body = work(*args)
        except Refusal as refusal:
            self._refuse(tag, refusal)
        except Exception:
            _log.exception("a reply could not be made")
            self._refuse(tag, Refusal(UNKNOWN_ERROR))
        else:
            self._answer(tag, body)

    def _give_back(self, refusal: Refusal) -> None:
        """The engine took nothing: refuse the newest submission's commands, in their place."""
        items = [_refused(item, refusal) for item in self._submitted.pop()]
        if self._submitted:
            self._submitted[-1].extend(items)
            return
        self._submitted.append(items)
        self._done(0, [])


def _refused(item: _Item[Tag], refusal: Refusal) -> _Item[Tag]:
    """The same item if the engine is not needed for it."""
    if isinstance(item, Answer):
        return _REFUSED, item.tag, refusal
    return (_REFUSED, item[1], refusal) if item[0] in (_COMMAND, _COMMANDS) else item
