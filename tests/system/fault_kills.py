"""kill -9 at random of every process of a venue, one or more at a time, while customers trade.

Exchange and snapshots role die while a snapshot is being written, as far as one comes in time.
"""
import asyncio
import os
import signal
import time
from collections import Counter
from pathlib import Path

from buttonwood.embedded import temporary_data_dir
from tests.system.fault_campaign import SETTINGS, VICTIMS, Campaign, Say, customers
from tests.system.running_venue import RunningVenue

VERIFY_EVERY = 25
WRITERS = ("snapshots", "exchange")
DRAFT_SECONDS_MAX = 3.0     # for the next snapshot to begin
SECOND_KILL = 0.4           # chance of another kill before the first one is recovered from


class Kills:
    """Deals out so many kills; `killed` counts them by kind of process."""

    def __init__(self, campaign: Campaign) -> None:
        self.killed = Counter[str]()
        self.in_snapshot = 0                # kills while a snapshot was being written
        self._campaign = campaign
        self._deck: list[str] = []          # each kind of process once, then all again in another order

    async def run(self, kills: int) -> None:
        """So many, each audited."""
        campaign, dice = self._campaign, self._campaign.dice
        while self.killed.total() < kills:
            await asyncio.sleep(dice.uniform(0, 0.5))
            where = await self._kill()
            while self.killed.total() < kills and dice.random() < SECOND_KILL:
                await asyncio.sleep(dice.uniform(0, 1.5))
                where += " " + await self._kill()
            await campaign.settled(f"kill {self.killed.total()} {where}")
            if self.killed.total() // VERIFY_EVERY > campaign.verified:
                await campaign.prove(f"kill {self.killed.total()}")

    async def _kill(self) -> str:
        """End one process of the venue, or none when it is away just now."""
        self._deck = self._deck or self._campaign.dice.sample(list(VICTIMS), len(VICTIMS))
        name = self._deck.pop()
        try:
            pid = self._campaign.pid(name)
            if name in WRITERS:
                self.in_snapshot += await asyncio.to_thread(self._kill_in_snapshot, pid)
            else:
                os.kill(pid, signal.SIGKILL)
        except (AssertionError, ProcessLookupError):
            self._deck.insert(0, name)
            return f"({name} was away)"
        self.killed[name] += 1
        self._campaign.gone[name] = pid
        return name

    def _kill_in_snapshot(self, pid: int) -> bool:
        """As soon as a new snapshot is being written, which takes few milliseconds; whether that was so in time."""
        folder, end = self._campaign.config.paths.snapshots, time.monotonic() + DRAFT_SECONDS_MAX
        old, new = _drafts(folder), set[str]()
        while not new and time.monotonic() < end:
            time.sleep(0.0003)
            new = _drafts(folder) - old
        os.kill(pid, signal.SIGKILL)
        return bool(new)


def _drafts(folder: Path) -> set[str]:
    try:
        return {name for name in os.listdir(folder) if name.endswith(".tmp")}
    except FileNotFoundError:
        return set()


def kill_campaign(kills: int, seed: int, say: Say) -> tuple[Campaign, Counter[str]]:
    """A venue of our own, killed so often, then asked to end, then proven at rest."""
    async def trade(campaign: Campaign, keys: dict[int, tuple[str, str]]) -> Counter[str]:
        deal = Kills(campaign)
        async with campaign.trading(keys):
            await deal.run(kills)
        say(f"{deal.in_snapshot} kills while a snapshot was written, {campaign.custodian.ended} holds have ended")
        return deal.killed

    with temporary_data_dir() as folder:
        words, keys = customers(folder / "venue")
        with RunningVenue(folder / "venue", *words, settings=SETTINGS) as venue:
            campaign = Campaign(venue, seed, say)
            killed = asyncio.run(trade(campaign, keys))
            if venue.stop(signal.SIGTERM):
                campaign.findings.tell("failures", f"up ended with status {venue.process.returncode}")
        asyncio.run(campaign.prove("at rest"))
        return campaign, killed
