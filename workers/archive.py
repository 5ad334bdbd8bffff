"""Old parts of the ledger out of Postgres and into files, whole and proven, while the venue trades.

    1. only what `verify` has proven: the part must end at or before its mark
    2. each table of the part is copied to a file (COPY's binary format, rows in the order of the primary key),
       synced and renamed; its checksum, rows and bytes go into manifest.json beside it
    3. the files are read back, checked against the checksum, and compared with the part row by row
    4. in one transaction: the part is detached and dropped, the manifest and verify's mark are kept in Postgres

A crash before 4 leaves files and nothing else; the next run writes them anew. After it the balances, the position and
`verify` are as before: proofs begin at the mark. What is gone from Postgres is gone from questions about the past.
"""
import os
from pathlib import Path

import asyncpg
import msgspec
from google_crc32c import extend
from msgspec import Struct

from engine.config import Config
from engine.errors import ConfigError
from engine.segments import sync_directory
from workers.ledger_errors import LedgerError
from workers.reconcile_mark import read_mark
from workers.reconcile_postgres import Reader, connect
from workers.statements import statements

TABLES = ("trade", "entry", "closed_order")
_READ_BYTES = 1 << 20
_LOCK_TIMEOUT = "2s"


class ArchiveError(LedgerError):
    """Nothing of the part was removed; the text says what to do."""


class File(Struct, frozen=True, kw_only=True):
    """One table of a part."""

    table: str
    file: str
    rows: int
    bytes: int
    crc32c: int
    columns: list[str] = []


class Manifest(Struct, frozen=True, kw_only=True):
    """One part: commands first_seq .. last_seq."""

    part: int
    first_seq: int
    last_seq: int
    files: list[File]


async def archive(config: Config, before_seq: int, folder: Path) -> list[Manifest]:
    """Archive all parts that end before this command, oldest first. Raises ArchiveError, asyncpg's errors, OSError."""
    if not config.postgres.dsn:
        raise ConfigError("postgres.dsn is empty: name the database of the ledger")
    connection = await connect(config.postgres.dsn)
    try:
        position = await Reader(connection).position()
        mark = read_mark(config.paths.proven, position.database, config.paths.journal)
        done = []
        for row in await connection.fetch(statements("archive.sql")["parts"], before_seq):
            if mark is None or mark.seq < row["last_seq"]:
                raise ArchiveError(f"part {row['part']} ends at command {row['last_seq']}, proven is "
                                   f"{mark.seq if mark else 0}: run `buttonwood verify` first")
            manifest = await _write(connection, folder / f"part-{row['part']:06}", *row)
            await _check(connection, folder / f"part-{row['part']:06}", manifest)
            await _remove(connection, manifest, mark.seq, config.paths.proven.read_bytes())
            done.append(manifest)
        return done
    finally:
        await connection.close()


async def _write(connection: asyncpg.Connection, place: Path, part: int, first_seq: int, last_seq: int) -> Manifest:
    place.mkdir(parents=True, exist_ok=True)
    files = []
    for table in TABLES:
        draft = place / f"{table}.draft"
        with draft.open("wb") as output:
            columns = await _columns(connection, f"{table}_p{part}")
            query = f"SELECT * FROM {table}_p{part} ORDER BY {await _key(connection, table)}"
            status = await connection.copy_from_query(query, output=output, format="binary")
            output.flush()
            os.fsync(output.fileno())
        draft.rename(place / f"{table}.copy")
        size, crc = checksum(place / f"{table}.copy")
        files.append(File(table=table, file=f"{table}.copy", rows=int(status.split()[1]), bytes=size, crc32c=crc,
                          columns=columns))
    manifest = Manifest(part=part, first_seq=first_seq, last_seq=last_seq, files=files)
    with (place / "manifest.json").open("wb") as output:
        output.write(msgspec.json.encode(manifest))
        output.flush()
        os.fsync(output.fileno())
    sync_directory(place)
    sync_directory(place.parent)
    return manifest


async def _check(connection: asyncpg.Connection, place: Path, manifest: Manifest) -> None:
    """What the files hold is what the part holds."""
    for file in manifest.files:
        if checksum(place / file.file) != (file.bytes, file.crc32c):
            raise ArchiveError(f"{place / file.file} is not what was written: the disk lies; choose another place")
        part = f"{file.table}_p{manifest.part}"
        await connection.execute(f"CREATE TEMP TABLE read_back (LIKE {part})")
        try:
            await connection.copy_to_table("read_back", source=str(place / file.file), format="binary")
            same = (f"SELECT (SELECT count(*) FROM read_back) = (SELECT count(*) FROM {part}) AND NOT EXISTS "
                    f"(SELECT * FROM {part} EXCEPT ALL SELECT * FROM read_back)")
            if not await connection.fetchval(same):
                raise ArchiveError(f"{place / file.file} does not hold what {part} holds: try again")
        finally:
            await connection.execute("DROP TABLE read_back")


async def _remove(connection: asyncpg.Connection, manifest: Manifest, mark_seq: int, mark: bytes) -> None:
    """All at once; gives way rather than keep the ledger waiting behind somebody's long question."""
    sql = statements("archive.sql")
    async with connection.transaction():
        await connection.execute(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
        for table in TABLES:
            await connection.execute(f"ALTER TABLE {table} DETACH PARTITION {table}_p{manifest.part}")
            await connection.execute(f"DROP TABLE {table}_p{manifest.part}")
        await connection.execute(sql["note_archived"], manifest.part, msgspec.json.encode(manifest).decode())
        await connection.execute(sql["keep_mark"], mark_seq, mark)


async def _columns(connection: asyncpg.Connection, table: str) -> list[str]:
    """In the order in which a copy has them: later versions of the table may have more."""
    return [column.name for column in (await connection.prepare(f"SELECT * FROM {table}")).get_attributes()]


async def _key(connection: asyncpg.Connection, table: str) -> str:
    return str(await connection.fetchval(statements("archive.sql")["key"], table))


def checksum(path: Path) -> tuple[int, int]:
    """Bytes and CRC32C of a file."""
    size = crc = 0
    with path.open("rb") as file:
        while data := file.read(_READ_BYTES):
            size, crc = size + len(data), extend(crc, data)
    return size, crc
