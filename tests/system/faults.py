"""The campaign of faults: kill -9 at random of every process of a venue while customers trade, and damaged journals.

    python -m tests.system.faults [--kills N] [--journal N] [--seed S] [--json]

After each kill, once trading, ledger and streams have been seen to go on: every answer a customer got is in the journal
exactly once, the state of the running exchange is that of our own replay, no fill is missing or doubled in Postgres;
now and then and at the end `verify` holds. The last line is one JSON object; exit status 1 if anything is wrong.
"""
import argparse
import asyncio
import contextlib
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import asyncpg
import msgspec

from buttonwood.embedded import prepare, temporary_data_dir
from buttonwood.resolved import running_settings
from engine.config import load_config
from engine.errors import VenueError
from gateway.keys import make_key
from tests.engine import journal_faults
from tests.system.fault_audit import Auditor, Findings
from tests.system.fault_streams import Watcher
from tests.system.fault_traders import Trader, listing
from tests.system.running_venue import RunningVenue, verify

VICTIMS = {"exchange": ["exchange"], "ledger": ["worker", "ledger"], "market-data": ["worker", "market_data"],
           "feed": ["buttonwood feed"], "postgres": ["postgres", "-D"], "redis": ["redis"]}
ACCOUNTS = range(2, 6)
VERIFY_EVERY = 25
RECOVERY_SECONDS_MAX = 60.0
LOOK_SECONDS = 0.05
SECOND_KILL = 0.25          # chance of another kill before the first one is recovered from
SETTINGS = """
supervisor.restarts_max = 1000000
supervisor.healthy_seconds = 0.5
supervisor.restart_seconds_max = 0.2
"""


class Report(msgspec.Struct):
    """The last line."""

    kills: int
    acked: int
    lost: int
    doubled: int
    state_mismatches: int
    ledger_mismatches: int
    journal_faults: int
    wrong_recoveries: int
    failures: int
    seed: int
    seconds: float
    answered: int = 0
    unknown: int = 0
    streams_parted: int = 0
    verified: int = 0
    killed: dict[str, int] = {}
    told: list[str] = []

    @property
    def wrong(self) -> int:
        """How much is not as promised."""
        return (self.lost + self.doubled + self.state_mismatches + self.ledger_mismatches + self.wrong_recoveries
                + self.failures)


class Campaign:
    """Kills in one running venue."""

    def __init__(self, venue: RunningVenue, seed: int, say: Callable[[str], None]) -> None:
        self.findings, self.killed, self.verified = Findings(told=[]), Counter[str](), 0
        self._venue, self._dice, self._say = venue, random.Random(seed), say
        config = running_settings(load_config(data_dir=str(venue.data_dir)))
        assert config is not None
        self.config = config
        self.auditor = Auditor(config.paths.journal, config.paths.door, self.findings)
        self.traders = list[Trader]()
        self.watcher = Watcher(venue.words["streams"])
        self._deck: list[str] = []          # each kind of process once, then all again in another order
        self._gone: dict[str, int] = {}     # killed and not yet replaced: name, pid

    async def run(self, kills: int, keys: dict[int, tuple[str, str]]) -> None:
        """So many kills; then everything is asked to end and `verify` is run once more by the caller."""
        url = self._venue.words["orders"]
        self.traders = [Trader(url, *key, account, self._dice.getrandbits(32)) for account, key in keys.items()]
        tasks = [asyncio.create_task(each.run()) for each in (*self.traders, self.watcher)]
        try:
            await self._settled("start", tasks)
            while self.killed.total() < kills:
                await asyncio.sleep(self._dice.uniform(0, 0.5))
                where = self._kill()
                while self.killed.total() < kills and self._dice.random() < SECOND_KILL:
                    await asyncio.sleep(self._dice.uniform(0, 1.5))
                    where += " " + self._kill()
                await self._settled(f"kill {self.killed.total()} {where}", tasks)
                if self.killed.total() // VERIFY_EVERY > self.verified:
                    await self.prove(f"kill {self.killed.total()}")
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        await self._audit("end")
        self.auditor.count_doubles()
        for wrong in self.watcher.wrong:
            self.findings.tell("failures", wrong)

    async def prove(self, where: str) -> None:
        """Run `buttonwood verify` beside everything."""
        self.verified += 1
        try:
            await asyncio.to_thread(verify, self._venue.data_dir)
        except AssertionError as error:
            self.findings.tell("ledger_mismatches", f"{where}: verify: {str(error)[:500]}")

    def _kill(self) -> str:
        """End one process of the venue, or none when it is away just now."""
        self._deck = self._deck or self._dice.sample(list(VICTIMS), len(VICTIMS))
        name = self._deck.pop()
        try:
            pid = self._venue.part(*VICTIMS[name]).pid
            os.kill(pid, signal.SIGKILL)
        except (AssertionError, ProcessLookupError):
            self._deck.insert(0, name)
            return f"({name} was away)"
        self.killed[name] += 1
        self._gone[name] = pid
        return name

    def _replaced(self) -> bool:
        """Whether every process that was killed runs again under another number."""
        for name, pid in list(self._gone.items()):
            with contextlib.suppress(AssertionError):
                if self._venue.part(*VICTIMS[name]).pid != pid:
                    del self._gone[name]
        return not self._gone

    async def _settled(self, where: str, tasks: list[asyncio.Task[None]]) -> None:
        """Everybody goes on: each customer is answered, the streams are heard, the ledger has caught up. Then audit."""
        begin = time.monotonic()
        try:
            async with asyncio.timeout(RECOVERY_SECONDS_MAX):
                await self._until(self._replaced, tasks)
                answered, heard = [trader.answered for trader in self.traders], self.watcher.heard
                await self._until(lambda: self.watcher.heard > heard and all(
                    trader.answered > before for trader, before in zip(self.traders, answered, strict=True)), tasks)
                await self._caught_up(where)
        except TimeoutError:
            self.findings.tell("failures", f"{where}: not all went on within {RECOVERY_SECONDS_MAX} s, without "
                               f"{list(self._gone)}, {self.watcher.heard} messages of streams")
        self._say(f"{where}: all on again after {time.monotonic() - begin:.2f} s, command {self.auditor.core.seq}, "
                  f"{self.findings.acked} answers settled")

    async def _caught_up(self, where: str) -> None:
        """Audit, then wait for the ledger to reach what was audited."""
        goal, position = 0, -1
        while not goal or position < goal:
            goal = goal or await self._audit(where)
            position = await self._ledger(where)
            await asyncio.sleep(LOOK_SECONDS)

    async def _until(self, condition: Callable[[], bool], tasks: list[asyncio.Task[None]]) -> None:
        while not condition():
            assert not any(task.done() for task in tasks), tasks
            assert self._venue.process.poll() is None, "up has ended"
            await asyncio.sleep(LOOK_SECONDS)

    async def _audit(self, where: str) -> int:
        """State and answers; 0 when the exchange is away."""
        acks = [(trader, len(trader.acks)) for trader in self.traders]
        try:
            seq = await self.auditor.look(where)
        except ConnectionError:
            return 0
        for trader, count in acks:      # those given before we looked
            self.auditor.settle(trader.acks[:count])
            del trader.acks[:count]
        return seq

    async def _ledger(self, where: str) -> int:
        """The ledger's position; -1 while Postgres is away."""
        try:
            return await self.auditor.ledger(self.config.postgres.dsn, where)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, ConnectionError):
            return -1


