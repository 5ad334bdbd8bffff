"""Peers that do not take what was sent to them: who stays behind for too long is cut, however little that is.

A byte limit alone keeps a reader that has died, on a quiet stream, for minutes. Looked at by the listener's timer wheel
while there is anybody behind; who catches up, if only for a moment, begins anew.
"""
import asyncio
from typing import Protocol

from gateway.timer_wheel import TimerWheel

LOOK_SECONDS = 0.25


class Straggler(Protocol):
    """A connection, as seen from here."""

    def catches_up(self) -> bool:
        """True when the system has taken everything."""

    def cut(self) -> None:
        """End it at once."""


class Stragglers:
    """Of one listener; seconds_max 0 keeps them all."""

    def __init__(self, wheel: TimerWheel, seconds_max: float) -> None:
        self.wheel_slot = -1
        self._wheel, self._seconds_max = wheel, seconds_max
        self._since: dict[Straggler, float] = {}

    def add(self, connection: Straggler) -> None:
        """It has fallen behind now, or did so before."""
        if not self._seconds_max or connection in self._since:
            return
        self._since[connection] = asyncio.get_running_loop().time()
        if self.wheel_slot < 0:
            self._wheel.add(self, LOOK_SECONDS)

    def discard(self, connection: Straggler) -> None:
        """It has caught up, or gone."""
        self._since.pop(connection, None)

    def on_timer(self, now: float) -> float:
        """Cut those whose time is over; the seconds until the next look, 0 when nobody is behind."""
        for connection, since in list(self._since.items()):
            if connection.catches_up():
                self.discard(connection)
            elif now - since >= self._seconds_max:
                self.discard(connection)
                connection.cut()
        return LOOK_SECONDS if self._since else 0
