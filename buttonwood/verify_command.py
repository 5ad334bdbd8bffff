"""`buttonwood verify`: proves that the ledger adds up and says the same as a replay of the journal; trading may go on.

What held the last time is remembered, and only what came since is looked at; `--full` looks at everything again. The
result is left in the data directory for the metrics. Exit status: 0 every proof holds, 1 one does not, 2 it could not
be tried. Beside a running venue its Postgres is used and its exchange is asked for its state; for a resting one with a
Postgres of our own, that is started for the time of the proof.
"""
import sys
from pathlib import Path

import asyncpg
import msgspec
from rich.console import Console
from rich.table import Table

from buttonwood.embedded import own_postgres
from buttonwood.resolved import running_settings
from engine.config import Config
from engine.errors import ConfigError, VenueError
from gateway.door_client import DoorClient
from workers.reconcile import EngineState, Report, verify
from workers.reconcile_statement import Statement, read_statement
from workers.verify_result import write_result

PROVEN, DISPROVEN, UNTRIED = 0, 1, 2
_OK = 200
_DOOR_SECONDS_MAX = 2.0


async def run_verify(config: Config, as_json: bool, full: bool = False, statement: Path | None = None) -> int:
    """Print the proofs as a table or one JSON object; the exit status."""
    try:
        report = await _report(config, full, read_statement(statement) if statement else None)
        _keep(config, report, full)
    except (VenueError, asyncpg.PostgresError, OSError) as error:
        print(f"buttonwood: cannot verify: {error}", file=sys.stderr)
        return UNTRIED
    if as_json:
        print(msgspec.json.encode(report).decode())
    else:
        Console().print(_table(report))
    return PROVEN if report.ok else DISPROVEN


async def _report(config: Config, full: bool, statement: Statement | None) -> Report:
    running = running_settings(config)
    if running is not None:
        return await verify(running, full=full, engine=await _engine(running), statement=statement)
    if not config.paths.journal.exists():
        raise ConfigError(f"{config.paths.journal}: no venue has run on this data directory yet; choose it with --data")
    async with own_postgres(config) as complete:
        return await verify(complete, full=full, engine=await _engine(complete), statement=statement)


async def _engine(config: Config) -> EngineState | None:
    """The state of the exchange that runs on this data directory; None when none answers."""
    if not config.paths.door.exists():
        return None
    try:
        client = await DoorClient.connect(config.paths.door, timeout_s=_DOOR_SECONDS_MAX)
    except ConnectionError:
        return None
    try:
        status, body = await client.call(0, "engine.status", {})
    finally:
        await client.close()
    if status != _OK:
        return None
    found = msgspec.json.decode(body)
    return EngineState(seq=found["seq"], state_hash=found["stateHash"])


def _keep(config: Config, report: Report, full: bool) -> None:
    failed = [proof.name for proof in report.proofs if not proof.ok]
    try:
        write_result(config.paths.verified, seq=report.seq, seconds=report.seconds, failed=failed,
                     full=full or not report.after_seq)
    except OSError as error:
        print(f"buttonwood: the result cannot be kept for the metrics: {error}", file=sys.stderr)


def _table(report: Report) -> Table:
    table = Table("proof", "holds", "checked", "differences", title=f"{'verified' if report.ok else 'NOT verified'} at "
                  f"command {report.seq}, rows since {report.after_seq}, {report.seconds:.1f} s", title_justify="left")
    for proof in report.proofs:
        table.add_row(proof.name, "yes" if proof.ok else "NO", f"{proof.checked:,}", "\n".join(proof.differences))
    return table
