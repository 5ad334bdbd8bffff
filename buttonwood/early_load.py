"""Loads the snapshot that a start will want, in a thread of its own, while the process still imports modules.

Nothing depends on it: nothing is locked or written, every problem is left to the start, which looks again once the data
directory is its own and uses what is here only if it is the very file that it has chosen.
"""
import os
from contextlib import suppress
from pathlib import Path
from threading import Thread

from engine.config import Config
from engine.core.exchange import Exchange
from engine.errors import VenueError
from engine.snapshots import Loaded, load
from engine.start_choice import snapshots_to_try


class EarlyLoad:
    """Begins at once; the thread ends with the process."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._found: tuple[tuple[int, int], Loaded] | None = None
        self._thread = Thread(target=self._run, name="early-load", daemon=True)
        self._thread.start()

    def take(self, path: Path) -> Loaded | None:
        """What was loaded from this file, once; waits for it. None: it has to be loaded."""
        self._thread.join()
        found, self._found = self._found, None
        return found[1] if found is not None and found[0] == _identity(path) else None

    def _run(self) -> None:
        with suppress(VenueError, OSError, MemoryError):
            _, paths = snapshots_to_try(self._config)
            for path in paths[:1]:
                identity = _identity(path)
                self._found = identity, load(path, Exchange())


def _identity(path: Path) -> tuple[int, int]:
    """A snapshot is written aside and renamed, so another content is another file."""
    found = os.stat(path)
    return found.st_dev, found.st_ino
