"""Copies of a journal: sound, up to the last whole frame or a moment, refreshed without copying old segments again."""
import asyncio
from pathlib import Path

from buttonwood.journal_copy import copy_journal
from engine.journal_survey import check
from engine.service import Engine
from tests.engine.stage import config_for, credits, opened, send, write_frames


def test_a_living_journal_is_copied_and_the_copy_refreshed(tmp_path: Path):
    config, target = config_for(tmp_path / "venue"), tmp_path / "copy"

    async def story() -> None:
        async with opened(config) as engine:
            await trade(engine, 40)
            assert copy_journal(config.paths.journal, target) == 40
            assert check(target).last_seq == 40
            before = {path.name: path.stat().st_ino for path in target.glob("*.journal")}
            await trade(engine, 60)
            assert copy_journal(config.paths.journal, target) == 100
            assert check(target).last_seq == 100
            after = {path.name: path.stat().st_ino for path in target.glob("*.journal")}
            kept = [name for name in before if after[name] == before[name]]
            assert len(kept) == len(before) - 1 > 0 and len(after) > len(before)    # all but the one that grew

    asyncio.run(story())
    assert [path.name for path in target.glob("*.part")] == []


async def trade(engine: Engine, count: int) -> None:
    for _ in range(count):
        await send(engine, credits(1))


def test_a_torn_end_is_not_copied_and_the_copy_goes_on(tmp_path: Path):
    source, target = tmp_path / "journal", tmp_path / "copy"
    asyncio.run(write_frames(source, [3, 4]))
    last = max(source.glob("*.journal"))
    data = bytearray(last.read_bytes())
    data[-64:-56] = b"torn end"
    last.write_bytes(data)
    assert copy_journal(source, target) == 7
    assert check(target).torn_bytes == 0
    asyncio.run(write_frames(target, [2]))
    assert check(target).last_seq == 9


def test_a_moment_cuts_the_copy(tmp_path: Path):
    source = tmp_path / "journal"
    asyncio.run(write_frames(source, [3, 4, 5, 6] * 4))     # the time of a frame is its first number
    for until, last_seq in ((1, 3), (7, 7), (8, 12), (10**9, 72)):
        target = tmp_path / str(until)
        assert copy_journal(source, target, until) == last_seq
        assert check(target).last_seq == last_seq


def test_no_journal_is_an_empty_copy(tmp_path: Path):
    assert copy_journal(tmp_path / "none", tmp_path / "copy") == 0
