"""The ledger's tables in versions: migrations/NNNN_name.sql, each run once, in order, never changed once released.

An existing database is brought up to date in place, in one transaction: either it is at the newest version or nothing
has happened. Databases from before there were versions are at 1, which makes only what is missing. A database that a
newer program has touched is refused by everybody: an older one would not know what its rows mean.
"""
import logging
import re
from functools import cache
from pathlib import Path

import asyncpg

from workers.ledger_errors import LedgerRefused
from workers.statements import script, statements

_FILE = re.compile(r"(\d{4})_\w+\.sql")
_log = logging.getLogger(__name__)


@cache
def migrations() -> dict[int, str]:
    """Version to file name, in order. Raises ValueError when a version is missing."""
    names = sorted(path.name for path in (Path(__file__).parent / "migrations").iterdir() if _FILE.fullmatch(path.name))
    if [int(name[:4]) for name in names] != list(range(1, len(names) + 1)):
        raise ValueError(f"migrations are not numbered 1, 2, 3, ...: {names}")
    return dict(enumerate(names, 1))


async def upgrade(connection: asyncpg.Connection) -> int:
    """Bring the tables to the newest version, and the rights of the roles with them; the version found.

    Raises LedgerRefused when the database is newer than this program, asyncpg's errors.
    """
    sql = statements("schema.sql")
    async with connection.transaction():
        await connection.execute(sql["install_lock"])
        await connection.execute(sql["make_versions"])
        found = await _version(connection)
        for version, name in migrations().items():
            if version > found:
                _log.info("the ledger's tables: %s", name)
                await connection.execute(script(f"migrations/{name}"))
                await connection.execute(sql["note_version"], version, name)
        if found < len(migrations()) or not await connection.fetchval(sql["rights_given"]):
            await connection.execute(script("rights.sql"))
    return found


async def check_version(connection: asyncpg.Connection) -> None:
    """For readers. Raises LedgerRefused unless the tables are those this program knows."""
    try:
        found = await _version(connection)
    except asyncpg.UndefinedTableError:
        found = 0
    if found < len(migrations()):
        raise LedgerRefused(f"the ledger's tables are at version {found}, this program needs {len(migrations())}: "
                            "no ledger in this database, or an older one; start the ledger worker, it brings them up")


async def _version(connection: asyncpg.Connection) -> int:
    found = int(await connection.fetchval(statements("schema.sql")["read_version"]))
    if found > len(migrations()):
        raise LedgerRefused(f"the ledger's tables are at version {found}, this program knows {len(migrations())}: a "
                            "newer Buttonwood has written this database; use that version or a newer one")
    return found
