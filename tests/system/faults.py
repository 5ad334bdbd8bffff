"""The campaign of faults: whatever happens to a venue, nothing that was answered is lost, and nothing happens twice.

    python -m tests.system.faults [--kills N] [--journal N] [--schedules N] [--starts N] [--outage S] [--seed S]

Damaged journals, damaged snapshots (fault_snapshots.py) and schedules of the simulated shell first; then kill -9 at
random while customers trade (fault_kills.py), everything else that befalls a running venue (fault_ordeals.py, --outage
seconds each), and starts that are interrupted (fault_starts.py). The last line is one JSON object; exit status 1 if
anything is wrong.
"""
import argparse
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import Progress

from engine.errors import VenueError
from tests.engine import journal_faults
from tests.system import fault_snapshots
from tests.system.fault_campaign import Campaign, Say
from tests.system.fault_kills import kill_campaign
from tests.system.fault_ordeals import ORDEALS, ordeal_campaign
from tests.system.fault_starts import start_campaign
from tests.system.simulate import run_schedules

FAULTS_AT_ONCE = 1500
SNAPSHOTS_SHARE = 3         # one of so many is a fault of snapshots
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None      # these faults need no disk
SCHEDULES_AT_ONCE = 100


class Plan(msgspec.Struct, frozen=True):
    """How much of each kind of fault. `outage_seconds` 0: no ordeals."""

    kills: int
    journal: int
    schedules: int
    starts: int
    outage_seconds: float
    seed: int


class Report(msgspec.Struct):
    """The last line."""

    kills: int = 0
    acked: int = 0
    lost: int = 0
    doubled: int = 0
    state_mismatches: int = 0
    ledger_mismatches: int = 0
    journal_faults: int = 0
    wrong_recoveries: int = 0
    schedules: int = 0
    failures: int = 0
    seed: int = 0
    seconds: float = 0.0
    answered: int = 0
    unknown: int = 0
    streams_parted: int = 0
    verified: int = 0
    ordeals: int = 0
    starts_interrupted: int = 0
    killed: dict[str, int] = {}
    told: list[str] = []

    @property
    def wrong(self) -> int:
        """How much is not as promised."""
        return (self.lost + self.doubled + self.state_mismatches + self.ledger_mismatches + self.wrong_recoveries
                + self.failures)

    def add(self, campaign: Campaign) -> None:
        """What one venue went through."""
        found = campaign.findings
        for name in ("acked", "lost", "doubled", "state_mismatches", "ledger_mismatches", "failures"):
            setattr(self, name, getattr(self, name) + getattr(found, name))
        self.answered += sum(trader.answered for trader in campaign.traders)
        self.unknown += sum(trader.unknown for trader in campaign.traders)
        self.streams_parted += campaign.watcher.parted
        self.verified += campaign.verified
        self.told = self.told + found.told


def run(plan: Plan, say: Say, bars: Progress) -> Report:
    """All campaigns."""
    begin, report = time.monotonic(), Report(seed=plan.seed)
    say(f"seed {plan.seed}: {plan}")
    for number, campaign in enumerate((_journals, _schedules, _kills, _ordeals, _starts)):
        campaign(plan, plan.seed + number, report, say, bars)
    report.seconds = round(time.monotonic() - begin, 1)
    return report


def _journals(plan: Plan, seed: int, report: Report, say: Say, bars: Progress) -> None:
    bar = bars.add_task("journals", total=plan.journal)
    while report.journal_faults < plan.journal:
        count = min(FAULTS_AT_ONCE, plan.journal - report.journal_faults)
        of_snapshots = count // SNAPSHOTS_SHARE
        number = seed + report.journal_faults
        for campaign, share in ((fault_snapshots.campaign, of_snapshots),
                                (journal_faults.campaign, count - of_snapshots)):
            with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
                damage = campaign(share, number, Path(folder) / "faults")
            report.journal_faults += damage.faults
            report.wrong_recoveries += damage.wrong_recoveries
            report.failures += damage.failures
            report.told = report.told + damage.told
        bars.update(bar, completed=report.journal_faults)
    say(f"{report.journal_faults} faults of journals and snapshots, {report.wrong_recoveries} wrong")


def _schedules(plan: Plan, seed: int, report: Report, say: Say, bars: Progress) -> None:
    bar = bars.add_task("schedules", total=plan.schedules)
    while report.schedules < plan.schedules:
        count = min(SCHEDULES_AT_ONCE, plan.schedules - report.schedules)
        found = run_schedules(count, seed + report.schedules, say)
        report.schedules += found["schedules"]
        report.failures += found["failures"]
        report.told = report.told + found["told"]
        bars.update(bar, completed=report.schedules)
    say(f"{report.schedules} schedules of the simulated shell")


def _kills(plan: Plan, seed: int, report: Report, say: Say, bars: Progress) -> None:
    if plan.kills:
        campaign, killed = kill_campaign(plan.kills, seed, _stepping(say, bars, "kills", plan.kills))
        report.kills, report.killed = killed.total(), dict(killed)
        report.add(campaign)


def _ordeals(plan: Plan, seed: int, report: Report, say: Say, bars: Progress) -> None:
    if plan.outage_seconds:
        report.add(ordeal_campaign(plan.outage_seconds, seed, _stepping(say, bars, "ordeals", None)))
        report.ordeals = len(ORDEALS)


def _starts(plan: Plan, seed: int, report: Report, say: Say, bars: Progress) -> None:
    if plan.starts:
        starts = start_campaign(plan.starts, seed, _stepping(say, bars, "starts", plan.starts))
        report.starts_interrupted = starts.interrupted
        report.failures += starts.findings.failures
        report.told = report.told + starts.findings.told


def _stepping(say: Say, bars: Progress, name: str, total: int | None) -> Say:
    """Says it, and moves the bar on by one."""
    bar = bars.add_task(name, total=total)

    def step(text: str) -> None:
        say(text)
        bars.advance(bar)
    return step


def main(arguments: list[str] | None = None) -> int:
    """The command line; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.system.faults", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, metavar="N", help="processes to kill (200)")
    parser.add_argument("--journal", type=int, default=20_000, metavar="N", help="journals and snapshots (20000)")
    parser.add_argument("--schedules", type=int, default=10_000, metavar="N", help="of the simulated shell (10000)")
    parser.add_argument("--starts", type=int, default=24, metavar="N", help="starts to interrupt (24: each step once "
                        "with each signal)")
    parser.add_argument("--outage", type=float, default=60.0, metavar="S", help="seconds of each ordeal (60)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32), metavar="S",
                        help="to repeat a campaign: same faults, same kills, though not at the same command")
    parser.add_argument("--json", action="store_true", help="print nothing but the last line")
    parsed = parser.parse_args(arguments)
    signal.signal(signal.SIGINT, signal.default_int_handler)    # ignored behind a shell's &, and so by what we start
    plan = Plan(parsed.kills, parsed.journal, parsed.schedules, parsed.starts, parsed.outage, parsed.seed)
    try:
        with Progress(console=Console(stderr=True), disable=parsed.json) as bars:
            report = run(plan, _nothing if parsed.json else _line, bars)
    except (VenueError, AssertionError) as error:
        print(f"seed {parsed.seed}: the campaign could not go on: {error}", file=sys.stderr)
        return 2
    print(msgspec.json.encode(report).decode())
    return 1 if report.wrong else 0


def _line(text: str) -> None:
    print(text, flush=True)


def _nothing(_: str) -> None:
    """Says nothing."""


if __name__ == "__main__":
    sys.exit(main())
