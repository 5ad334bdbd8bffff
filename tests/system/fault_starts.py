"""`up` is interrupted at a step of its start, often, on one data directory; then it starts, and all is there once.

SIGINT and SIGTERM leave nothing running; what SIGKILL leaves ends by itself or at the next start. An interrupted
listing must neither be missing nor be booked twice.
"""
import asyncio
import contextlib
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from buttonwood.embedded import temporary_data_dir
from buttonwood.trading_client import TradingClient
from tests.support.waiting import SECONDS_MAX, wait_until
from tests.system.fault_audit import Findings
from tests.system.fault_campaign import SETTINGS, VICTIMS, Say, customers
from tests.system.fault_traders import BALANCES, SYMBOLS
from tests.system.running_venue import RunningVenue, alive, verify

STEPS = ["at once", "postgres", "redis", "exchange", "ledger", "market-data", "rest", "in a moment"]
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGKILL]


class Starts:
    """Interrupts one venue; `findings.failures` counts what was not as promised."""

    def __init__(self, folder: Path, seed: int, say: Say) -> None:
        self.findings, self.interrupted = Findings(told=[]), 0
        self._dice, self._say = random.Random(seed), say
        words, self._keys = customers(folder / "venue")
        self._make: Callable[[], RunningVenue] = lambda: RunningVenue(folder / "venue", *words, settings=SETTINGS)
        self._left: list[psutil.Process] = []       # by a supervisor that was killed

    def run(self, interruptions: int) -> None:
        """So many, each step and signal in turn in a random order; then a whole start."""
        deck: list[tuple[str, signal.Signals]] = []
        for _ in range(interruptions):
            deck = deck or self._dice.sample([(step, number) for step in STEPS for number in SIGNALS], 24)
            self._interrupt(*deck.pop())
        with self._make() as venue:
            self._judge(not [process for process in self._left if alive(process)], "a killed venue's processes run on")
            asyncio.run(self._all_there_once(venue))
        verify(venue.data_dir)

    def _interrupt(self, step: str, number: signal.Signals) -> None:
        venue, where = self._make(), f"up interrupted by {number.name} at step: {step}"
        venue.launch()
        self._wait_for(venue, step)
        begun = self._family(venue)
        family = [*begun, *filter(alive, self._left)]
        os.kill(venue.process.pid, number)
        status = venue.process.wait(SECONDS_MAX)
        output = venue.output()
        self.interrupted += 1
        self._say(f"{where}: status {status}, {len(family)} processes ran")
        if number is signal.SIGKILL:
            self._left = family
            return
        allowed = (0,) if begun else (0, -number)      # before it has begun anything it may not listen to signals yet
        self._judge(status in allowed, f"{where}: status {status}, {output}")
        self._judge(not [process for process in begun if alive(process)], f"{where}: {begun} run on")

    def _wait_for(self, venue: RunningVenue, step: str) -> None:
        """Until this process has been started, or the venue is ready."""
        if step == "in a moment":
            time.sleep(self._dice.uniform(0, 3))
        elif step != "at once":
            wait_until(lambda: venue.process.poll() is not None or self._runs(venue, step), pause_seconds=0.003)

    def _runs(self, venue: RunningVenue, step: str) -> bool:
        with contextlib.suppress(AssertionError, psutil.NoSuchProcess):
            return bool(venue.part(*VICTIMS[step]).pid)
        return False

    def _family(self, venue: RunningVenue) -> list[psutil.Process]:
        with contextlib.suppress(psutil.NoSuchProcess):
            return venue.family()
        return []

    async def _all_there_once(self, venue: RunningVenue) -> None:
        for account, (key, secret) in self._keys.items():
            async with TradingClient(venue.words["orders"], key, secret) as client:
                listed = await client.call("exchangeInfo")
                status = await client.request("account.status")
            found = {row["asset"]: (float(row["free"]), float(row["locked"])) for row in status["balances"]}
            self._judge(found == {asset: (float(amount), 0.0) for asset, amount in BALANCES.items()},
                        f"account {account} has {found}")
            self._judge([row["symbol"] for row in listed["symbols"]] == list(SYMBOLS), f"listed: {listed['symbols']}")

    def _judge(self, right: bool, story: str) -> None:
        if not right:
            self.findings.tell("failures", story)


def start_campaign(interruptions: int, seed: int, say: Say) -> Starts:
    """A venue of our own, interrupted so often, then started for good."""
    with temporary_data_dir() as folder:
        starts = Starts(folder, seed, say)
        starts.run(interruptions)
        return starts
