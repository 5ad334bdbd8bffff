"""The campaign of faults, short: processes killed, damaged journals, servers away, starts interrupted; and it finds
what it seeks.

The long one is `make faults`.
"""
import json
import sys
from pathlib import Path
from typing import Any

import pytest

import engine.journal
import engine.recovery
import engine.start_choice
from buttonwood import run_command
from engine.config import Logs
from engine.core.batch import Batch
from engine.transfers import Transfers
from tests.engine.stage import TRADER, config_for, opened, run, send, setup
from tests.system import fault_snapshots
from tests.system.fault_audit import Auditor, Findings
from tests.system.fault_campaign import VICTIMS
from tests.system.fault_ordeals import ORDEALS
from tests.system.fault_traders import Ack
from tests.system.processes import finished
from workers.candle_store import CandlesLost

ROOT = Path(__file__).parents[2]
SECONDS_MAX = 900           # of a campaign: 30 on a quiet machine
WRONG = ("lost", "doubled", "state_mismatches", "ledger_mismatches", "wrong_recoveries", "failures")


def campaign(**amounts: float) -> dict[str, Any]:
    """Run the command with these amounts and none of the others; its report, in which nothing may be wrong."""
    amounts = dict.fromkeys(("kills", "journal", "schedules", "starts", "outage"), 0) | amounts
    options = [word for name, amount in amounts.items() for word in (f"--{name}", str(amount))]
    done = finished([sys.executable, "-m", "tests.system.faults", *options, "--seed", "4"], SECONDS_MAX - 60, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert {name: report[name] for name in WRONG} == dict.fromkeys(WRONG, 0)
    return report


@pytest.mark.timeout(SECONDS_MAX)
def test_nothing_that_was_answered_is_lost_when_processes_are_killed():
    report = campaign(kills=20, journal=2000)
    assert (report["kills"], report["journal_faults"]) == (20, 2000) and report["acked"] > 500
    assert set(report["killed"]) == set(VICTIMS)
    assert report["streams_parted"] > 2 and report["verified"] >= 1


@pytest.mark.timeout(SECONDS_MAX)
def test_nothing_is_lost_when_servers_processes_and_the_clock_fail_without_dying():
    report = campaign(outage=1.5)
    assert report["ordeals"] == len(ORDEALS) and report["acked"] > 500 and report["verified"] == 1


@pytest.mark.timeout(SECONDS_MAX)
def test_a_start_that_is_interrupted_leaves_nothing_and_the_next_one_finds_all_of_it_once():
    report = campaign(starts=4, schedules=20)
    assert (report["starts_interrupted"], report["schedules"]) == (4, 20)


def test_a_worker_that_lost_candles_to_a_killed_postgres_does_not_stop_the_venue(monkeypatch: pytest.MonkeyPatch):
    """A VenueError would: it is a refusal (status 3), after which nothing is started again."""
    monkeypatch.setattr(run_command, "configure", lambda *_: None)   # this process logs as pytest wants
    async def worker() -> None:
        raise CandlesLost("the candles in Postgres are at command 1, they were at 2")

    with pytest.raises(CandlesLost):
        run_command.run(worker, Logs(), "market_data")


@pytest.mark.parametrize(("places", "name", "mistake"), [
    ((engine.recovery, engine.start_choice), "check_reach", lambda *_: None),
    ((engine.journal,), "_time_ns", lambda *_: AnyTime()), ((Transfers,), "load", lambda *_: None)])
def test_the_campaign_finds_recoveries_that_are_wrong(
    places: tuple[Any, ...], name: str, mistake: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    for place in places:
        monkeypatch.setattr(place, name, mistake)
    found = fault_snapshots.campaign(400, 2, tmp_path / "faults")
    assert found.wrong_recoveries > 0 and "recovered" in "".join(found.told)


class AnyTime:
    """Equal to every time: nobody looks whether a frame is of another history."""

    def __ne__(self, other: object) -> bool:
        return False



def placed(text: str, order: int, quantity: str = "0.0003") -> Ack:
    asked = {"type": "LIMIT", "timeInForce": "GTC", "side": "BUY", "price": "0.25", "quantity": quantity}
    return Ack("order.place", TRADER, "BTCUSDT", text, asked, {"orderId": order, "fills": [], "transactTime": 0})


def test_the_auditor_notices_what_is_lost_and_what_is_doubled(tmp_path: Path):
    config = config_for(tmp_path)

    async def story() -> None:
        batch = Batch()
        for text in (b"once", b"twice", b"twice"):
            batch.place(TRADER, 1, 0, 0, 0, 25, 3, text=text)
        async with opened(config, clock=lambda: 1) as venue:
            for commands in (setup(), batch):
                await send(venue, commands)

    run(story())
    findings = Findings(told=[])
    auditor = Auditor(config.paths.journal, config.paths.door, findings)
    auditor._replay(7)
    auditor.settle([placed("once", 5)])
    assert (findings.acked, findings.lost) == (1, 0)
    auditor.settle([placed("once", 6), placed("never", 9), placed("once", 5, "0.0004"), placed("twice", 6)])
    assert (findings.acked, findings.lost) == (5, 4)
    auditor.count_doubles()
    assert findings.doubled == 1 and "2 times PLACE twice of account 2" in findings.told[-1]
