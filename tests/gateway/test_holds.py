"""Holds at the door of a real exchange: held money cannot be traded, each id works once, crashes change nothing."""
import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from engine.core.codes import EventKind
from tests.gateway.running import ALICE, BOB, Running, furnish, limit, running
from tests.support.waiting import until

HOLDS, USDT = 999, 2
UNIT = 10**8
Story = Callable[[Running], Awaitable[None]]


def tell(folder: Path, *stories: Story, **transfers: Any) -> None:
    """One after another on one venue, which is stopped and started again between them."""
    async def everything() -> None:
        for number, story in enumerate(stories):
            async with running(folder, transfers={"holds_account": HOLDS, "look_seconds": 0.02, **transfers}) as venue:
                if number == 0:
                    await furnish(venue)
                await story(venue)
    asyncio.run(asyncio.wait_for(everything(), 120))


async def hold(venue: Running, name: str, amount: str = "100", **more: Any) -> Any:
    return await venue.ok(0, "admin.hold.create", id=name, account=ALICE, asset="USDT", amount=amount, **more)


def has(venue: Running, account: int) -> int:
    return venue.core.balance(account, USDT)[0] // UNIT


def test_held_money_cannot_be_traded_and_is_posted_in_part(tmp_path: Path):
    async def story(venue: Running) -> None:
        assert (await hold(venue, "w-1", "999950"))["state"] == "HELD"
        assert (has(venue, ALICE), has(venue, HOLDS)) == (50, 999_950)
        status, body = await venue.call(ALICE, "order.place", **limit("BUY", "50000", "0.01"))
        assert (status, body["code"]) == (400, -2010)
        posted = await venue.ok(0, "admin.hold.post", id="w-1", amount="900000")
        assert (posted["state"], posted["posted"]) == ("POSTED", "900000.00000000")
        assert (has(venue, ALICE), has(venue, HOLDS)) == (100_000, 0)
        assert await venue.ok(0, "admin.hold.status", id="w-1") == posted
    tell(tmp_path, story)


def test_between_accounts_all_or_back(tmp_path: Path):
    async def story(venue: Running) -> None:
        await hold(venue, "a", beneficiary=BOB)
        await hold(venue, "b", beneficiary=BOB)
        await hold(venue, "c", beneficiary=BOB)
        assert has(venue, HOLDS) == 300
        assert (await venue.ok(0, "admin.hold.post", id="a"))["posted"] == "100.00000000"
        assert (await venue.ok(0, "admin.hold.post", id="b", amount="40"))["posted"] == "40.00000000"
        assert (await venue.ok(0, "admin.hold.void", id="c"))["state"] == "VOIDED"
        assert (has(venue, ALICE), has(venue, BOB), has(venue, HOLDS)) == (999_860, 1_000_140, 0)
        venue.core.check()
    tell(tmp_path, story)


def test_every_request_again_does_nothing_and_another_is_refused_also_after_a_restart(tmp_path: Path):
    async def first(venue: Running) -> None:
        for name in ("kept", "done"):
            await hold(venue, name)
        await venue.ok(0, "admin.hold.post", id="done", amount="60")

    async def again(venue: Running) -> None:
        before = venue.server.venue.engine.seq
        assert (await hold(venue, "kept"))["state"] == "HELD"
        assert (await hold(venue, "done"))["state"] == "POSTED"
        assert (await venue.ok(0, "admin.hold.post", id="done", amount="60"))["posted"] == "60.00000000"
        for method, params in (
                ("create", {"id": "kept", "account": ALICE, "asset": "USDT", "amount": "101"}),
                ("create", {"id": "kept", "account": BOB, "asset": "USDT", "amount": "100"}),
                ("post", {"id": "done", "amount": "59"}), ("void", {"id": "done"}),
                ("post", {"id": "kept", "amount": "101"})):
            status, body = await venue.call(0, f"admin.hold.{method}", **params)
            assert (status, body["code"]) == (409, -1130), (method, body)
        assert venue.server.venue.engine.seq == before
        assert (has(venue, ALICE), has(venue, HOLDS)) == (999_840, 100)

    async def end(venue: Running) -> None:
        await venue.ok(0, "admin.hold.void", id="kept")
        await venue.ok(0, "admin.hold.void", id="kept")
        assert (has(venue, ALICE), has(venue, HOLDS)) == (999_940, 0)
    tell(tmp_path, first, again, again, end)


def test_too_little_money_leaves_nothing_behind(tmp_path: Path):
    async def story(venue: Running) -> None:
        status, body = await venue.call(0, "admin.hold.create", id="x", account=ALICE, asset="USDT", amount="1000001")
        assert (status, body["code"]) == (400, -2010)
        assert (has(venue, ALICE), has(venue, HOLDS)) == (1_000_000, 0)
        assert (await hold(venue, "x"))["state"] == "HELD"      # the id was not used up
    tell(tmp_path, story)


