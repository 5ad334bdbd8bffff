"""Our own Redis: on a socket only, keeps nothing, adopted when it runs, gone when stopped."""
import asyncio
import os
import signal
import stat
from pathlib import Path

import redis.asyncio

from buttonwood.processes import is_running
from buttonwood.redis_server import RedisServer, start_redis

MEMORY = 64 * 1024 * 1024


async def start(data_dir: Path) -> RedisServer:
    return await start_redis(data_dir / "redis", data_dir / "redis.log", MEMORY)


async def setting(server: RedisServer, name: str) -> str:
    async with redis.asyncio.Redis.from_url(server.address, decode_responses=True) as client:
        return (await client.config_get(name))[name]


def test_private_and_forgetful(data_dir):
    async def story():
        server = await start(data_dir)
        try:
            assert server.address.startswith("unix://")
            socket = Path(server.address.removeprefix("unix://"))
            assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
            wanted = {"port": "0", "save": "", "appendonly": "no", "maxmemory": str(MEMORY)}
            assert {name: await setting(server, name) for name in wanted} == wanted
        finally:
            await server.stop(5.0)
        assert not is_running(server.process) and not socket.exists()

    asyncio.run(story())


def test_adopted_and_stopped_by_pid(data_dir):
    async def story():
        first = await start(data_dir)
        second = await start(data_dir)
        assert second.adopted and second.process == first.process
        await second.stop(5.0)
        assert first.child.wait() == 0

    asyncio.run(story())


def test_starts_again_after_it_was_killed(data_dir):
    async def story():
        first = await start(data_dir)
        os.kill(first.process.pid, signal.SIGKILL)
        first.child.wait()
        second = await start(data_dir)
        assert not second.adopted and await setting(second, "port") == "0"
        await second.stop(5.0)

    asyncio.run(story())
