"""Our own Postgres: made, started, adopted and stopped by us, reachable through a Unix socket only.

Checksums and fsync are on; there is no TCP port and no password: the socket's folder (0700) is the lock. The server
gets SIGINT (fast, clean shutdown) from the kernel when the process that started it is killed. A server of the same
cluster that still runs is adopted, after its pid file has been checked against the process. There is no deadline for
readiness: recovery after a crash takes as long as it takes, and the wait ends only when the server does.
"""
import asyncio
import shutil
import signal
import subprocess
from pathlib import Path
from urllib.parse import quote

import asyncpg

from buttonwood.postgres_programs import find_programs
from buttonwood.processes import Process, is_running, members, process_of, wait_gone
from buttonwood.server_home import Home, reachable_copy, server_home, socket_folder
from buttonwood.server_process import ServerProcess, identity, last_lines, spawn
from engine.errors import VenueError

DATABASE = "buttonwood"
_PORT = 5432          # names the socket's file only
_POLL_SECONDS = 0.03
_CONNECT_SECONDS_MAX = 5.0
_INITDB_SECONDS_MAX = 600.0
_SETTINGS = {"listen_addresses": "", "port": _PORT, "unix_socket_permissions": "0700", "fsync": "on",
             "full_page_writes": "on", "synchronous_commit": "on", "logging_collector": "off",
             "max_slot_wal_keep_size": "4GB"}   # kept for the next `backup`, not for ever


class PostgresServer(ServerProcess):
    """A Postgres that answers at the DSN `address`. Stopping is its fast shutdown: open transactions roll back."""

    def __init__(self, process: Process, child: subprocess.Popen[bytes] | None, address: str) -> None:
        super().__init__(process, child, address, signal.SIGINT, signal.SIGQUIT)


async def start_postgres(wanted: Path, log: Path, source: str = "") -> PostgresServer:
    """Adopt the server of the cluster at `wanted`, or make what is missing and start it. Raises VenueError."""
    home = server_home(wanted)
    cluster = home.path / "cluster"
    sockets = socket_folder(home, f".s.PGSQL.{_PORT}.lock")
    while process := await _running(cluster):
        if await _answers(process, sockets):
            return PostgresServer(process, None, _dsn(sockets, DATABASE))
    child = await _start(home, cluster, sockets, log, source)
    server = PostgresServer(identity(child), child, _dsn(sockets, DATABASE))
    try:
        if not await _answers(server.process, sockets):
            raise VenueError(f"Postgres ended while starting: {last_lines(log)}")
    except BaseException:
        await server.stop(_CONNECT_SECONDS_MAX)
        raise
    return server


async def _running(cluster: Path) -> Process | None:
    """The live server of this cluster; one that is just stopping is waited for, what a dead one left is removed."""
    note = cluster / "postmaster.pid"
    while note.exists():
        lines = note.read_text(encoding="utf-8").splitlines()
        process = process_of(int(lines[0])) if lines else None
        others = members(cluster, "postgres")
        if process in others and len(lines) >= 8 and lines[7].strip() != "stopping":
            return process
        if not others:
            note.unlink(missing_ok=True)
        await asyncio.sleep(_POLL_SECONDS)
    return None


async def _start(home: Home, cluster: Path, sockets: Path, log: Path, source: str) -> subprocess.Popen[bytes]:
    programs = find_programs(cluster, source)
    folder = reachable_copy(programs.folder / "postgres", programs.tree, home).parent
    settings = _SETTINGS | {"unix_socket_directories": sockets}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    with log.open("ab") as output:
        if not cluster.exists():
            await _make_cluster(folder, cluster, home, log)
        return spawn([str(folder / "postgres"), "-D", str(cluster), *options], home, output.fileno(), signal.SIGINT)


async def _make_cluster(folder: Path, cluster: Path, home: Home, log: Path) -> None:
    """initdb beside the final place, then rename: an interrupted one never looks finished."""
    draft = cluster.with_name("cluster.new")
    shutil.rmtree(draft, ignore_errors=True)
    command = [str(folder / "initdb"), "-D", str(draft), "-U", DATABASE, "--data-checksums", "--auth-local=trust",
               "--auth-host=reject", "--encoding=UTF8", "--locale=C", "--no-instructions"]
    with log.open("ab") as output:
        child = spawn(command, home, output.fileno(), signal.SIGTERM)
    try:
        await wait_gone(identity(child), _INITDB_SECONDS_MAX)
    finally:
        child.terminate()
        status = child.wait()
    if status != 0:
        raise VenueError(f"Postgres could not make its files: {last_lines(log)}")
    draft.rename(cluster)


async def _answers(process: Process, sockets: Path) -> bool:
    """Wait until a query is answered, False when the server ended instead; makes our database when it is missing."""
    while is_running(process):
        try:
            await _make_database(sockets)
            return True
        except (OSError, TimeoutError, asyncpg.OperatorInterventionError, asyncpg.PostgresConnectionError):
            await asyncio.sleep(_POLL_SECONDS)
    return False


async def _make_database(sockets: Path) -> None:
    connection = await asyncpg.connect(_dsn(sockets, "postgres"), timeout=_CONNECT_SECONDS_MAX)
    try:
        if not await connection.fetchval("SELECT count(*) FROM pg_database WHERE datname = $1", DATABASE):
            await connection.execute(f"CREATE DATABASE {DATABASE}")
    finally:
        await connection.close()


def _dsn(sockets: Path, database: str) -> str:
    return f"postgresql://{DATABASE}@/{database}?host={quote(str(sockets), safe='')}&port={_PORT}"