def kill_campaign(kills: int, seed: int, say: Callable[[str], None]) -> Campaign:
    """A venue of our own, killed so often, then asked to end, then proven at rest."""
    with temporary_data_dir() as folder:
        data_dir, file = folder / "venue", folder / "listing.toml"
        file.write_text(listing(ACCOUNTS))
        config = load_config(data_dir=str(data_dir))
        prepare(config)     # the keys must not be the first to make the folder: the servers' users must get in
        made = {account: make_key(config.paths.keys, account) for account in ACCOUNTS}
        keys = {account: (key.api_key, key.secret) for account, key in made.items()}
        with RunningVenue(data_dir, "--listing", str(file), settings=SETTINGS) as venue:
            campaign = Campaign(venue, seed, say)
            asyncio.run(campaign.run(kills, keys))
            if venue.stop(signal.SIGTERM):
                campaign.findings.tell("failures", f"up ended with status {venue.process.returncode}")
        asyncio.run(campaign.prove("at rest"))
        return campaign


def run(kills: int, journal: int, seed: int, say: Callable[[str], None] = print) -> Report:
    """Both campaigns."""
    begin = time.monotonic()
    say(f"seed {seed}: {journal} journal faults, {kills} kills")
    with tempfile.TemporaryDirectory() as folder:
        damage = journal_faults.campaign(journal, seed, Path(folder) / "journals")
    say(f"{damage.faults} journal faults, {damage.refused} refused, {damage.wrong_recoveries} wrong, "
        f"{time.monotonic() - begin:.1f} s")
    report = Report(
        kills=0, acked=0, lost=0, doubled=0, state_mismatches=0, ledger_mismatches=0, journal_faults=damage.faults,
        wrong_recoveries=damage.wrong_recoveries, failures=damage.failures, seed=seed, seconds=0.0, told=damage.told)
    if kills:
        _add(report, kill_campaign(kills, seed, say))
    report.seconds = round(time.monotonic() - begin, 1)
    return report


def _add(report: Report, campaign: Campaign) -> None:
    found = campaign.findings
    report.kills, report.killed = campaign.killed.total(), dict(campaign.killed)
    for name in ("acked", "lost", "doubled", "state_mismatches", "ledger_mismatches", "failures"):
        setattr(report, name, getattr(report, name) + getattr(found, name))
    report.answered = sum(trader.answered for trader in campaign.traders)
    report.unknown = sum(trader.unknown for trader in campaign.traders)
    report.streams_parted, report.verified = campaign.watcher.parted, campaign.verified
    report.told = report.told + found.told


def main(arguments: list[str] | None = None) -> int:
    """The command line; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.system.faults", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, metavar="N", help="processes to kill (200)")
    parser.add_argument("--journal", type=int, default=20_000, metavar="N", help="journals to damage (20000)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32), metavar="S",
                        help="to repeat a campaign: same faults, same kills, though not at the same command")
    parser.add_argument("--json", action="store_true", help="print nothing but the last line")
    parsed = parser.parse_args(arguments)
    try:
        report = run(parsed.kills, parsed.journal, parsed.seed, _nothing if parsed.json else _line)
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
