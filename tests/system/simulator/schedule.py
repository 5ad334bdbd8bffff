"""One schedule: a venue, customers, faults when the seed says so, then quiet, a last power loss, and the audit."""
import hashlib
import random
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from engine.config import load_config
from engine.journal import Walk
from engine.segments import list_files
from tests.system.simulator.disk import Disk
from tests.system.simulator.disk_calls import DiskCalls
from tests.system.simulator.faults import Faults
from tests.system.simulator.ledger_audit import differences
from tests.system.simulator.plants import plant
from tests.system.simulator.seams import simulated
from tests.system.simulator.venue import Customers, Venue
from tests.system.simulator.world import SECOND, World

_QUIET_SECONDS_MAX = 120
_MEMORY = "/dev/shm"        # the page cache of the simulation needs no disk


class Outcome(msgspec.Struct):
    """What became of a schedule. digest: of all that happened, the same for the same seed."""

    seed: int
    failures: list[str]
    digest: str
    faults: dict[str, int]
    commands: int
    answered: int
    recoveries: int
    story: list[str]


def run_schedule(seed: int, planted: str = "") -> Outcome:
    """Everything from this one number. `planted` names a mistake to make (plants.py)."""
    base = _MEMORY if Path(_MEMORY).is_dir() else None
    with tempfile.TemporaryDirectory(dir=base) as root:
        world = World(seed)
        disk = Disk(Path(root), world.dice("disk"))
        dice = world.dice("schedule")
        config = load_config(
            data_dir=f"{root}/venue", postgres={"dsn": "simulated"},
            journal={"segment_bytes": dice.choice((4096, 8192, 32768)), "frame_commands_max": dice.choice((20, 32)),
                     "keep_bytes": dice.choice((0, 1))},
            snapshots=_snapshots(dice), limits={"follower_buffer_bytes_max": dice.choice((2048, 65536))},
            ledger={"batch_events_max": dice.choice((20, 1000)), "batch_seconds_max": dice.choice((0.001, 0.02))})
        calls = DiskCalls(world, disk)
        venue = Venue(world, disk, config)
        customers = Customers(venue, dice.choice((30, 60, 120)), seed)
        faults = Faults(venue, dice)
        with plant(planted, venue), simulated(world, calls, venue.postgres, venue.auditor.taken):
            try:
                _play(venue, customers, faults)
            finally:
                venue.end()
    auditor = venue.auditor
    story = "\n".join(world.story)
    seen = b"".join((story.encode(), *auditor.journal, repr(sorted(venue.postgres.entries)).encode()))
    return Outcome(seed=seed, failures=auditor.failures, digest=hashlib.sha256(seen).hexdigest()[:16],
                   faults=dict(faults.done), commands=len(auditor.journal), answered=auditor.acked,
                   recoveries=auditor.recoveries, story=world.story)


def _snapshots(dice: random.Random) -> dict[str, int]:
    """Often, and few are kept, so that much hangs on the newest ones."""
    return {"commands": dice.choice((4, 10, 30)), "keep": dice.choice((1, 1, 2, 3)),
            "stop_orders_max": dice.choice((0, 1000)), "told_commands": dice.choice((1, 10, 1000))}


def _play(venue: Venue, customers: Customers, faults: Faults) -> None:
    for role in (venue.exchange, venue.follower, venue.ledger, venue.snapshots):
        role.start()
    customers.start()
    faults.plan()
    _settle(venue, "faults", lambda: customers.left <= 0 and faults.over, 600)
    faults.heal()
    _settle(venue, "quiet", lambda: venue.up_to_date, _QUIET_SECONDS_MAX)
    _audit(venue)
    if venue.auditor.failures:
        return
    venue.lose_power()
    _settle(venue, "the last start", lambda: venue.up_to_date, _QUIET_SECONDS_MAX)
    _audit(venue)


def _settle(venue: Venue, what: str, until: Callable[[], bool], seconds: int) -> None:
    auditor = venue.auditor

    def done() -> bool:
        return bool(auditor.failures) or until()

    if not venue.world.run(done, seconds * SECOND):
        engine = venue.engine
        auditor.fail(f"{what}: not over within {seconds} s: engine {engine and (engine.seq, engine.pending)}, follower "
                     f"{venue.replica.seq}, ledger {venue.postgres.seq}")


def _audit(venue: Venue) -> None:
    auditor = venue.auditor
    for role in venue.roles:
        if role.process is not None:
            for problem in role.process.loop.problems:
                auditor.fail(problem)
    oldest = min((seq for seq, _ in list_files(venue.config.paths.journal)), default=1)
    auditor.read(Walk(venue.config.paths.journal, oldest))
    for difference in differences(auditor.journal, venue.postgres):
        auditor.fail(f"ledger: {difference}")
