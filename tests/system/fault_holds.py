"""A custodian who holds customers' money and posts, voids or lets expire each hold, while processes are killed.

Every step is asked for until it is answered, now and then once more. What was answered is held beside the journal:
each hold began once, ended at most once, and as it was answered; at the end none is left and nobody's money is.
"""
import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from engine.core.codes import EventKind
from engine.core.exchange import Exchange
from engine.core.unpack import Event
from engine.transfers import REFERENCE, Transfers
from gateway.door_client import DoorClient

HOLDS_ACCOUNT = 99
HELD_MAX = 20
PAUSE_SECONDS = 0.01
UNTIL_MS = 500
_USDT_UNITS = 10**8
_AGAIN = 0.3            # chance that a step is asked for once more


class Told(msgspec.Struct, frozen=True):
    """An answer: the hold as the venue showed it."""

    id: str
    state: str
    account: int
    beneficiary: int
    amount: str
    posted: str


class Custodian:
    """On the exchange's door. `told` is taken away by the auditor."""

    def __init__(self, door: Path, seed: int, accounts: list[int], clock_ms: Callable[[], int]) -> None:
        """clock_ms: the venue's."""
        self.told: list[Told] = []
        self.ended = 0
        self._path, self._accounts, self._clock_ms = door, accounts, clock_ms
        self._dice, self._made = random.Random(seed), 0
        self._held: list[str] = []

    async def run(self) -> None:
        """Until cancelled, and then there may be some left."""
        async with self._door() as door:
            while True:
                if len(self._held) >= HELD_MAX or (self._held and self._dice.random() < 0.5):
                    await self._end(door, self._dice.choice(self._held))
                else:
                    await self._begin(door)
                await asyncio.sleep(PAUSE_SECONDS)

    async def end_all(self) -> None:
        """None is left."""
        async with self._door() as door:
            while self._held:
                await self._end(door, self._held[0])

    @contextlib.asynccontextmanager
    async def _door(self) -> Any:
        door = await DoorClient.connect(self._path, timeout_s=None, reply_seconds_max=5.0)
        try:
            yield door
        finally:
            await door.close()

    async def _begin(self, door: DoorClient) -> None:
        account, other = self._dice.sample(self._accounts, 2)
        self._made += 1
        terms: dict[str, Any] = {"id": f"f{self._made}", "account": account, "asset": "USDT",
                                 "amount": str(self._dice.randint(1, 50)), "beneficiary": self._dice.choice((0, other))}
        if self._dice.random() < 0.2:
            terms["until"] = self._clock_ms() + UNTIL_MS
        self._held.append(terms["id"])      # from now on it may be there, answered or not
        await self._step(door, "admin.hold.create", terms)

    async def _end(self, door: DoorClient, name: str) -> None:
        if self._dice.random() < 0.5:
            await self._step(door, "admin.hold.void", {"id": name})
        else:
            await self._step(door, "admin.hold.post", {"id": name} | (
                {"amount": "1"} if self._dice.random() < 0.5 else {}))
        await self._step(door, "admin.hold.status", {"id": name})      # it may have expired before
        self._held.remove(name)
        self.ended += 1

    async def _step(self, door: DoorClient, method: str, params: dict[str, Any]) -> None:
        for _ in range(2 if self._dice.random() < _AGAIN else 1):
            status = 503
            while status >= 429:
                status, body = await door.call(0, method, params)
                if status >= 429:
                    await asyncio.sleep(PAUSE_SECONDS)
            if status == 200:
                self.told.append(msgspec.json.decode(body, type=Told))


class HoldsAudit:
    """From the events of the auditor's replay."""

    def __init__(self) -> None:
        self._transfers = Transfers()
        self._steps: Counter[tuple[bool, str]] = Counter()      # whether it began, id

    def note(self, events: list[Event]) -> None:
        """Events of applied commands, in order, each once."""
        self._transfers.apply(events)
        for event in events:
            found = REFERENCE.fullmatch(event.text) if event.kind == EventKind.MONEY and event.amount < 0 else None
            if found:
                self._steps[found[1] == b"hold", found[2].decode()] += 1

    def lacks(self, told: Told) -> str:
        """What of an answer the journal does not have; empty when all is there."""
        known = self._transfers.known.get(told.id)
        if known is None:
            return "the journal does not know it"
        terms = known.account, known.beneficiary, known.amount
        same = terms == (told.account, told.beneficiary, _units(told.amount))
        ended = told.state == "HELD" or (known.state.name, known.posted) == (told.state, _units(told.posted))
        return "" if same and ended else f"the journal has {known}"

    def doubles(self) -> list[str]:
        """Holds that began or ended more than once."""
        return [f"{times} times {'begun' if began else 'ended'}: hold {name}"
                for (began, name), times in self._steps.items() if times > 1]

    def left(self, core: Exchange, asset: int) -> str:
        """After the last hold has ended: what is held all the same; empty when nothing is."""
        if core.account_status(HOLDS_ACCOUNT) < 0:
            return ""
        money, held = core.balance(HOLDS_ACCOUNT, asset)[0], len(self._transfers.held)
        return f"{held} holds, {money} units on the holds account" if held or money else ""


def _units(text: str) -> int:
    return round(float(text) * _USDT_UNITS)
