"""Private events that go on after a lost connection: no report missing, none twice, or told that it begins anew."""
import asyncio
import itertools
import json
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from gateway.resume_log import ResumeLog
from tests.gateway.running import ALICE, BOB, Client, Running, furnish, limit, running
from tests.support.waiting import STORY_SECONDS_MAX, until


def with_venue(tmp_path: Path, story: Callable[[Running], Awaitable[None]], **limits: Any) -> None:
    async def run() -> None:
        async with running(tmp_path / "data", limits=limits) as venue, asyncio.timeout(STORY_SECONDS_MAX):
            await furnish(venue)
            await story(venue)
    asyncio.run(run())


class Reader:
    """Reads the account's events on one connection after another, each cut without warning."""

    def __init__(self, venue: Running) -> None:
        self.venue = venue
        self.reports: list[dict[str, Any]] = []
        self.answers: list[bool] = []

    async def until(self, count: int, query: str = "") -> None:
        """One connection, until so many reports have come in all."""
        async with connect(self.venue.server.url + query, compression=None) as socket:
            last = self.reports[-1]["I"] if self.reports else 0
            client = Client(socket, self.venue.keys[ALICE])
            self.answers.append((await client.ok("userDataStream.subscribe.signature", resumeFrom=last))["resumed"])
            for message in client.events:
                self._take(message)
            try:
                while len(self.reports) < count:
                    self._take(json.loads(await socket.recv()))
            except ConnectionClosed:
                return
            socket.transport.abort()

    def _take(self, message: dict[str, Any]) -> None:
        if message["event"]["e"] == "executionReport":
            self.reports.append(message["event"])


@pytest.mark.parametrize("query", ["", "?timeUnit=MICROSECOND"])
def test_no_report_is_missing_and_none_comes_twice(tmp_path, query):
    """Eight connections that are cut at any moment, while orders rest, trade and are cancelled."""
    async def story(venue: Running) -> None:
        reader, choose, enough = Reader(venue), random.Random(3), asyncio.Event()
        async with venue.client(ALICE, query) as witness:
            await witness.ok("userDataStream.subscribe.signature")

            async def trade() -> None:
                for number in itertools.takewhile(lambda _: not enough.is_set(), itertools.count()):
                    await venue.call(ALICE, "order.place", **limit("BUY", "100", "0.3", newClientOrderId=f"a{number}"))
                    if number % 2:
                        await venue.call(BOB, "order.place", **limit("SELL", "100", "0.2"))
                    if number % 5 == 0:
                        await venue.call(ALICE, "openOrders.cancelAll", symbol="BTCUSDT")
            reading = asyncio.create_task(reader.until(1, query))
            await until(lambda: ALICE in venue.server.venue.streams.subscribers and reader.answers)
            work = asyncio.create_task(trade())
            await reading
            for _ in range(8):
                await reader.until(len(reader.reports) + choose.randint(1, 30), query)
            enough.set()
            await work
            wanted = [row["event"] for row in await witness.settle() if row["event"]["e"] == "executionReport"]
            await reader.until(len(wanted), query)
            assert reader.reports == wanted and reader.answers == [False] + 9 * [True]
    with_venue(tmp_path, story)


def test_what_is_not_known_begins_anew(tmp_path):
    """An execution that never was, one that is forgotten, and an account whose log was given up."""
    async def story(venue: Running) -> None:
        async with venue.client(ALICE) as alice:
            first = await alice.ok("userDataStream.subscribe.signature", resumeFrom=0)
            assert first == {"subscriptionId": 0, "resumed": False}
            await alice.ok("order.place", **limit("BUY", "100", "0.3"))
            early = next(row["event"]["I"] for row in await alice.settle())
            for _ in range(40):
                await alice.ok("order.place", **limit("BUY", "100", "0.3"))
            late = [row["event"]["I"] for row in await alice.settle() if "I" in row["event"]][-1]
            for known, answer in ((early, False), (12345, False), (late, True)):
                async with venue.client(ALICE) as other:
                    again = await other.ok("userDataStream.subscribe.signature", resumeFrom=known)
                    assert again == {"subscriptionId": 0, "resumed": answer}, known
        streams = venue.server.venue.streams
        await until(lambda: not streams.subscribers.get(ALICE))
        async with venue.client(BOB) as bob:
            await bob.ok("userDataStream.subscribe.signature", resumeFrom=0)
            assert list(streams.subscribers) == [BOB]   # room for one log: ALICE's was waiting
            async with venue.client(ALICE) as alice:
                await alice.ok("userDataStream.subscribe.signature", resumeFrom=late)
                await alice.ok("order.place", **limit("BUY", "100", "0.3"))
                assert len(await alice.settle()) == 2   # no room, but the stream is there
            await until(lambda: list(streams.subscribers) == [BOB])
        await until(lambda: not streams.subscribers)    # its time is over
        async with venue.client(ALICE) as alice:
            assert (await alice.error("userDataStream.subscribe.signature", resumeFrom="x"))[1] == -1100
    with_venue(tmp_path, story, resume_accounts_max=1, resume_account_bytes_max=8192, resume_seconds=2.0)


def test_a_log_keeps_within_its_bytes():
    """Whatever it is fed, and what it has is the newest."""
    log = ResumeLog(1000)
    for number in range(1, 500):
        log.add(number, bytes(number % 300 + 1), b"")
        kept = [known for known in range(1, number + 1) if log.since(known, False) is not None]
        assert kept == list(range(kept[0], number + 1) if kept else [])
        assert sum(known % 300 + 1 for known in kept) <= 1000 and log.since(0, False) is None
