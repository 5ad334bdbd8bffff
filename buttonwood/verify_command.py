"""`buttonwood verify`: proves that the ledger adds up and says the same as a replay of the journal; trading may go on.

Exit status: 0 every proof holds, 1 one does not, 2 it could not be tried. Beside a running venue its Postgres is used;
for a resting one with a Postgres of our own, that is started for the time of the proof.
"""
import sys

import asyncpg
import msgspec
from rich.console import Console
from rich.table import Table

from buttonwood.embedded import own_postgres
from buttonwood.resolved import running_settings
from engine.config import Config
from engine.errors import ConfigError, VenueError
from workers.reconcile import Report, verify

PROVEN, DISPROVEN, UNTRIED = 0, 1, 2


async def run_verify(config: Config, as_json: bool) -> int:
    """Print the proofs as a table or one JSON object; the exit status."""
    try:
        report = await _report(config)
    except (VenueError, asyncpg.PostgresError, OSError) as error:
        print(f"buttonwood: cannot verify: {error}", file=sys.stderr)
        return UNTRIED
    if as_json:
        print(msgspec.json.encode(report).decode())
    else:
        Console().print(_table(report))
    return PROVEN if report.ok else DISPROVEN


async def _report(config: Config) -> Report:
    running = running_settings(config)
    if running is not None:
        return await verify(running)
    if not config.paths.journal.exists():
        raise ConfigError(f"{config.paths.journal}: no venue has run on this data directory yet; choose it with --data")
    async with own_postgres(config) as complete:
        return await verify(complete)


def _table(report: Report) -> Table:
    table = Table("proof", "holds", "checked", "differences", title=f"{'verified' if report.ok else 'NOT verified'} at "
                  f"command {report.seq}", title_justify="left")
    for proof in report.proofs:
        table.add_row(proof.name, "yes" if proof.ok else "NO", f"{proof.checked:,}", "\n".join(proof.differences))
    return table
