"""The end of a replay: waits until the ledger has written everything the exchange did, then has it proven."""
import asyncio
import time

import asyncpg
from msgspec import Struct

from buttonwood.bootstrap import commands_applied
from engine.config import Config
from engine.errors import VenueError
from workers.reconcile import verify

LEDGER_SECONDS_MAX = 300.0
_POLL_S = 0.02


class Proof(Struct, frozen=True):
    """What the ledger says after the replay."""

    verified: bool
    lag_ms_max: float       # largest age of a command when its posting was committed
    behind_seconds: float   # how long the ledger took to reach the end after the replay had
    problems: list[str]


async def prove(config: Config) -> Proof:
    """Raises VenueError when the ledger does not come to the end, or cannot be read."""
    started = time.monotonic()
    goal = await commands_applied(config)
    try:
        lag_ns_max = await _reached(config.postgres.dsn, goal)
        behind_seconds = time.monotonic() - started
        report = await verify(config)
    except (OSError, asyncpg.PostgresError) as error:
        raise VenueError(f"the ledger cannot be read: {error}") from None
    problems = [f"{proof.name}: {'; '.join(proof.differences)}" for proof in report.proofs if not proof.ok]
    return Proof(report.ok and report.seq >= goal, round(lag_ns_max / 1e6, 1), round(behind_seconds, 3), problems)


async def _reached(dsn: str, goal: int) -> int:
    """Wait for the ledger's watermark; its largest lag so far in ns."""
    connection = await asyncpg.connect(dsn)
    try:
        give_up = time.monotonic() + LEDGER_SECONDS_MAX
        while True:
            row = await connection.fetchrow("SELECT seq, lag_ns_max FROM watermark WHERE stream = 'ledger'")
            if row is not None and row["seq"] >= goal:
                return int(row["lag_ns_max"])
            if time.monotonic() > give_up:
                raise VenueError(f"the ledger is at command {row and row['seq']} of {goal} after "
                                 f"{LEDGER_SECONDS_MAX:g} s: look at the ledger's log")
            await asyncio.sleep(_POLL_S)
    finally:
        await connection.close()
