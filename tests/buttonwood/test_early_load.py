"""A snapshot loaded while modules are imported is used only if the start chooses that very file; it hides nothing."""
import shutil
from pathlib import Path

import pytest

from buttonwood.early_load import EarlyLoad
from engine.config import Config
from engine.errors import SnapshotRefused
from engine.frame_runs import crc32c
from engine.recovery import Recovered, recover
from engine.snapshot_file import list_snapshots
from tests.engine.stage import config_for, credits, opened, run, send, setup


async def venue(folder: Path) -> Config:
    """A journal of some rounds with two snapshots, the newer one beyond what is told."""
    config = config_for(folder, snapshots={"told_commands": 10, "stop_orders_max": 10})
    for _ in range(2):
        async with opened(config) as engine:
            await send(engine, setup())
            for _ in range(8):
                await send(engine, credits(3))
    async with opened(config) as engine:
        for _ in range(8):
            await send(engine, credits(3))
    return config


def same(one: Recovered, other: Recovered) -> bool:
    return (one.loaded_seq, one.core.dump(), one.replayed) == (other.loaded_seq, other.core.dump(), other.replayed)


def test_what_was_loaded_early_is_used_and_gives_the_same_state(tmp_path: Path) -> None:
    async def story() -> None:
        config = await venue(tmp_path)
        early = EarlyLoad(config)
        plain = await recover(config, None)
        loaded = early.take(_path(config, plain.loaded_seq))
        assert loaded is not None and loaded.header.seq == plain.loaded_seq
        recovered = await recover(config, None, at_hand=EarlyLoad(config).take)
        assert same(recovered, plain) and recovered.loaded_seq > 0
        assert early.take(_path(config, plain.loaded_seq)) is None, "it is given once"
    run(story())


def test_another_file_than_the_one_chosen_is_not_used(tmp_path: Path) -> None:
    async def story() -> None:
        config = await venue(tmp_path)
        plain = await recover(config, None)
        path, early = _path(config, plain.loaded_seq), EarlyLoad(config)
        early._thread.join()
        shutil.copy(path, path.with_suffix(".copy"))
        path.with_suffix(".copy").rename(path)     # of the same name, as a second writer would leave it
        assert early.take(path) is None
        early = EarlyLoad(config)
        path.unlink()                              # retention went on meanwhile
        recovered = await recover(config, None, at_hand=early.take)
        assert recovered.loaded_seq != plain.loaded_seq
        assert recovered.core.state_hash() == plain.core.state_hash()
    run(story())


def test_damage_is_passed_over_and_a_newer_format_refused_as_without_it(
        tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        config = await venue(tmp_path)
        plain = await recover(config, None)
        path = _path(config, plain.loaded_seq)
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content)
        recovered = await recover(config, None, at_hand=EarlyLoad(config).take)
        assert recovered.core.state_hash() == plain.core.state_hash()
        assert "a snapshot is passed over" in caplog.text
        content[8] += 1                            # the version, with the checksum of the header made right again
        _sign(content)
        path.write_bytes(content)
        with pytest.raises(SnapshotRefused):
            await recover(config, None, at_hand=EarlyLoad(config).take)
    run(story())


def test_an_empty_directory_and_one_that_is_not_there(tmp_path: Path) -> None:
    async def story() -> None:
        config = config_for(tmp_path / "new")
        async with opened(config, at_hand=EarlyLoad(config).take) as engine:
            assert engine.seq == 0
    run(story())


def _path(config: Config, seq: int) -> Path:
    return dict(list_snapshots(config.paths.snapshots))[seq]


def _sign(content: bytearray) -> None:
    size = 80 + 24 * int.from_bytes(content[12:16], "little")
    content[size:size + 4] = crc32c(bytes(content[:size])).to_bytes(4, "little")
