"""Peers that do not take what was sent to them: who stays behind for too long is cut, however little that is.

A byte limit alone keeps a reader that has died, on a quiet stream, for minutes. Behind is who leaves something to us
that the system does not take, and who does not answer the ping that follows every PROOF_BYTES: the system, on both
sides, takes some hundred KB for somebody who reads no more. Looked at by the listener's timer wheel while there is
anybody behind; who catches up, if only for a moment, begins anew. Time in which our own loop was held is nobody's
fault and does not count: answers may lie unread with us.
"""
import asyncio
from typing import Protocol

from gateway.timer_wheel import TICK_SECONDS, TimerWheel

LOOK_SECONDS = 0.25
PROOF_BYTES = 32 * 1024


class Straggler(Protocol):
    """A connection, as seen from here."""

    def catches_up(self) -> bool:
        """True when the system has taken everything and no answer is waited for."""

    def cut(self) -> None:
        """End it at once."""


class Stragglers:
    """Of one listener; seconds_max 0 keeps them all."""

    def __init__(self, wheel: TimerWheel, seconds_max: float) -> None:
        self.wheel_slot = -1
        self._wheel, self._seconds_max = wheel, seconds_max
        self._since: dict[Straggler, float] = {}
        self._look_at = 0.0     # loop time of the next look

    @property
    def proof_bytes(self) -> int:
        """After how many bytes a connection is asked for a sign of life, 0: never."""
        return PROOF_BYTES if self._seconds_max else 0

    def add(self, connection: Straggler, since: float = 0) -> None:
        """It has fallen behind now (or at that loop time), or did so before."""
        if not self._seconds_max or connection in self._since:
            return
        self._since[connection] = since or asyncio.get_running_loop().time()
        if self.wheel_slot < 0:
            self._look_at = asyncio.get_running_loop().time() + LOOK_SECONDS
            self._wheel.add(self, LOOK_SECONDS)

    def discard(self, connection: Straggler) -> None:
        """It has caught up, or gone."""
        self._since.pop(connection, None)

    def on_timer(self, now: float) -> float:
        """Cut those whose time is over; the seconds until the next look, 0 when nobody is behind."""
        held = now - self._look_at - TICK_SECONDS
        self._look_at = now + LOOK_SECONDS
        for connection, since in list(self._since.items()):
            if held > 0:
                since = self._since[connection] = min(since + held, now)
            if connection.catches_up():
                self.discard(connection)
            elif now - since >= self._seconds_max:
                self.discard(connection)
                connection.cut()
        return LOOK_SECONDS if self._since else 0
