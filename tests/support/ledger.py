"""Engines, ledgers and their processes for tests of the ledger; everything real, nothing left running."""
import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg

from engine.config import Config, load_config
from engine.core.batch import Batch
from engine.service import Engine
from tests.support.waiting import SECONDS_MAX
from workers.ledger import Ledger

_PROCESS = """
import asyncio, sys
from pathlib import Path
from engine.config import load_config
from engine.errors import VenueError
from workers.run import serve
try:
    asyncio.run(serve(load_config(Path(sys.argv[1])), ["ledger"]))
except VenueError as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""


def config_for(folder: Path, dsn: str, **sections: Any) -> Config:
    """A venue in this folder whose ledger writes this database."""
    journal = {"segment_bytes": 4 * 1024 * 1024}
    return load_config(data_dir=str(folder), postgres={"dsn": dsn}, journal=journal, **sections)


@contextlib.asynccontextmanager
async def open_engine(config: Config) -> AsyncIterator[Engine]:
    engine = await Engine.open(config)
    try:
        yield engine
    finally:
        await asyncio.sleep(0.01)   # lets a connection that is just coming in be accepted, so that close finds it
        await engine.close()


def _settle(done: asyncio.Future[int], first_seq: int, _: object) -> None:
    if not done.done():
        done.set_result(first_seq)


async def submit(engine: Engine, *batches: Batch) -> None:
    """Returns when these commands are durable and applied."""
    for batch in batches:
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        engine.submit(batch, partial(_settle, done))
        async with asyncio.timeout(SECONDS_MAX):   # wait_for may swallow a cancellation in Python 3.11
            await done


@contextlib.asynccontextmanager
async def running(config: Config) -> AsyncIterator[asyncio.Task[None]]:
    """A ledger in this loop; an error it ends with comes out, unless the test has awaited the task itself."""
    task = asyncio.create_task(Ledger(config).run())
    try:
        yield task
    finally:
        failed = task.done()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            if not failed:
                await task


async def fetch(dsn: str, query: str, *arguments: Any) -> list[tuple[Any, ...]]:
    connection = await asyncpg.connect(dsn)
    try:
        return [tuple(row) for row in await connection.fetch(query, *arguments)]
    finally:
        await connection.close()


async def execute(dsn: str, *statements: str) -> None:
    """In one transaction, past the append-only guard."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            await connection.execute("SET LOCAL session_replication_role = replica")
            for statement in statements:
                assert not (await connection.execute(statement)).endswith(" 0"), f"touches no row: {statement}"
    finally:
        await connection.close()


def check_task(task: asyncio.Task[None]) -> Callable[[], object]:
    """Raises the task's error once it has ended with one."""
    return lambda: task.done() and task.result()


async def reached(dsn: str, seq: int, check: Callable[[], object]) -> None:
    """Wait until the ledger is at this command; `check` raises when it has ended."""
    async with asyncio.timeout(SECONDS_MAX):
        while True:
            check()
            with contextlib.suppress(asyncpg.PostgresError, OSError):
                if (await fetch(dsn, "SELECT seq FROM watermark"))[0][0] >= seq:
                    return
            await asyncio.sleep(0.02)


class LedgerProcess:
    """The ledger worker as a process of its own, started with a config file, ended by its own pid."""

    def __init__(self, config: Config) -> None:
        self._file = Path(config.data_dir) / f"ledger-{uuid.uuid4().hex}.toml"
        limits = "".join(f"{name} = {getattr(config.ledger, name)}\n" for name in config.ledger.__struct_fields__)
        self._file.write_text(f'data_dir = "{config.data_dir}"\n[postgres]\ndsn = "{config.postgres.dsn}"\n'
                              f'[ledger]\n{limits}')
        self._process = self._start()

    def _start(self) -> subprocess.Popen[str]:
        return subprocess.Popen([sys.executable, "-c", _PROCESS, str(self._file)], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def first_line(self) -> str:
        """What it says first; waits for it."""
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def check(self) -> None:
        """Raises when it has ended by itself."""
        if self.ended:
            raise AssertionError(self.result())

    def memory_bytes(self) -> tuple[int, int]:
        """What it has in memory now, and the most it ever had."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        now, most = (int(status.split(f"{name}:")[1].split()[0]) * 1024 for name in ("VmRSS", "VmHWM"))
        return now, most

    def cpu_ticks(self) -> int:
        """Processor time it has used, in the kernel's unit."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    def kill(self) -> None:
        """SIGKILL, then collect it."""
        self._signal(signal.SIGKILL)

    def stall(self) -> None:
        os.kill(self._process.pid, signal.SIGSTOP)

    def wake(self) -> None:
        os.kill(self._process.pid, signal.SIGCONT)

    def result(self, seconds_max: float = SECONDS_MAX) -> tuple[int, str]:
        """Wait for it to end by itself: exit status and standard error."""
        _, errors = self._process.communicate(timeout=seconds_max)
        return self._process.returncode, errors

    def restart(self) -> None:
        """Kill it and start it again."""
        self.kill()
        self._process = self._start()

    def _signal(self, number: signal.Signals) -> None:
        if self._process.poll() is None:
            self._process.send_signal(number)
        self._process.communicate(timeout=SECONDS_MAX)


@contextlib.contextmanager
def ledger_process(config: Config) -> Iterator[LedgerProcess]:
    process = LedgerProcess(config)
    try:
        yield process
    finally:
        process.kill()
