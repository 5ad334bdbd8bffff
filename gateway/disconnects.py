"""Cancel on disconnect, ours: what a WebSocket connection asked to be canceled when it is gone.

`session.cancelOnDisconnect {mode}`: SESSION ends the orders that this connection placed for the account since, ACCOUNT
all of the account, OFF takes it back. For SESSION a timer of the core stands behind it, renewed while the connection
lives, so that a crash of the exchange ends those orders as well, TIMER_SECONDS later or when it runs again. What the
engine has no room for is sent again every RETRY_SECONDS.
"""
import asyncio
import secrets

from engine.core.batch import Batch
from engine.core.unpack import Event
from engine.errors import Busy, Stopped
from engine.service import Engine
from gateway.refusals import INVALID_PARAMETER, Refusal

MODES = OFF, SESSION, ACCOUNT = ("OFF", "SESSION", "ACCOUNT")
TIMER_SECONDS, RENEW_SECONDS, RETRY_SECONDS = 60, 20, 0.1
_NS = 1_000_000_000


class Disconnects:
    """Of one connection. `number`: the session that its orders carry, 0 as long as none was asked for."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.number = 0
        self._modes: dict[int, str] = {}      # by account
        self._renewal: asyncio.TimerHandle | None = None

    def set(self, account: int, mode: str) -> None:
        """What shall happen to this account's orders. Raises Refusal."""
        if mode not in MODES:
            raise Refusal(INVALID_PARAMETER, "mode")
        before = self._modes.pop(account, OFF)
        if mode != OFF:
            self._modes[account] = mode
        if mode == SESSION:
            self.number = self.number or secrets.randbelow(2**32 - 1) + 1
            self._timer(account, TIMER_SECONDS)
        elif before == SESSION:
            self._timer(account, 0)
        if self._renewal is None and self._modes:
            self._renewal = asyncio.get_running_loop().call_later(RENEW_SECONDS, self._renew)

    def gone(self) -> None:
        """The connection is lost: end what was asked to be ended."""
        if self._renewal is not None:
            self._renewal.cancel()
        for account, mode in self._modes.items():
            batch = Batch(2)
            batch.mass_cancel(account, session=self.number if mode == SESSION else 0, disconnected=True)
            if mode == SESSION:
                batch.timer(account, 0, session=self.number)
            self._send(batch)
        self._modes.clear()

    def _renew(self) -> None:
        for account, mode in self._modes.items():
            if mode == SESSION:
                self._timer(account, TIMER_SECONDS)
        self._renewal = asyncio.get_running_loop().call_later(RENEW_SECONDS, self._renew) if self._modes else None

    def _timer(self, account: int, seconds: int) -> None:
        batch = Batch(1)
        batch.timer(account, seconds * _NS, session=self.number)
        self._send(batch)

    def _send(self, batch: Batch) -> None:
        try:
            self._engine.submit(batch, _nothing)
        except Busy:
            asyncio.get_running_loop().call_later(RETRY_SECONDS, self._send, batch)
        except Stopped:
            return   # the timer in the journal goes on at the next start


def _nothing(first_seq: int, events: list[Event]) -> None:
    """Nobody waits for it."""
