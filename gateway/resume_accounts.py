"""Which accounts have a resume log, on disk, so that a start can fill the logs again from the commands it replays.

A hint and nothing more: without the file, or after a power loss with an older one, clients are told to start anew.
Written a moment after the last change, by replacing the file; at most resume_accounts_max short entries.
"""
import asyncio
import logging
import os
from collections.abc import Callable
from pathlib import Path

import msgspec

_WRITE_AFTER_SECONDS = 0.05
_log = logging.getLogger(__name__)


class ResumeAccounts:
    """`state` gives the accounts, and whether times in microseconds are wanted, at the moment of writing."""

    def __init__(self, path: Path, state: Callable[[], dict[int, bool]]) -> None:
        self._path, self._state = path, state
        self._timer: asyncio.TimerHandle | None = None

    def read(self) -> dict[int, bool]:
        """As it was written last; empty when there is none that can be read."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=dict[int, bool])
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.DecodeError) as error:
            _log.warning("%s: %s; private events begin anew", self._path, error)
            return {}

    def changed(self) -> None:
        """Write soon."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_WRITE_AFTER_SECONDS, self._write)

    def close(self) -> None:
        """Write now what was going to be written."""
        if self._timer is not None:
            self._timer.cancel()
            self._write()

    def _write(self) -> None:
        self._timer = None
        new = self._path.with_suffix(".new")
        try:
            new.write_bytes(msgspec.json.encode(self._state()))
            os.replace(new, self._path)
        except OSError as error:
            _log.warning("%s: %s; after a start private events begin anew", self._path, error)
