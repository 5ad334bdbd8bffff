"""The reserve: disk space held back so that orders can still be taken off the book when the disk is full.

It is a segment made ahead, zero-filled and durable under a name of its own. When the next segment finds no room, the
reserve is renamed and becomes that segment, which needs no new block and cannot be snatched away by another process.
While it is lacking the engine takes nothing that adds to the book; a thread tries every second to make it again.
"""
import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

from engine.segments import make_spare, sync_directory

RESERVE_NAME = "reserve.segment"
DRAFT_NAME = "reserve.tmp"
RETRY_SECONDS = 1.0
_log = logging.getLogger(__name__)


class Reserve:
    """Of one journal directory. `stop` is its owner's: set it, then `close`."""

    def __init__(self, directory: Path, size_bytes: int, stop: Event) -> None:
        self.size_bytes = size_bytes
        self.lacking = False                # it was given up, or cannot be made
        self._directory, self._path, self._stop = directory, directory / RESERVE_NAME, stop
        self._thread = ThreadPoolExecutor(1, "journal-reserve")
        (directory / DRAFT_NAME).unlink(missing_ok=True)
        self.ready = self._path.exists() and self._path.stat().st_size == size_bytes
        if not self.ready:
            self._path.unlink(missing_ok=True)

    def keep(self) -> None:
        """Begin to make it if it is not there."""
        if not self.ready:
            self._thread.submit(self._make)

    def give_up(self, spare: Path) -> None:
        """It becomes this file; from now on it is lacking until there is room for another. Raises OSError."""
        self.ready, self.lacking = False, True
        self._path.rename(spare)
        _log.critical("%s: the reserve is in use: nothing but cancels is taken until there is room", self._directory)
        self.keep()

    def close(self) -> None:
        """Stop the thread; waits for the piece it is writing."""
        self._thread.shutdown()

    def _make(self) -> None:
        while not self._stop.is_set():
            try:
                draft = make_spare(self._directory, self.size_bytes, Event(), self._stop, DRAFT_NAME)
                if draft is not None:
                    draft.rename(self._path)
                    sync_directory(self._directory)
                    self._made()
                return
            except OSError as error:
                self._wanting(error)
            self._stop.wait(RETRY_SECONDS)

    def _made(self) -> None:
        if self.lacking:
            _log.warning("%s has its reserve again", self._directory)
        self.ready, self.lacking = True, False

    def _wanting(self, error: OSError) -> None:
        if not self.lacking:
            _log.critical("%s: no reserve of %d bytes can be made (%s): nothing but cancels is taken until there is "
                          "room. Free some space.", self._directory, self.size_bytes, error)
        self.lacking = True
