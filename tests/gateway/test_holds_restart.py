"""Holds across a start from a snapshot: all of them are known, as before, and each step still happens once."""
import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from engine.snapshot_file import list_snapshots, read_snapshot, write_snapshot
from engine.snapshot_shell import SHELL
from engine.transfers import State
from tests.gateway.running import ALICE, BOB, Running, furnish, running
from tests.support.waiting import STORY_SECONDS_MAX, until
from workers.snapshots import Snapshots

HOLDS, USDT, UNIT = 999, 2, 10**8
AT_STOP = {"told_commands": 1}
BY_ROLE = {"told_commands": 1, "stop_orders_max": 0}


def settings(snapshots: dict[str, int], look_seconds: float = 3600) -> dict[str, Any]:
    return {"transfers": {"holds_account": HOLDS, "look_seconds": look_seconds}, "snapshots": snapshots}


async def hold(venue: Running, name: str, **more: Any) -> Any:
    return await venue.ok(0, "admin.hold.create", id=name, account=ALICE, asset="USDT", amount="100", beneficiary=BOB,
                          **more)


async def lives(venue: Running) -> None:
    """One hold in each state, one whose time has come, and one more that is just held."""
    await furnish(venue)
    for name in ("posted", "part", "voided", "held", "open"):
        await hold(venue, name)
    await hold(venue, "due", until=int(time.time() * 1000) - 1)
    await venue.ok(0, "admin.hold.post", id="posted")
    await venue.ok(0, "admin.hold.post", id="part", amount="30")
    await venue.ok(0, "admin.hold.void", id="voided")


async def write_by_role(venue: Running) -> None:
    """What the worker role writes at a mark; then one more hold, which lies behind the snapshot."""
    config = venue.server.venue.config
    role = asyncio.create_task(Snapshots(config).run())
    await venue.ok(0, "admin.snapshot")
    await until(lambda: list_snapshots(config.paths.snapshots))
    role.cancel()
    await asyncio.wait([role])
    await hold(venue, "later")
    await venue.ok(0, "admin.hold.post", id="open", amount="10")


async def shown(venue: Running) -> dict[str, Any]:
    return {name: await venue.ok(0, "admin.hold.status", id=name) for name in venue.server.venue.engine.transfers.known}


def balances(venue: Running) -> list[int]:
    return [venue.core.balance(account, USDT)[0] // UNIT for account in (ALICE, BOB, HOLDS)]


def tell(story: Any) -> None:
    asyncio.run(asyncio.wait_for(story, STORY_SECONDS_MAX))


@pytest.mark.parametrize("snapshots", [AT_STOP, BY_ROLE], ids=["at the stop", "by the role"])
def test_holds_are_as_before_and_every_step_works_once(snapshots: dict[str, int], tmp_path: Path) -> None:
    async def story() -> None:
        async with running(tmp_path, **settings(snapshots)) as venue:
            await lives(venue)
            if snapshots is BY_ROLE:
                await write_by_role(venue)
            before, money = await shown(venue), balances(venue)
        async with running(tmp_path, **settings(snapshots)) as venue:
            engine = venue.server.venue.engine
            assert engine.recovered.loaded_seq > 0
            assert (await shown(venue), balances(venue)) == (before, money)
            for name in before:     # again: answered, nothing done
                until_ms = {"until": before[name]["until"]} if before[name]["until"] else {}
                assert await hold(venue, name, **until_ms) == before[name]
            assert balances(venue) == money
            for _ in range(2):
                assert (await venue.ok(0, "admin.hold.post", id="held", amount="60"))["posted"] == "60.00000000"
            assert balances(venue) == [money[0] + 40, money[1] + 60, money[2] - 100]
            status, body = await venue.call(0, "admin.hold.void", id="posted")
            assert (status, body["code"]) == (409, -1130)
            after = await shown(venue)
        async with running(tmp_path, **settings(snapshots, look_seconds=0.02)) as venue:
            transfers = venue.server.venue.engine.transfers
            await until(lambda: transfers.known["due"].state is State.EXPIRED)
            assert {**after, "due": None} == {**await shown(venue), "due": None}
            assert balances(venue)[2] == money[2] - 200
    tell(story())


def without_shell(path: Path) -> None:
    """As an older version wrote it."""
    snapshot = read_snapshot(path)
    write_snapshot(path.parent, snapshot.header, [each for each in snapshot.sections if each[0] < SHELL])


def test_a_snapshot_of_before_is_passed_over_for_the_whole_journal(
    tmp_path: Path, caplog: pytest.LogCaptureFixture,
) -> None:
    async def story() -> None:
        async with running(tmp_path, **settings(AT_STOP)) as venue:
            await lives(venue)
            before = await shown(venue)
        without_shell(list_snapshots(tmp_path / "snapshots")[-1][1])
        async with running(tmp_path, **settings(AT_STOP)) as venue:
            assert venue.server.venue.engine.recovered.loaded_seq == 0
            assert await shown(venue) == before
            await hold(venue, "more")
        async with running(tmp_path, **settings(AT_STOP)) as venue:
            assert venue.server.venue.engine.recovered.loaded_seq > 0   # the last stop wrote a new one
    tell(story())
    assert "without the transfers" in caplog.text
