"""`buttonwood restore DIR --data NEW`: a venue from a backup, as it was at its end or at a moment before.

Postgres replays its WAL up to that moment and is then proven against the journal, which is cut at the same moment. The
folder of the backup is only read. The restored venue starts with `buttonwood up --data NEW`; what its ledger lacks it
takes from the journal.
"""
import asyncio
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import msgspec

from buttonwood.backup import BASE, FILES, JOURNAL, NOTE, WAL, Backup
from buttonwood.embedded import prepare
from buttonwood.journal_copy import copy_journal
from buttonwood.postgres_server import start_postgres
from buttonwood.server_home import Home, server_home
from engine.config import Config
from engine.errors import ConfigError, VenueError

_POLL_SECONDS = 0.05
_NS = 10**9
_NOT_REACHED = "recovery ended before configured recovery target was reached"


async def restore(config: Config, folder: Path, until_ns: int = 0) -> int:
    """Make the data directory; the last command in it. Raises VenueError, OSError. until_ns 0: all there is."""
    made = _read_note(folder)
    data_dir = Path(config.data_dir)
    if data_dir.exists() and any(data_dir.iterdir()):
        raise ConfigError(f"{data_dir} is not empty: name a new data directory with --data")
    prepare(config)
    for path in (folder / FILES).iterdir():
        if path.is_dir():
            shutil.copytree(path, data_dir / path.name)
        else:
            shutil.copy2(path, data_dir / path.name)
    seq = copy_journal(folder / JOURNAL, config.paths.journal, until_ns)
    _drop_later_snapshots(data_dir / "snapshots", seq)
    if made.has_postgres:
        await _restore_postgres(config, folder, until_ns)
    return seq


def _drop_later_snapshots(folder: Path, seq: int) -> None:
    """A state after commands that the journal was cut before would tell recovery that the journal has lost them."""
    for path in folder.glob("*.snapshot"):
        if path.stem.isdecimal() and int(path.stem) > seq:
            path.unlink()


def _read_note(folder: Path) -> Backup:
    try:
        made = msgspec.json.decode((folder / NOTE).read_bytes(), type=Backup)
    except (OSError, msgspec.DecodeError) as error:
        raise ConfigError(f"{folder} holds no finished backup ({error})") from None
    if made.version != 1:
        raise ConfigError(f"{folder} is a backup of format {made.version}: use the version of Buttonwood that made it")
    return made


async def _restore_postgres(config: Config, folder: Path, until_ns: int) -> None:
    home = server_home(config.paths.postgres)
    cluster, wal = home.path / "cluster", home.path / "restored-wal"
    shutil.copytree(folder / BASE, cluster, symlinks=True)
    shutil.copytree(folder / WAL, wal)
    for partial in wal.glob("*.partial"):       # the segment that was being written
        partial.rename(partial.with_suffix(""))
    settings = cluster / "postgresql.auto.conf"
    before = settings.read_text(encoding="utf-8")
    _give(home, cluster, wal)
    try:
        await _recover(config, settings, before, _how(wal, until_ns))
    except VenueError as error:
        if _NOT_REACHED not in str(error):
            raise
        await _recover(config, settings, before, _how(wal, 0))      # nothing was written after that moment
    settings.write_text(before, encoding="utf-8")
    shutil.rmtree(wal)


def _how(wal: Path, until_ns: int) -> str:
    lines = [f"restore_command = 'cp \"{wal}/%f\" \"%p\"'", "recovery_target_action = 'promote'"]
    if until_ns:
        moment = datetime.fromtimestamp(until_ns // _NS, UTC).replace(microsecond=until_ns % _NS // 1000)
        lines.append(f"recovery_target_time = '{moment.isoformat(sep=' ')}'")
    return "\n".join(["", *lines, ""])


async def _recover(config: Config, settings: Path, before: str, how: str) -> None:
    """Let it replay its WAL, take up writing, and end."""
    settings.write_text(before + how, encoding="utf-8")
    signal = settings.with_name("recovery.signal")
    signal.touch()
    _give(server_home(config.paths.postgres), signal)
    server = await start_postgres(config.paths.postgres, config.paths.logs / "postgres.log")
    try:
        await _writing(server.address, config.paths.logs / "postgres.log")
    finally:
        await server.stop(config.supervisor.stop_seconds_max)


async def _writing(dsn: str, log: Path) -> None:
    """Wait until the server has replayed everything. Raises VenueError when it ends instead."""
    while True:
        try:
            connection = await asyncpg.connect(dsn)
            try:
                if not await connection.fetchval("SELECT pg_is_in_recovery()"):
                    return
            finally:
                connection.terminate()
        except (ConnectionRefusedError, FileNotFoundError) as error:
            raise VenueError(f"Postgres ended while it replayed its WAL: {_end_of(log)}") from error
        except (OSError, asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError):
            pass
        await asyncio.sleep(_POLL_SECONDS)


def _end_of(log: Path) -> str:
    return " | ".join(log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-6:])


def _give(home: Home, *paths: Path) -> None:
    """To the user that the server runs as."""
    if not home.account.change:
        return
    for path in paths:
        for each in (path, *path.rglob("*")) if path.is_dir() else (path,):
            os.chown(each, home.account.uid, home.account.gid, follow_symlinks=False)
