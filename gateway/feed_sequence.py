"""Decides for each message of the market channels whether everything before it was heard.

A publisher's connection has an epoch, and each channel counts 1, 2, 3, ... within it. A higher epoch is a newer
publisher: what the old one and the new one did not say is lost. A lower one is the leftover of an older publisher and
is ignored, unless the newer one has gone silent (a clock set back must not shut out a new worker for ever).
"""
from enum import Enum, auto

from engine.market_channels import STALE_SECONDS


class Verdict(Enum):
    """What to do with a message."""

    GOOD = auto()       # use it
    HOLE = auto()       # messages of this channel are missing before it
    NEW_EPOCH = auto()  # messages of any channel may be missing before it
    OLD = auto()        # ignore it


class SequenceWatch:
    """Remembers the epoch and the last number of each channel; O(1) per message."""

    def __init__(self) -> None:
        self._epoch = 0              # 0: none heard since the last reset
        self._last: dict[bytes, int] = {}
        self.heard_at = float("-inf")  # loop time of the last message that was not OLD

    def reset(self) -> None:
        """A new connection to Redis: whatever comes first is taken as it is."""
        self._epoch = 0
        self._last.clear()

    def judge(self, channel: bytes, epoch: int, seq: int, now: float) -> Verdict:
        """Take the next message, heard at loop time `now`."""
        if epoch != self._epoch:
            if epoch < self._epoch and not self.stale(now):
                return Verdict.OLD
            first = self._epoch == 0
            self._epoch = epoch
            self._last = {channel: seq}
            self.heard_at = now
            return Verdict.GOOD if first else Verdict.NEW_EPOCH
        expected = self._last.get(channel, seq - 1) + 1
        self._last[channel] = seq
        self.heard_at = now
        return Verdict.GOOD if seq == expected else Verdict.HOLE

    def stale(self, now: float) -> bool:
        """True when the publisher has been silent so long that it must be dead, or was never heard."""
        return now - self.heard_at > STALE_SECONDS