def test_two_at_once_with_one_id_hold_once(tmp_path: Path):
    async def story(venue: Running) -> None:
        terms = {"id": "x", "account": ALICE, "asset": "USDT", "amount": "100"}
        answers = await asyncio.gather(*(venue.call(0, "admin.hold.create", **terms) for _ in range(5)))
        assert {status for status, _ in answers} <= {200, 503} and (200 in {status for status, _ in answers})
        assert has(venue, HOLDS) == 100
    tell(tmp_path, story)


def test_holds_expire_by_sequenced_commands_also_those_of_before_a_restart(tmp_path: Path):
    async def first(venue: Running) -> None:
        await hold(venue, "soon", until=int(time.time() * 1000) + 60)
        await hold(venue, "late", until=int(time.time() * 1000) + 10**7)
        await until(lambda: has(venue, HOLDS) == 100)
        assert (await venue.ok(0, "admin.hold.status", id="soon"))["state"] == "EXPIRED"
        status, body = await venue.call(0, "admin.hold.post", id="soon")
        assert (status, body["msg"]) == (409, "Hold soon: it is expired already")

    async def stopped_before(venue: Running) -> None:
        await hold(venue, "over", until=int(time.time() * 1000) - 1)
        assert has(venue, HOLDS) == 200

    async def later(venue: Running) -> None:
        await until(lambda: has(venue, HOLDS) == 100)
        assert (await venue.ok(0, "admin.hold.status", id="over"))["state"] == "EXPIRED"
        assert has(venue, ALICE) == 999_900
    tell(tmp_path, first)
    tell_again = {"look_seconds": 3600}

    async def more() -> None:
        for story, changed in ((stopped_before, tell_again), (later, {})):
            async with running(tmp_path, transfers={"holds_account": HOLDS, "look_seconds": 0.02, **changed}) as venue:
                await story(venue)
    asyncio.run(asyncio.wait_for(more(), 60))


def test_a_journal_cut_anywhere_holds_whole_steps_only(tmp_path: Path):
    """A crash leaves whole frames: after each, a transfer's money is in one place."""
    async def story(venue: Running) -> None:
        sums = []
        core, engine = venue.core, venue.server.venue.engine
        engine.listen(lambda frame, events: sums.append(
            (any(event.kind == EventKind.MONEY for event in events),
             sum(core.balance(account, USDT)[0] for account in (ALICE, BOB, HOLDS)))))
        await asyncio.gather(*(hold(venue, f"n{n}", beneficiary=BOB) for n in range(20)))
        await asyncio.gather(*(venue.ok(0, "admin.hold.post", id=f"n{n}", amount="70") for n in range(20)))
        assert {total // UNIT for moved, total in sums if moved} == {2_000_000}
        transfers = venue.server.venue.engine.transfers
        assert not transfers.held and sum(each.posted for each in transfers.known.values()) == 20 * 70 * UNIT
    tell(tmp_path, story)


@pytest.mark.parametrize(("params", "words"), [
    ({"id": "with space"}, "id"), ({"account": 77}, "account"), ({"beneficiary": ALICE}, "account"),
    ({"beneficiary": HOLDS}, "beneficiary"), ({"amount": "0"}, "amount"), ({"asset": "XYZ"}, "asset"),
    ({"amount": "-1"}, "amount"), ({"until": "soon"}, "until")])
def test_what_makes_no_sense_is_refused(params: dict[str, Any], words: str, tmp_path: Path):
    async def story(venue: Running) -> None:
        terms = {"id": "x", "account": ALICE, "asset": "USDT", "amount": "1"} | params
        status, body = await venue.call(0, "admin.hold.create", **terms)
        assert status == 400 and words in body["msg"]
    tell(tmp_path, story)


def test_limits_and_references(tmp_path: Path):
    async def story(venue: Running) -> None:
        await hold(venue, "one")
        status, body = await venue.call(0, "admin.hold.create", id="two", account=ALICE, asset="USDT", amount="1")
        assert status == 503 and "transfers_max" in body["msg"]
        status, body = await venue.call(0, "admin.debit", account=HOLDS, asset="USDT", amount="1", reference="void:one")
        assert status == 400 and "admin.hold" in body["msg"]
        status, body = await venue.call(0, "admin.hold.void", id="other")
        assert (status, body["msg"]) == (400, "There is no hold other.")
    tell(tmp_path, story, transfers_max=1)


def test_without_an_account_no_holds_are_offered(tmp_path: Path):
    async def story(venue: Running) -> None:
        status, body = await venue.call(0, "admin.hold.create", id="x", account=ALICE, asset="USDT", amount="1")
        assert status == 400 and "transfers.holds_account" in body["msg"]
    tell(tmp_path, story, holds_account=0)
