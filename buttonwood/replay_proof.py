"""The ledger during and after a replay: how far behind it is, seen from outside, and the proof that it is right.

The position in Postgres is read every poll_seconds. It is behind by the age of the oldest order that it does not
contain; order ids are numbers of commands, so the replies tell which that is. What falls between two looks is not seen.
"""
import asyncio
import contextlib
import time
from bisect import bisect_right
from collections.abc import Sequence

import asyncpg
from msgspec import Struct

from buttonwood.bootstrap import commands_applied
from engine.config import Config
from engine.errors import VenueError
from workers.reconcile import verify

LEDGER_SECONDS_MAX = 300.0
POLL_SECONDS = 0.02
_NS_PER_MS = 1_000_000


class Proof(Struct, frozen=True):
    """What the ledger says after the replay."""

    verified: bool
    lag_ms_max: float
    behind_seconds: float   # how long the ledger took to reach the end after the replay had
    problems: list[str]


class LedgerWatch:
    """Looks at one venue's ledger until `stop`."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._looks: list[tuple[int, int]] = []     # (time in ns, position)
        self._looked = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to look. Raises VenueError."""
        try:
            connection = await asyncpg.connect(self._config.postgres.dsn)
        except (OSError, asyncpg.PostgresError) as error:
            raise VenueError(f"the ledger cannot be read: {error}") from None
        self._task = asyncio.create_task(self._look(connection))

    async def stop(self) -> None:
        """Look no longer."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def prove(self, order_ids: Sequence[int], times_ms: Sequence[int]) -> Proof:
        """Wait until the ledger contains everything, then have it proven. The orders are in order of id.

        Raises VenueError when the ledger does not come to the end.
        """
        started = time.monotonic()
        goal = await commands_applied(self._config)
        await self._reached(goal)
        behind_seconds = time.monotonic() - started
        await self.stop()
        report = await verify(self._config)
        problems = [f"{proof.name}: {'; '.join(proof.differences)}" for proof in report.proofs if not proof.ok]
        lag_ms = lag_ms_max(self._looks, order_ids, times_ms)
        return Proof(report.ok and report.seq >= goal, round(lag_ms, 1), round(behind_seconds, 3), problems)

    async def _look(self, connection: asyncpg.Connection) -> None:
        try:
            statement = await connection.prepare("SELECT seq FROM watermark WHERE stream = 'ledger'")
            while True:
                seq = await statement.fetchval()
                async with self._looked:
                    self._looks.append((time.time_ns(), seq))
                    self._looked.notify_all()
                await asyncio.sleep(POLL_SECONDS)
        finally:
            connection.terminate()

    async def _reached(self, goal: int) -> None:
        assert self._task is not None
        waiting = asyncio.create_task(self._wait_for(goal))
        try:
            await asyncio.wait([waiting, self._task], return_when=asyncio.FIRST_COMPLETED, timeout=LEDGER_SECONDS_MAX)
            if self._task.done():
                raise VenueError(f"the ledger cannot be read any more: {self._task.exception()}")
            if not waiting.done():
                raise VenueError(f"the ledger is at command {self._looks[-1][1]} of {goal} after "
                                 f"{LEDGER_SECONDS_MAX:g} s: look at the ledger's log")
        finally:
            waiting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await waiting

    async def _wait_for(self, goal: int) -> None:
        async with self._looked:
            await self._looked.wait_for(lambda: bool(self._looks) and self._looks[-1][1] >= goal)


def lag_ms_max(looks: Sequence[tuple[int, int]], order_ids: Sequence[int], times_ms: Sequence[int]) -> float:
    """The greatest age of the oldest order missing from the ledger, over all looks (time in ns, last command in it)."""
    ages = [0.0]
    for now_ns, seq in looks:
        oldest_missing = bisect_right(order_ids, seq)
        if oldest_missing < len(order_ids):
            ages.append(now_ns / _NS_PER_MS - times_ms[oldest_missing])
    return max(ages)
