"""A running venue with customers, and the audit after each fault; what the faults are is in the modules that use it.

`settled` waits until every process runs again, each customer is answered, the streams are heard and the ledger has
caught up, and then audits: every answer is in the journal once, the running exchange's state is that of our own replay,
no fill is missing or doubled in Postgres.
"""
import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import asyncpg

from buttonwood.embedded import prepare
from buttonwood.resolved import running_settings
from engine.config import Config, load_config
from gateway.keys import make_key
from tests.system.fault_audit import Auditor, Findings
from tests.system.fault_holds import HOLDS_ACCOUNT, Custodian
from tests.system.fault_streams import Watcher
from tests.system.fault_traders import Trader, listing, machine_ms
from tests.system.running_venue import RunningVenue, verify

VICTIMS = {"exchange": ["exchange"], "ledger": ["worker", "ledger"], "market-data": ["worker", "market_data"],
           "feed": ["buttonwood feed"], "rest": ["buttonwood rest"], "postgres": ["postgres", "-D"], "redis": ["redis"],
           "snapshots": ["worker", "snapshots"]}
ACCOUNTS = range(2, 6)
USDT = 1
RECOVERY_SECONDS_MAX = 120.0
LOOK_SECONDS = 0.05
SETTINGS = f"""
supervisor.restarts_max = 1000000
supervisor.healthy_seconds = 0.5
supervisor.restart_seconds_max = 0.2
snapshots.commands = 100
snapshots.told_commands = 200
transfers.holds_account = {HOLDS_ACCOUNT}
"""
Say = Callable[[str], None]


class Campaign:
    """Customers, watcher and auditor of one running venue."""

    def __init__(self, venue: RunningVenue, seed: int, say: Say, clock_ms: Callable[[], int] | None = None) -> None:
        """clock_ms: what the venue's clock shows, if it is not this machine's."""
        self.findings, self.verified = Findings(told=[]), 0
        self.venue, self.dice, self.say = venue, random.Random(seed), say
        config = running_settings(load_config(data_dir=str(venue.data_dir)))
        assert config is not None
        self.config: Config = config
        self.auditor = Auditor(config.paths.journal, config.paths.door, self.findings)
        self.traders = list[Trader]()
        self.watcher = Watcher(venue.words["streams"])
        self.custodian = Custodian(config.paths.door, self.dice.getrandbits(32), list(ACCOUNTS), clock_ms or machine_ms)
        self.gone: dict[str, int] = {}      # killed and not yet replaced: name, pid
        self.tasks: list[asyncio.Task[None]] = []
        self._clock_ms = clock_ms

    @contextlib.asynccontextmanager
    async def trading(self, keys: dict[int, tuple[str, str]]) -> AsyncIterator[None]:
        """Customers trade within the block; then what they were told is settled and counted once more."""
        url = self.venue.words["orders"]
        self.traders = [Trader(url, *key, account, self.dice.getrandbits(32), self._clock_ms)
                        for account, key in keys.items()]
        self.tasks = [asyncio.create_task(each.run()) for each in (*self.traders, self.watcher, self.custodian)]
        try:
            await self.settled("start")
            yield
        finally:
            for task in self.tasks:
                task.cancel()
            await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.custodian.end_all()
        await self._audit("end")
        self.auditor.count_doubles()
        if left := self.auditor.holds.left(self.auditor.core, USDT):
            self.findings.tell("failures", f"end: {left}")
        for wrong in self.watcher.wrong:
            self.findings.tell("failures", wrong)

    async def prove(self, where: str) -> None:
        """Run `buttonwood verify` beside everything."""
        self.verified += 1
        try:
            await asyncio.to_thread(verify, self.venue.data_dir)
        except AssertionError as error:
            self.findings.tell("ledger_mismatches", f"{where}: verify: {str(error)[:500]}")

    def pid(self, name: str) -> int:
        """Of one of the VICTIMS. Raises AssertionError while it is away."""
        return self.venue.part(*VICTIMS[name]).pid

    def _replaced(self) -> bool:
        """Whether every process that was killed runs again under another number."""
        for name, pid in list(self.gone.items()):
            with contextlib.suppress(AssertionError):
                if self.pid(name) != pid:
                    del self.gone[name]
        return not self.gone

    async def settled(self, where: str) -> None:
        """Everybody goes on, then audit. What does not go on is a failure, and the campaign goes on."""
        begin = time.monotonic()
        try:
            async with asyncio.timeout(RECOVERY_SECONDS_MAX):
                await self.until(self._replaced)
                await self.heard()
                await self._caught_up(where)
        except TimeoutError:
            self.findings.tell("failures", f"{where}: not all went on within {RECOVERY_SECONDS_MAX} s, without "
                               f"{list(self.gone)}, {self.watcher.heard} messages of streams")
        self.say(f"{where}: all on again after {time.monotonic() - begin:.2f} s, command {self.auditor.core.seq}, "
                 f"{self.findings.acked} answers settled")

    async def heard(self, streams: bool = True) -> None:
        """Each customer is answered once more, and the streams tell something more."""
        answered, heard = [trader.answered for trader in self.traders], self.watcher.heard
        await self.until(lambda: (not streams or self.watcher.heard > heard) and all(
            trader.answered > before for trader, before in zip(self.traders, answered, strict=True)))

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait while `up` and all customers go on. Raises AssertionError when one of them has ended."""
        while not condition():
            assert not any(task.done() for task in self.tasks), self.tasks
            assert self.venue.process.poll() is None, "up has ended"
            await asyncio.sleep(LOOK_SECONDS)

    async def _caught_up(self, where: str) -> None:
        """Audit, then wait for the ledger to reach what was audited."""
        goal, position = 0, -1
        while not goal or position < goal:
            goal = goal or await self._audit(where)
            position = await self.ledger(where)
            await asyncio.sleep(LOOK_SECONDS)

    async def _audit(self, where: str) -> int:
        """State and answers; 0 when the exchange is away."""
        acks = [(trader, len(trader.acks)) for trader in self.traders]
        told = len(self.custodian.told)
        try:
            seq = await self.auditor.look(where)
        except ConnectionError:
            return 0
        for trader, count in acks:      # those given before we looked
            self.auditor.settle(trader.acks[:count])
            del trader.acks[:count]
        self.auditor.settle_holds(self.custodian.told[:told])
        del self.custodian.told[:told]
        return seq

    async def ledger(self, where: str) -> int:
        """The ledger's position; -1 while Postgres is away."""
        try:
            return await self.auditor.ledger(self.config.postgres.dsn, where)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, ConnectionError):
            return -1


def customers(data_dir: Path) -> tuple[list[str], dict[int, tuple[str, str]]]:
    """Words for `up` that list instruments and accounts, and the accounts' keys."""
    file = data_dir.with_name("listing.toml")
    file.write_text(listing(ACCOUNTS))
    config = load_config(data_dir=str(data_dir))
    prepare(config)     # the keys must not be the first to make the folder: the servers' users must get in
    made = {account: make_key(config.paths.keys, account) for account in ACCOUNTS}
    return ["--listing", str(file)], {account: (key.api_key, key.secret) for account, key in made.items()}
