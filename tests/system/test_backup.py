"""The drill: a trading venue is backed up twice, lost, restored to the end and to a moment, proven, and started."""
import asyncio
import contextlib
import json
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import psutil
import pytest

from buttonwood.cli import main
from buttonwood.embedded import temporary_data_dir
from engine.config import load_config
from engine.journal_survey import check
from tests.system.running_venue import RunningVenue, verify
from workers.verify_result import read_result

WAIT_SECONDS_MAX = 120


@pytest.fixture
def folder() -> Iterator[Path]:
    with temporary_data_dir() as path:
        yield path


def ledger_seq(data_dir: Path) -> int:
    """How far Postgres is."""
    async def ask() -> int:
        connection = await asyncpg.connect(load_config(data_dir / "run" / "venue.toml").postgres.dsn)
        try:
            return int(await connection.fetchval("SELECT seq FROM watermark"))
        finally:
            await connection.close()

    return asyncio.run(ask())


def trade_on(data_dir: Path, commands: int) -> int:
    """Wait until the ledger is so many commands further; where it is then."""
    begin, end = ledger_seq(data_dir), time.monotonic() + WAIT_SECONDS_MAX
    while (seq := ledger_seq(data_dir)) < begin + commands:
        assert time.monotonic() < end, f"the ledger stays at {seq}"
        time.sleep(0.05)
    return seq


def backed_up(backup: Path, data_dir: Path) -> int:
    assert main(["backup", str(backup), "--data", str(data_dir)]) == 0
    return int(json.loads((backup / "backup.json").read_text())["seq"])


def proven(data_dir: Path) -> int:
    """Where the proof that a restore ends with has looked."""
    result = read_result(data_dir / "verified.json")
    assert result.ok and result.full_time_ns == result.time_ns
    return result.seq


def kill_all(venue: RunningVenue) -> None:
    """kill -9 of every process it has."""
    processes = [psutil.Process(venue.process.pid), *venue.family()]
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    venue.process.wait()
    _, left = psutil.wait_procs(processes, WAIT_SECONDS_MAX)
    assert not left


def test_a_lost_venue_is_restored_to_its_end_and_to_a_moment(folder: Path):
    lost, backup, again, earlier = (folder / name for name in ("lost", "backup", "again", "earlier"))
    with RunningVenue(lost, "--demo") as venue:
        trade_on(lost, 100)
        first = backed_up(backup, lost)
        after_first = trade_on(lost, 50)
        moment = datetime.now(UTC).isoformat()
        after_moment = trade_on(lost, 50)
        second = backed_up(backup, lost)
        trade_on(lost, 50)
        kill_all(venue)
    assert first < after_first < after_moment <= second
    shutil.rmtree(lost)

    assert main(["restore", str(backup), "--data", str(again)]) == 0
    assert check(again / "journal").last_seq == second
    assert after_moment <= proven(again) <= second

    assert main(["restore", str(backup), "--data", str(earlier), "--until", moment]) == 0
    ends = check(earlier / "journal").last_seq
    assert after_first <= ends < second
    assert proven(earlier) <= ends

    with RunningVenue(again, "--demo"):
        trade_on(again, 50)
        assert int(str(verify(again)["seq"])) > second


def test_what_cannot_be_done_is_said(folder: Path, capsys: pytest.CaptureFixture[str]):
    nothing = str(folder / "nothing")
    assert main(["backup", str(folder / "backup"), "--data", nothing]) == 2
    assert "no venue has run" in capsys.readouterr().err
    assert main(["restore", nothing, "--data", str(folder / "new")]) == 2
    assert "holds no finished backup" in capsys.readouterr().err
    assert main(["restore", nothing, "--data", str(folder / "new"), "--until", "tea time"]) == 2
    assert "--until tea time" in capsys.readouterr().err
    assert not (folder / "new").exists()
