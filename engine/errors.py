"""The error tree: what can go wrong outside the order book, each with the place and the remedy in its text.

VenueError
├── ConfigError        a file or a key of the configuration cannot be used
├── InstrumentError    the terms of an instrument cannot be shown exactly in 8 decimal places
├── Busy               a limit is reached: nothing was taken, the same request may be sent again later
│   ├── StorageFull    the disk has no room for the next journal segment: only cancels are taken
│   └── LedgerBehind   Postgres is too far behind the journal: no new orders are taken
├── BatchTooLarge      a batch that fits no frame: nothing was taken
├── Stopped            the engine is closing or has failed: nothing was taken
├── DataDirLocked      another process holds the data directory
├── JournalError       the journal is damaged, or cannot be written
└── SnapshotError      a snapshot cannot be used
    ├── SnapshotDamaged    its bytes are not what was written: an older one may take its place
    └── SnapshotRefused    it is sound but must not be used: another journal's, or of a newer format

Refusals of the market (too little money, unknown order) are events with a code, not exceptions.
"""
from pathlib import Path


class VenueError(Exception):
    """Base of all errors raised by Buttonwood on purpose."""


class ConfigError(VenueError):
    """A configuration that cannot be used; the text names the file and the key."""


class InstrumentError(VenueError):
    """Terms of an instrument that cannot be used; `field` names the one to change."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field


class Busy(VenueError):
    """A bounded queue is full. Nothing was taken; send the same request again later."""


class StorageFull(Busy):
    """The disk has no room for the next journal segment: only cancels are taken, while the reserve lasts.

    Nothing of this batch was taken; free space, then send again.
    """


class LedgerBehind(Busy):
    """The ledger in Postgres is further behind than the configuration allows: no new orders are taken until it is not.

    Nothing of this batch was taken.
    """


class BatchTooLarge(VenueError):
    """An empty batch, or one with more commands than a frame may hold. Nothing was taken; split it."""


class Stopped(VenueError):
    """The engine is closing or has failed. Nothing was taken."""


class DataDirLocked(VenueError):
    """Another process works on this data directory; `pid` is its process id, 0 when it could not be read."""

    def __init__(self, directory: Path, pid: int) -> None:
        who = f"process {pid}" if pid else "another process"
        super().__init__(f"{directory} is in use by {who}: stop it first, or choose another data_dir")
        self.directory, self.pid = directory, pid


class JournalError(VenueError):
    """The journal cannot be read or written at `offset` bytes into `file`; `remedy` says what to do."""

    def __init__(self, file: Path | str, offset: int, reason: str, remedy: str) -> None:
        super().__init__(f"{file} at byte {offset}: {reason}. {remedy}")
        self.file, self.offset, self.reason, self.remedy = Path(file), offset, reason, remedy


class SnapshotError(VenueError):
    """A snapshot cannot be used because of what stands `offset` bytes into `file`; `remedy` says what to do."""

    def __init__(self, file: Path | str, offset: int, reason: str, remedy: str) -> None:
        super().__init__(f"{file} at byte {offset}: {reason}. {remedy}")
        self.file, self.offset, self.reason, self.remedy = Path(file), offset, reason, remedy


class SnapshotDamaged(SnapshotError):
    """Bytes of it are not as they were written; recovery passes it over for an older one."""

    def __init__(self, file: Path | str, offset: int, reason: str) -> None:
        super().__init__(file, offset, reason, "Remove the file: an older snapshot or the whole journal does as well.")


class SnapshotRefused(SnapshotError):
    """A sound file that must not be used here; nothing older takes its place without the operator's word."""
