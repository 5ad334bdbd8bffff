"""Where things lie below the data directory, and the private folder for Unix sockets.

A socket's path may hold about 100 bytes. When the data directory is too deep for that, sockets move to a folder in the
system's temporary directory whose name is derived from the data directory, so that all processes agree on it.
"""
import os
from pathlib import Path

from engine.errors import ConfigError
from engine.short_folders import note_owner, short_folder

SOCKET_PATH_BYTES_MAX = 100
_LONGEST_SOCKET_NAME = "questions.sock"


class Paths:
    """Names only; `prepare` makes the private folders."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.journal = data_dir / "journal"
        self.snapshots = data_dir / "snapshots"
        self.positions = data_dir / "positions"
        self.lock = data_dir / "exchange.lock"
        self.run = _socket_folder(data_dir)
        self.door = self.run / "door.sock"
        self.dropcopy = self.run / "dropcopy.sock"
        self.user_feed = self.run / "users.sock"
        self.questions = self.run / _LONGEST_SOCKET_NAME
        self.postgres = data_dir / "postgres"
        self.redis = data_dir / "redis"
        self.keys = data_dir / "keys.json"
        self.resume_accounts = data_dir / "resume_accounts.json"   # whose private events a start tells again
        self.token_secret = data_dir / "token_secret"
        self.logs = data_dir / "logs"
        self.proven = data_dir / "proven.mark"          # by `verify`: how far the ledger has been proven
        self.verified = data_dir / "verified.json"      # its last result

    def prepare(self) -> None:
        """Make data_dir and the socket folder, readable by this user only. Raises ConfigError."""
        try:
            self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.run.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"data_dir {self.data_dir} cannot be used: {error}") from None
        found = self.run.lstat()
        if found.st_uid != os.geteuid():
            raise ConfigError(f"{self.run} belongs to user {found.st_uid}: remove it, or choose another data_dir")
        if found.st_mode & 0o077:
            self.run.chmod(0o700)
        if not self.run.is_relative_to(self.data_dir):
            note_owner(self.run, self.data_dir)


def _socket_folder(data_dir: Path) -> Path:
    near = data_dir / "run"
    if len(os.fsencode(near / _LONGEST_SOCKET_NAME)) <= SOCKET_PATH_BYTES_MAX:
        return near
    return short_folder(data_dir, os.geteuid())
