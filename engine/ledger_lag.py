"""How far the ledger is behind what is durable, and whether that is too far to let new orders in.

The ledger worker reports the last command that is in Postgres (engine/dropcopy.py); no worker, or one that says
nothing, is as far behind as the oldest command it has not reported. What is durable is remembered in marks, one for all
frames of 10 ms and at most MARKS_MAX of them, then the last one grows: the lag may be told too long, never too short.
Too far is told at once and taken back at half of the limit, so that orders are not let in and refused in turns.
"""
import asyncio
from collections import deque
from typing import NamedTuple

from engine.config import Ledger

MARKS_MAX = 50_000
_MARK_SECONDS = 0.01


class _Mark(NamedTuple):
    seq: int
    frames: int
    time: float


class LedgerLag:
    """Times are of the running loop.

    behind: too far, only what takes orders off the book may be taken; as of the last `look`, frame or report.
    """

    def __init__(self, limits: Ledger, seq: int) -> None:
        """`seq`: the last durable command at the start; whether the ledger has it is not known yet."""
        self._seconds_max, self._frames_max = limits.lag_seconds_max, limits.lag_frames_max
        self._clock = asyncio.get_running_loop().time
        self._frames, self.behind = 0, False
        self._marks: deque[_Mark] = deque()     # of what was not reported, oldest first
        self.reported_seq = 0
        if seq and self._limited:
            self._marks.append(_Mark(seq, 0, self._clock()))

    @property
    def _limited(self) -> bool:
        return bool(self._seconds_max or self._frames_max)

    @property
    def seconds(self) -> float:
        """Age of the oldest durable command that was not reported; 0 when there is none."""
        return self._clock() - self._marks[0].time if self._marks else 0.0

    @property
    def frames(self) -> int:
        """Durable frames not reported yet, give or take those of 10 ms."""
        return self._frames - self._marks[0].frames if self._marks else 0

    def look(self) -> bool:
        """Whether it is behind now."""
        if self._marks or self.behind:
            self.behind = self._over(0.5 if self.behind else 1.0)
        return self.behind

    def durable(self, seq: int) -> None:
        """One more frame, which ends with this command."""
        self._frames += 1
        if not self._limited:
            return
        now = self._clock()
        last = self._marks[-1] if self._marks else None
        if last is None or (now - last.time > _MARK_SECONDS and len(self._marks) < MARKS_MAX):
            self._marks.append(_Mark(seq, self._frames - 1, now))
        else:
            self._marks[-1] = last._replace(seq=seq)
        self.look()

    def reported(self, seq: int) -> None:
        """The ledger has everything up to here."""
        self.reported_seq = seq
        while self._marks and self._marks[0].seq <= seq:
            self._marks.popleft()
        self.look()

    def _over(self, share: float) -> bool:
        return bool(
            (self._seconds_max and self.seconds > share * self._seconds_max)
            or (self._frames_max and self.frames > share * self._frames_max))
