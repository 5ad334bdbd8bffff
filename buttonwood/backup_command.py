"""`buttonwood backup` and `buttonwood restore`: what they print, and their exit status.

0 done, and for a restore proven; 1 restored, but a proof does not hold; 2 it could not be done, with the reason.
"""
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import asyncpg

from buttonwood.backup import back_up
from buttonwood.restore import restore
from buttonwood.verify_command import run_verify
from engine.config import Config
from engine.errors import ConfigError, VenueError

_FAILED = 2
_ERRORS = (VenueError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError, subprocess.TimeoutExpired)


async def run_backup(config: Config, folder: Path) -> int:
    """Make or refresh the backup in this folder."""
    try:
        made = await back_up(config, folder)
    except _ERRORS as error:
        print(f"buttonwood: no backup: {error}", file=sys.stderr)
        return _FAILED
    without = "" if made.has_postgres else "; postgres.dsn is a server of your own: back it up with its own tools"
    print(f"backed up to command {made.seq} in {folder}{without}")
    return 0


async def run_restore(config: Config, folder: Path, until: str | None) -> int:
    """Restore, then prove everything."""
    try:
        seq = await restore(config, folder, _moment_ns(until))
    except _ERRORS as error:
        print(f"buttonwood: not restored: {error}", file=sys.stderr)
        return _FAILED
    print(f"restored to command {seq} in {config.data_dir}")
    return await run_verify(config, as_json=False, full=True)


def _moment_ns(until: str | None) -> int:
    """Raises ConfigError; a time without a zone is local."""
    if until is None:
        return 0
    try:
        return int(datetime.fromisoformat(until).timestamp() * 1_000_000) * 1000
    except ValueError:
        raise ConfigError(f"--until {until}: give a time like 2026-11-21T12:00:00Z") from None
