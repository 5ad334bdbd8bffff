"""The servers a venue needs: those the configuration names, and our own where it names none.

Used by the supervisor, part by part, and by commands that need Postgres for a moment (`verify` of a resting venue).
"""
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from msgspec.structs import replace

from buttonwood.postgres_server import PostgresServer, start_postgres
from buttonwood.redis_server import RedisServer, start_redis
from buttonwood.server_home import discard_home, make_data_dir
from buttonwood.short_lived import delete_folder, make_folder
from engine.config import Config


def prepare(config: Config) -> None:
    """Make the data directory's folders. Raises ConfigError."""
    make_data_dir(config.paths.data_dir)
    config.paths.prepare()
    config.paths.logs.mkdir(mode=0o700, exist_ok=True)


async def launch_postgres(config: Config, source: str = "") -> PostgresServer:
    """Our Postgres for this data directory, running. Raises VenueError."""
    return await start_postgres(config.paths.postgres, config.paths.logs / "postgres.log", source)


async def launch_redis(config: Config) -> RedisServer:
    """Our Redis for this data directory, running. Raises VenueError."""
    limit = config.supervisor.redis_memory_bytes_max
    return await start_redis(config.paths.redis, config.paths.logs / "redis.log", limit)


@contextmanager
def temporary_data_dir() -> Iterator[Path]:
    """A data directory for a venue of short life; all of it is deleted in the end, also what servers keep elsewhere.

    What a killed process left is deleted by the next one that wants such a directory.
    """
    path = make_folder("buttonwood-")
    try:
        if os.geteuid() == 0:
            path.chmod(0o711)
        yield path
    finally:
        for server in ("postgres", "redis"):
            discard_home(path / server)
        delete_folder(path)


@asynccontextmanager
async def own_postgres(config: Config) -> AsyncIterator[Config]:
    """The configuration with a DSN that works: the one it has, else of our Postgres, started for the time being.

    A server that ran before is left running.
    """
    if config.postgres.dsn:
        yield config
        return
    prepare(config)
    server = await launch_postgres(config)
    try:
        yield replace(config, postgres=replace(config.postgres, dsn=server.address))
    finally:
        if not server.adopted:
            await server.stop(config.supervisor.stop_seconds_max)
