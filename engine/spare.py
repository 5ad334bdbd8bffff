"""Keeps the next segment ready: made zero-filled by a background thread, taken when the current one is full.

At a full disk the thread tries again every second, `low` is set and the engine refuses new commands; what was taken
before stays unacknowledged until there is room. Nothing here touches a segment that holds frames.
"""
import asyncio
import errno
import logging
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Event

from engine.errors import Stopped
from engine.segments import SPARE_NAME, Segment, SegmentHeader, adopt_spare, make_spare

RETRY_SECONDS = 1.0
_FULL = (errno.ENOSPC, errno.EDQUOT)
_log = logging.getLogger(__name__)


class Spare:
    """One segment ahead. Made for one journal directory; `close` it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.low = False                    # the disk has no room for the next segment
        self._hurry, self._stop = Event(), Event()
        self._making: Future[Path | None] | None = None
        self._thread = ThreadPoolExecutor(1, "journal-spare")
        (directory / SPARE_NAME).unlink(missing_ok=True)

    def first(self, header: SegmentHeader, size_bytes: int) -> Segment:
        """Make a segment now, before there is a loop. Raises OSError."""
        self._hurry.set()
        spare = make_spare(self.directory, size_bytes, self._hurry, self._stop)
        self._hurry.clear()
        assert spare is not None
        return adopt_spare(spare, header)

    def prepare(self, size_bytes: int) -> None:
        """Begin to make the next segment; nothing happens when that has begun already."""
        if self._making is None:
            self._making = self._thread.submit(self._make, size_bytes)

    async def take(self, header: SegmentHeader, size_bytes: int) -> Segment:
        """The next segment under its name, as soon as it is ready. Raises OSError; Stopped after `close`."""
        self.prepare(size_bytes)
        assert self._making is not None
        self._hurry.set()
        spare = await asyncio.wrap_future(self._making)
        self._hurry.clear()
        if spare is None or self._stop.is_set():
            raise Stopped("the journal is closing")
        segment = await asyncio.wrap_future(self._thread.submit(adopt_spare, spare, header))
        self._making = None
        return segment

    def close(self) -> None:
        """Stop the thread; waits for the piece it is writing."""
        self._stop.set()
        self._thread.shutdown()

    def _make(self, size_bytes: int) -> Path | None:
        while True:
            try:
                spare = make_spare(self.directory, size_bytes, self._hurry, self._stop)
            except OSError as error:
                if error.errno not in _FULL:
                    raise
                self._full(size_bytes)
                if self._stop.wait(RETRY_SECONDS):
                    return None
            else:
                if self.low:
                    _log.warning("%s has room again: commands are taken", self.directory)
                self.low = False
                return spare

    def _full(self, size_bytes: int) -> None:
        if not self.low:
            _log.critical("%s has no room for the next segment of %d bytes: new commands are refused until there is. "
                          "Free some space.", self.directory, size_bytes)
        self.low = True
