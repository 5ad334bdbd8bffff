"""Snapshot files and recovery from them: every byte checked, faults passed over or refused, nothing lost."""
import errno
import itertools
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.config import Config
from engine.core.exchange import Exchange
from engine.errors import JournalError, SnapshotDamaged, SnapshotRefused
from engine.journal import read_frames
from engine.positions import tell_position
from engine.recovery import recover
from engine.segments import list_files
from engine.snapshot_file import VERSION, encode_head, list_snapshots, read_header, read_snapshot, write_snapshot
from engine.snapshot_shell import SHELL
from engine.snapshots import take
from engine.transfers import Transfers
from tests.engine.stage import config_for, credits, opened, run, send, setup


def venue(folder: Path, **overrides: Any) -> Config:
    """Only the last 10 commands are told at a start, so that snapshots are used at all."""
    return config_for(folder, snapshots={"told_commands": 10, "stop_orders_max": 0} | overrides)


async def trade(config: Config, rounds: int, snapshot_at: tuple[int, ...] = ()) -> int:
    """One run of an engine: 4 commands to set up, then 3 a round; the state's hash at its end."""
    async with opened(config) as engine:
        if engine.seq == 0:
            await send(engine, setup())
        for number in range(rounds):
            await send(engine, credits(3))
            if number in snapshot_at:
                assert take(engine.core, engine.transfers, config.paths, config.snapshots.keep) is not None
        return engine.core.state_hash()


def whole(config: Config) -> Exchange:
    """The judge: all of the journal."""
    core = Exchange()
    for frame in read_frames(config.paths.journal):
        core.apply(frame.commands)
    return core


async def start(config: Config) -> tuple[int, int]:
    """(seq of the snapshot used, state's hash) of a recovery, which must agree with the judge."""
    recovered = await recover(config, None)
    assert recovered.core.state_hash() == whole(config).state_hash()
    assert recovered.core.dump() == whole(config).dump()
    return recovered.loaded_seq, recovered.core.state_hash()


def test_recovery_loads_the_newest_snapshot_that_is_old_enough_and_replays_the_rest(tmp_path: Path) -> None:
    async def story() -> None:
        config = venue(tmp_path)
        state_hash = await trade(config, 20, (3, 9, 18))
        assert [seq for seq, _ in list_snapshots(config.paths.snapshots)] == [16, 34, 61]
        assert await start(config) == (34, state_hash)
        state_hash = await trade(config, 5)
        assert await start(config) == (61, state_hash)
    run(story())


def test_the_listener_hears_the_last_commands_and_begin_the_state_before_them(tmp_path: Path) -> None:
    async def story() -> None:
        config, heard, begun = venue(tmp_path), list[int](), list[tuple[int, int]]()
        await trade(config, 20, (9,))
        await recover(config, lambda frame, events: heard.extend(range(frame.first_seq, frame.end_seq)),
                      lambda core: begun.append((core.seq, core.balance(2, 1)[0])))
        assert begun == [(54, 50)] and heard == list(range(55, 65))
    run(story())


def test_a_short_journal_is_replayed_and_told_as_a_whole(tmp_path: Path) -> None:
    async def story() -> None:
        config = config_for(tmp_path)
        await trade(config, 5, (2,))
        heard = list[int]()
        recovered = await recover(config, lambda frame, events: heard.append(frame.first_seq))
        assert recovered.loaded_seq == 0 and heard[0] == 1
    run(story())


def test_a_stopped_engine_leaves_a_snapshot_of_its_last_command(tmp_path: Path) -> None:
    async def story() -> None:
        config = venue(tmp_path, stop_orders_max=1000)
        await trade(config, 2)
        await trade(config, 0)
        (seq, path), = list_snapshots(config.paths.snapshots)
        assert seq == whole(config).seq and read_header(path).state_hash == whole(config).state_hash()
        others = venue(tmp_path)
        await trade(others, 2)
        assert len(list_snapshots(config.paths.snapshots)) == 1
    run(story())


