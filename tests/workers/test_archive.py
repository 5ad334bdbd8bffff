"""Archived parts: whole and checked on disk, gone from Postgres, and everything goes on and is proven as before."""
import asyncio
import json
from pathlib import Path

import asyncpg
import pytest

from engine.config import Config
from tests.support.flow import Flow
from tests.support.ledger import check_task, config_for, execute, fetch, open_engine, reached, running, submit
from workers.archive import TABLES, ArchiveError, archive, checksum
from workers.reconcile import verify
from workers.statements import statements


async def trade(config: Config, flow: Flow, *, setup: bool = False, frames: int = 8) -> int:
    """Some thousand more commands, all of them in Postgres; the last of them."""
    async with open_engine(config) as engine, running(config) as task:
        await submit(engine, *([flow.setup()] if setup else []), *(flow.commands(500) for _ in range(frames)))
        await reached(config.postgres.dsn, engine.seq, check_task(task))
        return engine.seq


async def proven(config: Config, full: bool = False) -> int:
    report = await verify(config, full=full)
    assert report.ok, [proof for proof in report.proofs if not proof.ok]
    return report.after_seq


def test_archived_parts_are_whole_and_the_ledger_goes_on(tmp_path: Path, dsn: str):
    config, flow, place = config_for(tmp_path / "venue", dsn, ledger={"part_commands": 1000}), Flow(61), tmp_path / "to"

    async def story() -> None:
        await trade(config, flow, setup=True)
        with pytest.raises(ArchiveError, match="part 0 ends at command 999, proven is 0: run `buttonwood verify`"):
            await archive(config, 3000, place)
        await proven(config)
        before = {table: await fetch(dsn, f"SELECT count(*) FROM {table} WHERE seq < 3000")
                  for table in ("trade", "entry", "closed_order")}
        later = await fetch(dsn, "SELECT sum(amount * seq) FROM entry WHERE seq >= 3000")
        done = await archive(config, 3000, place)
        assert [(each.part, each.first_seq, each.last_seq) for each in done] == [
            (0, 0, 999), (1, 1000, 1999), (2, 2000, 2999)]
        for table, rows in before.items():
            assert sum(file.rows for each in done for file in each.files if file.table == table) == rows[0][0] > 100
            assert await fetch(dsn, f"SELECT count(*) FROM {table} WHERE seq < 3000") == [(0,)]
        assert await fetch(dsn, "SELECT sum(amount * seq) FROM entry WHERE seq >= 3000") == later
        assert await archive(config, 3000, place) == []
        await proven(config)
        config.paths.proven.unlink()            # what was carried over is in Postgres, too
        await proven(config)
        assert await proven(config, full=True) > 2999
        end = await trade(config, flow)         # a new writer takes over from the wallets alone
        await proven(config)
        assert await fetch(dsn, "SELECT max(seq) <= $1 FROM entry", end) == [(True,)]
        await execute(dsn, "UPDATE entry SET amount = amount + 1 WHERE seq = (SELECT max(seq) FROM entry)")
        assert not (await verify(config, full=True)).ok
    asyncio.run(story())


def test_the_files_can_be_read_back(tmp_path: Path, dsn: str):
    config, place = config_for(tmp_path / "venue", dsn, ledger={"part_commands": 1000}), tmp_path / "to"

    async def story() -> None:
        await trade(config, Flow(62), setup=True, frames=4)
        await proven(config)
        rows = await fetch(dsn, "SELECT * FROM entry WHERE seq < 1000 ORDER BY account, asset, seq, n")
        await archive(config, 1000, place)
        manifest = json.loads((place / "part-000000" / "manifest.json").read_bytes())
        assert manifest == json.loads((await fetch(dsn, "SELECT manifest FROM archived_part"))[0][0])
        for file in manifest["files"]:
            assert checksum(place / "part-000000" / file["file"]) == (file["bytes"], file["crc32c"])
        connection = await asyncpg.connect(dsn)
        await connection.execute("CREATE TABLE again (LIKE entry)")
        await connection.copy_to_table("again", source=str(place / "part-000000" / "entry.copy"), format="binary")
        await connection.close()
        assert await fetch(dsn, "SELECT * FROM again ORDER BY account, asset, seq, n") == rows
    asyncio.run(story())


def test_a_part_is_shown_again_once_it_is_attached(tmp_path: Path, dsn: str):
    """As LEDGER.md says: copied back, attached; the venue goes on and all is proven."""
    config, flow, place = config_for(tmp_path / "venue", dsn, ledger={"part_commands": 1000}), Flow(64), tmp_path / "to"

    async def story() -> None:
        await trade(config, flow, setup=True, frames=4)
        await proven(config)
        counts = [f"SELECT count(*), sum(seq) FROM {table}" for table in TABLES]
        before = [await fetch(dsn, query) for query in counts]
        done = await archive(config, 2000, place)
        assert len(done) == 2 and [await fetch(dsn, query) for query in counts] != before
        connection = await asyncpg.connect(dsn)
        for part in done:
            for file in part.files:
                name = f"{file.table}_p{part.part}"
                await connection.execute(f"CREATE TABLE {name} (LIKE {file.table} INCLUDING ALL)")
                await connection.copy_to_table(name, source=str(place / f"part-{part.part:06}" / file.file),
                                               columns=file.columns, format="binary")
                await connection.execute(f"ALTER TABLE {file.table} ATTACH PARTITION {name} "
                                         f"FOR VALUES FROM ({part.first_seq}) TO ({part.last_seq + 1})")
        await connection.close()
        assert [await fetch(dsn, query) for query in counts] == before
        await trade(config, flow, frames=2)
        await proven(config)
        await proven(config, full=True)
    asyncio.run(story())


def test_behind_a_long_question_nothing_is_lost_and_nobody_waits(tmp_path: Path, dsn: str):
    config, place = config_for(tmp_path / "venue", dsn, ledger={"part_commands": 1000}), tmp_path / "to"

    async def story() -> None:
        await trade(config, Flow(63), setup=True, frames=4)
        await proven(config)
        asking = await asyncpg.connect(dsn)
        await asking.execute("BEGIN; SELECT count(*) FROM entry")
        with pytest.raises(asyncpg.LockNotAvailableError):
            await archive(config, 1000, place)
        assert await fetch(dsn, statements("archive.sql")["archive_mark"]) == []
        await asking.close()
        assert [each.part for each in await archive(config, 1000, place)] == [0]
        await proven(config)
    asyncio.run(story())
