"""Keeps the next segment ready: made zero-filled by a background thread, taken when the current one is full.

At a full disk the thread tries again every second, `low` is set and the engine takes nothing but cancels. When the
current segment is full by then, the reserve (engine/reserve.py) becomes the next one. What finds no place there either
stays unacknowledged until there is room. Nothing here touches a segment that holds frames.
"""
import asyncio
import errno
import logging
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Event

from engine.errors import Stopped
from engine.reserve import Reserve
from engine.segments import SPARE_NAME, Segment, SegmentHeader, adopt_spare, make_spare

RETRY_SECONDS = 1.0
_FULL = (errno.ENOSPC, errno.EDQUOT)
_log = logging.getLogger(__name__)


class Spare:
    """One segment ahead. Made for one journal directory; `close` it."""

    def __init__(self, directory: Path, reserve_bytes: int) -> None:
        self.directory = directory
        self._hurry, self._stop = Event(), Event()
        self._lacking = False               # the disk has no room for the next segment
        self._in_hand = False               # the reserve was given up and has not been adopted yet
        self._making: Future[Path | None] | None = None
        self._thread = ThreadPoolExecutor(1, "journal-spare")
        self.reserve = Reserve(directory, reserve_bytes, self._stop)
        (directory / SPARE_NAME).unlink(missing_ok=True)

    @property
    def low(self) -> bool:
        """No room for the next segment, or for a reserve: take nothing that adds to the book."""
        return self._lacking or self.reserve.lacking

    @property
    def reserve_bytes(self) -> int:
        """What the reserve adds to the current segment."""
        return self.reserve.size_bytes if self.reserve.ready or self._in_hand else 0

    def first(self, header: SegmentHeader, size_bytes: int) -> Segment:
        """Make a segment now, before there is a loop; from the reserve if need be. Raises OSError."""
        self._hurry.set()
        try:
            spare = make_spare(self.directory, size_bytes, self._hurry, self._stop)
        except OSError as error:
            if error.errno not in _FULL or not self.reserve.ready:
                raise
            spare = self._use_reserve()
        self._hurry.clear()
        assert spare is not None
        self._in_hand = False
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
        self._making, self._in_hand = None, False
        return segment

    def close(self) -> None:
        """Stop the threads; waits for the piece they are writing."""
        self._stop.set()
        self._hurry.set()
        self._thread.shutdown()
        self.reserve.close()

    def _make(self, size_bytes: int) -> Path | None:
        while not self._stop.is_set():
            try:
                spare = make_spare(self.directory, size_bytes, self._hurry, self._stop)
            except OSError as error:
                if error.errno not in _FULL:
                    raise
                self._full(size_bytes)
            else:
                self._enough()
                return spare
            if self._wait_for_need():
                return self._use_reserve()
        return None

    def _wait_for_need(self) -> bool:
        """A pause before the next try; True when somebody waits for the segment and the reserve can help."""
        if not self.reserve.ready:
            self._stop.wait(RETRY_SECONDS)
            return False
        return self._hurry.wait(RETRY_SECONDS) and not self._stop.is_set()

    def _use_reserve(self) -> Path:
        spare = self.directory / SPARE_NAME
        self._in_hand = True
        self.reserve.give_up(spare)
        self._lacking = False       # for this segment; the reserve is lacking now
        return spare

    def _full(self, size_bytes: int) -> None:
        if not self._lacking:
            _log.critical("%s has no room for the next segment of %d bytes: nothing but cancels is taken until there "
                          "is. Free some space.", self.directory, size_bytes)
        self._lacking = True

    def _enough(self) -> None:
        if self._lacking:
            _log.warning("%s has room for the next segment again", self.directory)
        self._lacking = False