def test_the_journal_may_go_on_where_the_snapshot_is_the_last_frame(tmp_path: Path) -> None:
    async def story() -> None:
        config = venue(tmp_path, stop_orders_max=1000, told_commands=1)
        for _ in range(4):
            await trade(config, 7)
        assert (await start(config))[0] > 0
    run(story())


# damage

def test_damage_of_any_sector_is_found_and_an_older_snapshot_takes_its_place(tmp_path: Path) -> None:
    async def story() -> None:
        config = venue(tmp_path)
        await trade(config, 20, (3, 9))
        path, dice = list_snapshots(config.paths.snapshots)[1][1], random.Random(5)
        sound = path.read_bytes()
        for at in [*range(0, len(sound), 97), *(dice.randrange(len(sound)) for _ in range(50))]:
            path.write_bytes(sound[:at] + bytes([sound[at] ^ 1 << dice.randrange(8)]) + sound[at + 1:])
            with pytest.raises(SnapshotDamaged, match=r"at byte \d+: .*Remove the file"):
                read_snapshot(path)
        for size in (0, 10, len(sound) // 2, len(sound) - 1):
            path.write_bytes(sound[:size])
            with pytest.raises(SnapshotDamaged):
                read_snapshot(path)
        path.write_bytes(sound + b"\0")
        with pytest.raises(SnapshotDamaged, match="does not end here"):
            read_snapshot(path)
        assert (await start(config))[0] == 16
        path.unlink()
        list_snapshots(config.paths.snapshots)[0][1].write_bytes(b"nothing")
        assert (await start(config))[0] == 0
    run(story())


def test_a_state_that_does_not_hash_as_it_says_is_passed_over(tmp_path: Path) -> None:
    async def story() -> None:
        config = venue(tmp_path)
        await trade(config, 20, (3, 9))
        path = list_snapshots(config.paths.snapshots)[1][1]
        snapshot = read_snapshot(path)
        sections = [(number, version, size, items) for number, version, size, items in snapshot.sections]
        changed = [(n, v, s, bytes(i[:-1]) + bytes([i[-1] ^ 1])) if n == 6 else (n, v, s, i) for n, v, s, i in sections]
        write_snapshot(config.paths.snapshots, snapshot.header, changed)
        assert (await start(config))[0] == 16
    run(story())


@pytest.mark.parametrize("newer", ["format", "section", "shell", "transfers"])
def test_a_newer_format_is_refused_with_the_remedy(newer: str, tmp_path: Path) -> None:
    async def story() -> None:
        config = venue(tmp_path)
        await trade(config, 20, (3, 9))
        path = list_snapshots(config.paths.snapshots)[1][1]
        snapshot = read_snapshot(path)
        if newer == "section":
            write_snapshot(config.paths.snapshots, snapshot.header, [*snapshot.sections, (999, 1, 8, b"")])
        elif newer == "shell":
            write_snapshot(config.paths.snapshots, snapshot.header, [*snapshot.sections, (1999, 1, 1, b"")])
        elif newer == "transfers":
            write_snapshot(config.paths.snapshots, snapshot.header, [*snapshot.sections[:-1], (1001, 2, 1, b"")])
        else:
            path.write_bytes(_renumbered(encode_head(snapshot.header, []), VERSION + 1))
        with pytest.raises(SnapshotRefused, match=r"Use the version of Buttonwood that wrote it"):
            await recover(config, None)
    run(story())


def _renumbered(head: bytes, version: int) -> bytes:
    from google_crc32c import extend
    body = head[:8] + version.to_bytes(4, "little") + head[12:-4]
    crc: int = extend(0, body)
    return body + crc.to_bytes(4, "little")


def test_a_snapshot_of_another_venue_is_refused(tmp_path: Path) -> None:
    async def story() -> None:
        config, other = venue(tmp_path / "one"), venue(tmp_path / "other")
        await trade(config, 20)
        await trade(other, 20, (3,))
        shutil.copytree(other.paths.snapshots, config.paths.snapshots)
        with pytest.raises(JournalError, match=r"not of the journal that the snapshot is of.*Put journal"):
            await recover(config, None)
    run(story())


def test_a_journal_that_ends_before_the_newest_snapshot_is_refused(tmp_path: Path) -> None:
    async def story() -> None:
        config = venue(tmp_path)
        await trade(config, 20, (3, 18))
        list_files(config.paths.journal)[-1][1].unlink()
        with pytest.raises(JournalError, match=r"the newest part of the journal is lost.*Restore the journal"):
            await recover(config, None)
        shutil.rmtree(config.paths.journal)
        with pytest.raises(JournalError, match="ends at command 0"):
            await recover(config, None)
    run(story())


def test_another_history_behind_the_snapshot_is_refused(tmp_path: Path) -> None:
    """The journal was put back from a copy that is older than the snapshot, and went on differently."""
    async def story() -> None:
        config = venue(tmp_path)
        await trade(config, 2)
        shutil.copytree(config.paths.journal, tmp_path / "copy")
        await trade(config, 10, (8,))
        shutil.rmtree(config.paths.journal)
        shutil.copytree(tmp_path / "copy", config.paths.journal)
        shutil.move(config.paths.snapshots, tmp_path / "kept")
        await trade(config, 20)
        shutil.move(tmp_path / "kept", config.paths.snapshots)
        with pytest.raises(JournalError):
            await recover(config, None)
    run(story())


def test_the_first_frame_of_another_history_is_told_from_that_of_the_snapshot(tmp_path: Path) -> None:
    """Both follow the same frame with the same number: only what is in it differs, and when it was written."""
    async def story() -> None:
        config, other = venue(tmp_path / "one"), venue(tmp_path / "other")
        await trade(config, 2)
        shutil.copytree(config.paths.journal, other.paths.journal)
        async with opened(config) as engine:
            await send(engine, credits(3))
            take(engine.core, engine.transfers, config.paths, 3)
        async with opened(other) as engine:
            await send(engine, credits(3, amount=5))
            await send(engine, credits(8))
        shutil.copytree(config.paths.snapshots, other.paths.snapshots)
        with pytest.raises(JournalError, match=r"command \d+ is damaged, or another one.*Put journal and snapshots"):
            await recover(other, None)
    run(story())


@pytest.mark.parametrize("told_commands", [1, 10, 1000])
def test_damage_to_the_last_frame_is_no_torn_write_where_a_snapshot_was_made_after_it(
    told_commands: int, tmp_path: Path,
) -> None:
    async def story() -> None:
        config = venue(tmp_path, told_commands=told_commands)
        await trade(config, 20, (3, 19))
        path = list_files(config.paths.journal)[-1][1]
        data = path.read_bytes()
        end = len(data.rstrip(b"\0"))
        path.write_bytes(data[:end - 1] + bytes([data[end - 1] ^ 1]) + data[end:])
        with pytest.raises(JournalError, match=r"newest part of the journal is lost.*Restore the journal"):
            await recover(config, None)
    run(story())


def test_a_file_under_another_ones_name_is_passed_over(tmp_path: Path) -> None:
    async def story() -> None:
        config = venue(tmp_path)
        state_hash = await trade(config, 20, (1, 3, 9))
        first, second, third = (path for _, path in list_snapshots(config.paths.snapshots))
        shutil.copy(first, third)
        assert await start(config) == (16, state_hash)
        shutil.copy(first, second)
        assert await start(config) == (10, state_hash)
    run(story())


# writing

def test_the_last_three_stay_and_one_that_a_reader_needs(tmp_path: Path) -> None:
    async def story() -> None:
        config = venue(tmp_path)
        tell_position(tmp_path / "positions", "ledger", 20)
        await trade(config, 20, (1, 3, 5, 7, 9, 11))
        assert [seq for seq, _ in list_snapshots(config.paths.snapshots)] == [16, 28, 34, 40]
    run(story())


def test_a_reader_whose_position_a_power_loss_has_emptied_keeps_its_snapshot(tmp_path: Path) -> None:
    async def story() -> None:
        config = venue(tmp_path)
        tell_position(tmp_path / "positions", "ledger", 105)
        await trade(config, 40, (33,))
        oldest = list_snapshots(config.paths.snapshots)[0][0]
        for (_, path), (next_seq, _) in itertools.pairwise(list_files(config.paths.journal)):
            if next_seq <= oldest:
                path.unlink()
        (tmp_path / "positions" / "ledger").write_text("")
        await trade(config, 20, (1, 3, 5, 7, 9, 11))
        kept = [seq for seq, _ in list_snapshots(config.paths.snapshots)]
        assert kept[0] == oldest and len(kept) == 4
    run(story())


STEPS: dict[str, Callable[..., Any]] = {"open": os.open, "pwrite": os.pwrite, "fsync": os.fsync, "rename": Path.rename}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC])
def test_a_failure_at_any_step_of_writing_leaves_what_was_there(
    step: str, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story() -> None:
        config = venue(tmp_path)
        state_hash = await trade(config, 20, (3,))
        core = whole(config)

        def failing(*arguments: Any, **options: Any) -> Any:
            target = str(arguments[0])
            if step in ("pwrite", "fsync") or target.endswith(".tmp"):
                raise OSError(number, os.strerror(number))
            return STEPS[step](*arguments, **options)
        with monkeypatch.context() as patch:
            patch.setattr(Path if step == "rename" else os, step, failing)
            with pytest.raises(OSError, match=os.strerror(number)):
                take(core, Transfers(), config.paths, 3)
        assert [seq for seq, _ in list_snapshots(config.paths.snapshots)] == [16]
        assert await start(config) == (16, state_hash)
        assert take(core, Transfers(), config.paths, 3) is not None
        assert not list(config.paths.snapshots.glob("*.tmp"))
    run(story())


@pytest.mark.parametrize("step", ["pwrite", "fsync", "rename", "unlink"])
def test_a_writer_killed_at_any_step_leaves_a_start(step: str, tmp_path: Path) -> None:
    config = venue(tmp_path)
    state_hash = run(trade(config, 20, (1, 2, 3)))
    child = os.fork()
    if child == 0:
        place = Path if step in ("rename", "unlink") else os
        setattr(place, step, lambda *_, **__: os._exit(9))
        take(whole(config), Transfers(), config.paths, 3)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert run(start(config)) == (16, state_hash)
    assert take(whole(config), Transfers(), config.paths, 3) is not None


def test_a_second_writer_at_the_same_time_does_nothing(tmp_path: Path) -> None:
    import fcntl

    async def story() -> None:
        config = venue(tmp_path)
        await trade(config, 5)
        config.paths.snapshots.mkdir()
        with (config.paths.snapshots / "writer.lock").open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            assert take(whole(config), Transfers(), config.paths, 3) is None
        assert take(Exchange(), Transfers(), config.paths, 3) is None
        assert take(whole(config), Transfers(), config.paths, 3) is not None
    run(story())


# the journal without its beginning

def test_a_journal_whose_beginning_is_gone_starts_from_a_snapshot_and_serves_followers(tmp_path: Path) -> None:
    async def story() -> None:
        config = venue(tmp_path)
        state_hash = await trade(config, 60, (50,))
        files = list_files(config.paths.journal)
        kept = [path for first_seq, path in files if first_seq <= 157][-1:]
        for _, path in files:
            if path.name < kept[0].name:
                path.unlink()
        recovered = await recover(config, None)
        assert (recovered.loaded_seq, recovered.core.state_hash()) == (157, state_hash)
        snapshot = read_snapshot(list_snapshots(config.paths.snapshots)[0][1])
        old = [each for each in snapshot.sections if each[0] < SHELL]   # it may lack holds that were made before
        write_snapshot(config.paths.snapshots, snapshot.header, old)
        with pytest.raises(JournalError, match="the journal begins at"):
            await recover(config, None)
        list_snapshots(config.paths.snapshots)[0][1].unlink()
        with pytest.raises(JournalError, match="the journal begins at"):
            await recover(config, None)
    run(story())
