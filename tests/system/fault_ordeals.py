"""What does not kill: servers that are slow, silent or gone, processes that stand still, a clock that steps, a rival.

One venue, whose Postgres lies behind a proxy and whose processes read a clock that can be stepped, goes through every
ordeal while customers trade, and is audited after each. `outage_seconds` says how long each of them lasts.
"""
import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable

from buttonwood.embedded import temporary_data_dir
from buttonwood.resolved import settings_file
from buttonwood.trading_client import TradingClient
from tests.support.postgres import PostgresServer
from tests.system.fault_campaign import SETTINGS, VICTIMS, Campaign, Say, customers
from tests.system.fault_clock import SteppedClock
from tests.system.running_venue import RunningVenue
from tests.system.stalling_proxy import StallingProxy

SOCKET = ".s.PGSQL.5432"
REFUSED = 3                 # status of a process that refuses to run
SLOW_SECONDS = 0.05         # for each piece of each direction
STEPS = (3.0, -3.0, -60.0, 60.0, 3600.0, -3600.0)
PROCESSES = [name for name in VICTIMS if name != "postgres"]
Ordeal = Callable[["Ordeals"], Awaitable[None]]


class Ordeals:
    """Each method is one; when it returns all is as before, but for what has been traded."""

    def __init__(self, campaign: Campaign, proxy: StallingProxy, server: PostgresServer, clock: SteppedClock,
                 outage_seconds: float) -> None:
        self.campaign, self._proxy, self._server, self._clock = campaign, proxy, server, clock
        self._outage = outage_seconds

    async def postgres_is_slow(self) -> None:
        """Every piece late, connections cut at any moment, then nothing for a while: nothing of it holds trading."""
        self._proxy.delay_seconds = SLOW_SECONDS
        await self._trade_on(self._outage / 3)
        for _ in range(3):
            self._proxy.cut()
            await self._trade_on(self._outage / 9)
        self._proxy.delay_seconds = 0.0
        self._proxy.stall()
        await self._trade_on(self._outage / 3)
        self._proxy.cut()
        self._proxy.resume()

    async def postgres_is_gone(self) -> None:
        """Stopped, for as long as it lasts."""
        await asyncio.to_thread(self._server.stop)
        await self._trade_on(self._outage)
        if await self.campaign.ledger("Postgres is gone") != -1:
            self.campaign.findings.tell("failures", "Postgres answers though it was stopped")
        await asyncio.to_thread(self._server.start)

    async def redis_is_gone(self) -> None:
        """Killed again as soon as the supervisor has started it, for as long as it lasts."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self._outage
        while loop.time() < end:
            with contextlib.suppress(AssertionError, ProcessLookupError):
                self.campaign.gone["redis"] = self.campaign.pid("redis")
                os.kill(self.campaign.gone["redis"], signal.SIGKILL)
            await asyncio.sleep(0.1)
        await self.campaign.heard(streams=False)

    async def processes_stand_still(self) -> None:
        """SIGSTOP and SIGCONT of each: nothing is lost, and what waits for it has bounds."""
        for name in PROCESSES:
            pid = self.campaign.pid(name)
            os.kill(pid, signal.SIGSTOP)
            try:
                if name == "exchange":
                    await asyncio.sleep(min(self._outage, 5.0))
                else:
                    await self._trade_on(self._outage / 3)
            finally:
                os.kill(pid, signal.SIGCONT)
            await self.campaign.settled(f"{name} stood still")
            assert self.campaign.pid(name) == pid, f"{name} was replaced though it only stood still"

    async def the_clock_steps(self) -> None:
        """Forward and back, by seconds and by an hour: time in the journal only rises, and everything goes on."""
        for seconds in STEPS:
            self._clock.step(seconds)
            async with TradingClient(self.campaign.venue.words["orders"]) as client:
                before = self._clock.time_ms()
                told: int = (await client.call("time"))["serverTime"]
                if not before <= told <= self._clock.time_ms():
                    self.campaign.findings.tell("failures", f"the exchange's clock shows {told}, stepped to {before}")
            await self.campaign.settled(f"the clock stepped by {seconds} s")

    async def a_second_exchange_comes(self) -> None:
        """On the same data directory: it refuses and says who is there."""
        command = [sys.executable, "-m", "buttonwood", "exchange", "--config", str(settings_file(self.campaign.config))]
        process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        _, errors = await process.communicate()
        told = f"in use by process {self.campaign.pid('exchange')}"
        if process.returncode != REFUSED or told not in errors.decode():
            self.campaign.findings.tell("failures", f"a second exchange: status {process.returncode}, "
                                        f"{errors.decode()[-500:]}")

    async def _trade_on(self, seconds: float) -> None:
        """At least so long, and until each customer has been answered meanwhile."""
        await asyncio.gather(asyncio.sleep(seconds), self.campaign.heard(streams=False))


ORDEALS: list[Ordeal] = [
    Ordeals.postgres_is_slow, Ordeals.postgres_is_gone, Ordeals.redis_is_gone, Ordeals.processes_stand_still,
    Ordeals.the_clock_steps, Ordeals.a_second_exchange_comes]


def ordeal_campaign(outage_seconds: float, seed: int, say: Say, ordeals: list[Ordeal] = ORDEALS) -> Campaign:
    """A venue of our own goes through these, is asked to end, and is proven at rest."""
    with temporary_data_dir() as folder, PostgresServer(fsync=False) as server:
        clock, sockets = SteppedClock(folder), folder / "sockets"
        sockets.mkdir()
        settings = f'{SETTINGS}postgres.dsn = "postgresql://postgres@/postgres?host={sockets}"\n'
        words, keys = customers(folder / "venue")
        proxy = StallingProxy(sockets / SOCKET, server.sockets / SOCKET)
        return asyncio.run(_through(RunningVenue(folder / "venue", *words, settings=settings, **clock.variables),
                                    proxy, server, clock, keys, outage_seconds, seed, say, ordeals))


async def _through(venue: RunningVenue, proxy: StallingProxy, server: PostgresServer, clock: SteppedClock,
                   keys: dict[int, tuple[str, str]], outage_seconds: float, seed: int, say: Say,
                   ordeals: list[Ordeal]) -> Campaign:
    async with proxy:
        await asyncio.to_thread(venue.__enter__)
        try:
            campaign = Campaign(venue, seed, say, clock.time_ms)
            stage = Ordeals(campaign, proxy, server, clock, outage_seconds)
            async with campaign.trading(keys):
                for ordeal in campaign.dice.sample(ordeals, len(ordeals)):
                    await ordeal(stage)
                    await campaign.settled(ordeal.__name__)
            await campaign.prove("after all ordeals")
            status = await asyncio.to_thread(venue.stop, signal.SIGTERM)
            if status:
                campaign.findings.tell("failures", f"up ended with status {status}")
        finally:
            await asyncio.to_thread(venue.__exit__, *sys.exc_info())
    return campaign
