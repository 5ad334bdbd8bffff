"""What private events an account was told lately, so that a connection can go on where the one before broke off.

A log begins with the account's first resumable subscription, takes in everything that is told to the account from then
on, and ends `resume_seconds` after its last subscriber left. Its bounds: `resume_account_bytes_max` of events, the
oldest are forgotten, and `resume_accounts_max` logs: the one that waits longest without subscribers makes room for a
new one, and when there is none that is not kept. Whoever asks for more than a log has is told to start anew.

At a start the logs that there were (resume_accounts.py) take in what is told while the journal is replayed.
"""
import asyncio
from collections import deque
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from engine.config import Limits
from gateway.resume_accounts import ResumeAccounts


class _Told(Struct, gc=False):
    execution_id: int    # 0: of no execution
    usual: bytes
    exact: bytes         # the same with times in microseconds; empty if nobody wants it


class ResumeLog:
    """One account's."""

    def __init__(self, bytes_max: int) -> None:
        self.microseconds = False
        self.timer: asyncio.TimerHandle | None = None   # set while nobody subscribes
        self._told: deque[_Told] = deque()
        self._bytes, self._bytes_max = 0, bytes_max

    def add(self, execution_id: int, usual: bytes, exact: bytes) -> None:
        """The account is told this."""
        self._told.append(_Told(execution_id, usual, exact))
        self._bytes += len(usual) + len(exact)
        while self._bytes > self._bytes_max:
            oldest = self._told.popleft()
            self._bytes -= len(oldest.usual) + len(oldest.exact)

    def since(self, execution_id: int, microseconds: bool) -> list[bytes] | None:
        """All events after that execution's; None when it is not known (any more), or 0."""
        found: list[bytes] = []
        for told in reversed(self._told) if execution_id else ():
            if told.execution_id == execution_id:
                return found[::-1]
            found.append(told.exact if microseconds else told.usual)
            if not found[-1]:
                break
        return None


class ResumeLogs:
    """All logs by account; `ended(account)` is called when one is given up of which nobody is a subscriber.

    path: of the file that outlives the process; without one nothing does.
    """

    def __init__(self, limits: Limits, ended: Callable[[int], None], path: Path | None = None) -> None:
        self._bytes_max = min(limits.resume_account_bytes_max, limits.write_buffer_bytes_max // 2)
        self._accounts_max, self._seconds, self._ended = limits.resume_accounts_max, limits.resume_seconds, ended
        self._logs: dict[int, ResumeLog] = {}
        self._left: dict[int, None] = {}     # accounts without subscribers, the first that was left first
        self._kept = ResumeAccounts(path, self._state) if path is not None else None

    def get(self, account: int) -> ResumeLog | None:
        """The account's log."""
        return self._logs.get(account)

    def begin(self, account: int, microseconds: bool) -> None:
        """Keep a log from now on, if there is room; it goes on if there is one. Somebody subscribes."""
        log = self._logs.get(account)
        if log is None:
            if len(self._logs) >= self._accounts_max and self._left:
                self._give_up(next(iter(self._left)))
            if len(self._logs) >= self._accounts_max:
                return
            log = self._logs[account] = ResumeLog(self._bytes_max)
            self._changed()
        if microseconds and not log.microseconds:
            log.microseconds = True
            self._changed()

    def restore(self) -> list[int]:
        """Begin the logs that there were when the process before this one ended; the accounts, still to be left."""
        found = list(self._kept.read().items())[:self._accounts_max] if self._kept is not None else []
        for account, microseconds in found:
            self.begin(account, microseconds)
        return [account for account, _ in found]

    def joined(self, account: int) -> None:
        """Somebody subscribes to the account."""
        if account in self._left:
            del self._left[account]
            timer, self._logs[account].timer = self._logs[account].timer, None
            if timer is not None:
                timer.cancel()

    def left(self, account: int) -> bool:
        """The last one has left: whether the log goes on for a while."""
        log = self._logs.get(account)
        if log is None:
            return False
        self._left[account] = None
        log.timer = asyncio.get_running_loop().call_later(self._seconds, self._give_up, account)
        return True

    def close(self) -> None:
        """The process ends."""
        if self._kept is not None:
            self._kept.close()
        for log in self._logs.values():
            if log.timer is not None:
                log.timer.cancel()

    def _state(self) -> dict[int, bool]:
        return {account: log.microseconds for account, log in self._logs.items()}

    def _changed(self) -> None:
        if self._kept is not None:
            self._kept.changed()

    def _give_up(self, account: int) -> None:
        del self._left[account]
        timer = self._logs.pop(account).timer
        if timer is not None:
            timer.cancel()
        self._changed()
        self._ended(account)
