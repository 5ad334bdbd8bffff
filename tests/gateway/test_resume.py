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


@pytest.mark.parametrize("query", ["", "?timeUnit=MICROSECOND"])
def test_it_goes_on_after_the_exchange_was_started_again(tmp_path, query):
    """What happened while nobody read, before the end and after it, is told once, as it would have been."""
    async def story() -> None:
        async with running(tmp_path / "data") as venue:
            await furnish(venue)
            reader = Reader(venue)
            async with venue.client(ALICE, query) as witness:
                await witness.ok("userDataStream.subscribe.signature", resumeFrom=0)
                await _some_trading(venue, "a")
                reader.reports = _reports(await witness.settle())
            seen, keys = len(reader.reports), venue.keys
            async with venue.client(ALICE, query) as witness:   # one that does not read on where it was
                await witness.ok("userDataStream.subscribe.signature")
                await _some_trading(venue, "b")
                wanted = reader.reports + _reports(await witness.settle())
        async with running(tmp_path / "data") as venue:
            venue.keys |= keys
            async with venue.client(ALICE, query) as witness:
                await witness.ok("userDataStream.subscribe.signature")
                await _some_trading(venue, "c")
                wanted += _reports(await witness.settle())
            reader.venue = venue
            await reader.until(len(wanted), query)
            assert reader.answers == [True] and len(wanted) > seen + 8
            told, named = (sorted(row["c"] for row in rows if row["x"] == "CANCELED") for rows in (
                reader.reports[seen:], wanted[seen:]))
            assert len(told) == len(named) and told != named    # the names of cancels did not outlive the process
            for row in (*reader.reports, *wanted):
                if row["x"] == "CANCELED":
                    row.pop("c", None)
            assert reader.reports == wanted
            async with venue.client(ALICE, query) as alice:
                again = await alice.ok("userDataStream.subscribe.signature", resumeFrom=1)
                assert again["resumed"] is False
    asyncio.run(story())


def test_after_a_start_that_tells_less_it_begins_anew(tmp_path):
    """The execution lies before what is told again; and a file that is no file of ours is passed over."""
    async def story() -> None:
        keys: dict[int, Any] = {}
        last = 0
        for part in range(3):
            async with running(tmp_path / "data", snapshots={"told_commands": 1}) as venue:
                if part == 0:
                    await furnish(venue)
                venue.keys |= keys
                keys = venue.keys
                async with venue.client(ALICE) as alice:
                    answer = await alice.ok("userDataStream.subscribe.signature", resumeFrom=last)
                    assert answer["resumed"] is False
                    await _some_trading(venue, f"p{part}")
                    last = _reports(await alice.settle())[0]["I"]
            if part == 1:
                (tmp_path / "data" / "resume_accounts.json").write_text("{")
    asyncio.run(story())


async def _some_trading(venue: Running, name: str) -> None:
    """Of every kind of report: orders that rest, trade, shrink, are replaced, prevented, canceled, set off."""
    async with venue.client(ALICE) as alice, venue.client(BOB) as bob:
        await alice.ok("order.place", **limit("BUY", "100", "0.3", newClientOrderId=name))
        await bob.ok("order.place", **limit("SELL", "100", "0.2"))
        await alice.ok("order.amend.keepPriority", symbol="BTCUSDT", origClientOrderId=name, newQty="0.25")
        await alice.ok("order.place", **limit("SELL", "100", "0.1", selfTradePreventionMode="EXPIRE_BOTH"))
        stop = {"type": "STOP_LOSS_LIMIT", "stopPrice": "99", "newClientOrderId": f"{name}-stop"}
        await alice.ok("order.place", **limit("SELL", "98", "0.2") | stop)
        await alice.ok("order.place", **limit("BUY", "97", "0.5", newClientOrderId=f"{name}-2"))
        await bob.ok("order.place", **limit("SELL", "97", "0.2"))
        await alice.ok("order.cancel", symbol="BTCUSDT", origClientOrderId=f"{name}-2")
        await alice.ok("openOrders.cancelAll", symbol="BTCUSDT")
        await bob.call("openOrders.cancelAll", symbol="BTCUSDT")


def _reports(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row["event"] for row in messages if row["event"]["e"] == "executionReport"]


def test_a_log_keeps_within_its_bytes():
    """Whatever it is fed, and what it has is the newest."""
    log = ResumeLog(1000)
    for number in range(1, 500):
        log.add(number, bytes(number % 300 + 1), b"")
        kept = [known for known in range(1, number + 1) if log.since(known, False) is not None]
        assert kept == list(range(kept[0], number + 1) if kept else [])
        assert sum(known % 300 + 1 for known in kept) <= 1000 and log.since(0, False) is None
