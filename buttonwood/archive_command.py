"""`buttonwood ledger archive`: old parts of the ledger out of Postgres and into files; trading may go on.

Exit status: 0 done (or nothing to do), 2 not done, and why. Run `buttonwood verify` before: only what is proven goes.
"""
import sys
from pathlib import Path

import asyncpg

from buttonwood.embedded import own_postgres
from buttonwood.resolved import running_settings
from engine.config import Config
from engine.errors import ConfigError, VenueError
from workers.archive import Manifest, archive

DONE, NOT_DONE = 0, 2
BEGIN_BEHIND = "allOrders, myTrades and the other lists of trades begin behind"


async def run_archive(config: Config, before_seq: int, folder: Path) -> int:
    """Print one line a part; the exit status."""
    try:
        manifests = await _archive(config, before_seq, folder)
    except (VenueError, asyncpg.PostgresError, OSError) as error:
        print(f"buttonwood: cannot archive: {error}", file=sys.stderr)
        return NOT_DONE
    for manifest in manifests:
        rows = ", ".join(f"{file.rows:,} of {file.table}" for file in manifest.files)
        print(f"part {manifest.part}, commands {manifest.first_seq:,} to {manifest.last_seq:,}: {rows} "
              f"in {folder / f'part-{manifest.part:06}'}")
    if manifests:
        print(f"{BEGIN_BEHIND} command {manifests[-1].last_seq:,} from now on")
    else:
        print("nothing to archive: no whole part ends before that command")
    return DONE


async def _archive(config: Config, before_seq: int, folder: Path) -> list[Manifest]:
    running = running_settings(config)
    if running is not None:
        return await archive(running, before_seq, folder)
    if not config.paths.journal.exists():
        raise ConfigError(f"{config.paths.journal}: no venue has run on this data directory yet; choose it with --data")
    async with own_postgres(config) as complete:
        return await archive(complete, before_seq, folder)
