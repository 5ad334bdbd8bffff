"""`buttonwood verify` tells a sound ledger from a changed one, beside a running venue and on a resting one."""
import asyncio
from pathlib import Path

import asyncpg
import pytest

from buttonwood.cli import main
from buttonwood.embedded import temporary_data_dir
from buttonwood.processes import members
from engine.config import load_config
from tests.system.running_venue import RunningVenue, verify

LISTING = Path(__file__).parents[2] / "deploy" / "listing.toml"


@pytest.fixture
def data_dir():
    with temporary_data_dir() as path:
        yield path / "venue"


def take(data_dir: Path, amount: int) -> None:
    """Change a balance behind the ledger's back, as only the owner of the database can."""
    async def story() -> None:
        connection = await asyncpg.connect(load_config(data_dir / "run" / "venue.toml").postgres.dsn)
        try:
            await connection.execute("UPDATE wallet SET balance = balance - $1 WHERE account = 2 AND asset = 1", amount)
        finally:
            await connection.close()

    asyncio.run(story())


def test_a_changed_balance_is_found(data_dir, capsys):
    where = ["--data", str(data_dir)]
    with RunningVenue(data_dir, "--listing", str(LISTING)):
        assert main(["verify", *where]) == 0
        output = capsys.readouterr().out
        assert "verified at command" in output and "engine_equals_replay" in output
        take(data_dir, 1)
        assert main(["verify", *where]) == 1
        output = capsys.readouterr().out
        assert "NOT verified" in output and "NO" in output
        take(data_dir, -1)
    assert verify(data_dir)["ok"] is True
    assert members(data_dir / "postgres" / "cluster", "postgres") == []


def test_what_cannot_be_tried_is_not_called_proven(data_dir, capsys):
    assert main(["verify", "--data", str(data_dir)]) == 2
    assert "no venue has run on this data directory yet" in capsys.readouterr().err
    assert not data_dir.exists()
