"""`buttonwood backup DIR`: a copy from which the venue can be restored elsewhere, taken while it trades.

The first time: a base backup of our Postgres, all its WAL since, the journal, keys and whatever else lies in the data
directory. Called again with the same folder: what came since, so that it may run every minute. A slot keeps Postgres'
WAL until the next call, at most what `max_slot_wal_keep_size` allows; after that a new folder is needed. A Postgres of
your own (postgres.dsn) is left to its own tools: the ledger makes up from the journal for whatever it lacks.
"""
import asyncio
import hashlib
import shutil
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import asyncpg
import msgspec
from msgspec import Struct

from buttonwood.embedded import own_postgres
from buttonwood.journal_copy import copy_journal
from buttonwood.postgres_programs import find_programs
from buttonwood.resolved import running_settings
from buttonwood.server_home import server_home
from engine.config import Config
from engine.errors import ConfigError, VenueError
from engine.segments import sync_directory

BASE, WAL, JOURNAL, FILES, NOTE = "postgres-base", "postgres-wal", "journal", "files", "backup.json"
_LEFT_OUT = {"journal", "run", "logs", "postgres", "redis", "exchange.lock", "postgres.location", "redis.location"}
_SECONDS_MAX = 3600


class Backup(Struct, frozen=True, kw_only=True):
    """What the note in a finished backup says. seq: the last command of its journal."""

    version: int = 1
    time_ns: int
    seq: int
    has_postgres: bool


async def back_up(config: Config, folder: Path) -> Backup:
    """Make the backup, or bring it up to date. Raises VenueError, OSError, asyncpg's errors."""
    if not config.paths.journal.exists():
        raise ConfigError(f"{config.paths.journal}: no venue has run on this data directory yet; choose it with --data")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()) and not (folder / NOTE).exists() and not (folder / BASE).exists():
        raise ConfigError(f"{folder} holds something else: choose a new folder, or one of an earlier backup")
    ours = not config.postgres.dsn
    if ours:
        async with own_postgres(running_settings(config) or config) as complete:
            await _copy_postgres(config, complete.postgres.dsn, folder)
    _copy_files(Path(config.data_dir), folder / FILES)
    seq = copy_journal(config.paths.journal, folder / JOURNAL)     # last: nothing may be ahead of it
    made = Backup(time_ns=time.time_ns(), seq=seq, has_postgres=ours)
    draft = folder / f"{NOTE}.part"
    draft.write_bytes(msgspec.json.encode(made))
    draft.rename(folder / NOTE)
    sync_directory(folder)
    return made


def _copy_files(data_dir: Path, target: Path) -> None:
    """Keys, snapshots and so on: small, copied anew each time."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(mode=0o700)
    for path in data_dir.iterdir():
        if path.name in _LEFT_OUT or path.is_socket():
            continue
        if path.is_dir():
            shutil.copytree(path, target / path.name, copy_function=_copy_if_there)
        else:
            _copy_if_there(str(path), str(target / path.name))


def _copy_if_there(source: str, target: str) -> None:
    """The venue may delete a file meanwhile, and drafts are nobody's."""
    if not source.endswith(".tmp"):
        with suppress(FileNotFoundError):
            shutil.copy2(source, target)


async def _copy_postgres(config: Config, dsn: str, folder: Path) -> None:
    programs = find_programs(server_home(config.paths.postgres).path / "cluster").folder
    slot = "buttonwood_" + hashlib.sha256(str(folder.absolute()).encode()).hexdigest()[:12]
    first = not (folder / BASE).exists()
    end = await _prepare(dsn, slot, folder, first)
    if first:
        draft = folder / f"{BASE}.part"
        shutil.rmtree(draft, ignore_errors=True)
        await _run(programs / "pg_basebackup", "-d", dsn, "-D", str(draft), "-X", "stream", "-S", slot, "-c", "fast")
        draft.rename(folder / BASE)
        end = await _prepare(dsn, slot, folder, first)
    (folder / WAL).mkdir(mode=0o700, exist_ok=True)
    await _run(programs / "pg_receivewal", "-d", dsn, "-D", str(folder / WAL), "-S", slot, "-E", end, "--no-loop",
               "--synchronous")


async def _prepare(dsn: str, slot: str, folder: Path, first: bool) -> str:
    """The slot is there and holds what is needed; where the WAL ends now."""
    connection = await asyncpg.connect(dsn)
    try:
        status = await connection.fetchval("SELECT wal_status FROM pg_replication_slots WHERE slot_name = $1", slot)
        if status is None and first:
            await connection.execute("SELECT pg_create_physical_replication_slot($1, true)", slot)
        elif status in (None, "lost"):
            raise VenueError(f"Postgres has not kept the WAL since the last backup into {folder}: choose a new folder")
        return str(await connection.fetchval("SELECT pg_current_wal_flush_lsn()::text"))
    finally:
        await connection.close()


async def _run(program: Path, *arguments: str) -> None:
    """Raises VenueError with what it said last."""
    if not program.exists():
        raise ConfigError(f"{program} is missing: install all programs of this Postgres")
    done = await asyncio.to_thread(subprocess.run, [str(program), *arguments, "-w"], capture_output=True, text=True,
                                   check=False, timeout=_SECONDS_MAX, cwd="/")
    if done.returncode:
        raise VenueError(f"{program.name} failed: {' | '.join(done.stderr.strip().splitlines()[-3:])}")
