"""A full disk: new orders are refused, cancels are taken to the end of the reserve, all is well when there is room."""
import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine import spare
from engine.journal import Walk
from engine.reserve import DRAFT_NAME, RESERVE_NAME
from tests.engine.full_disk import RESERVE_BYTES, SINGLE_BYTES, settings, story
from tests.engine.stage import opened, run, send, setup
from tests.support.waiting import until
from tests.system.processes import finished

ROOT = Path(__file__).parents[2]
DISK_BYTES = 1024 * 1024
# Without a word to the rest of the machine: a mount in a namespace of its own goes with its last process.
MOUNT = f'mount -t tmpfs -o size={DISK_BYTES} tmpfs "$1" && cd "$2" && exec "$3" -m tests.engine.full_disk "$1"'
NAMESPACES = (["unshare", "--mount"], ["unshare", "--user", "--map-root-user", "--mount"])


class Quota:
    """A disk that is full when we say so, for machines on which nobody may mount one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full, self._make_spare = False, spare.make_spare
        for module in ("spare", "reserve"):
            monkeypatch.setattr(f"engine.{module}.make_spare", self._make)
            monkeypatch.setattr(f"engine.{module}.RETRY_SECONDS", 0.02)

    def _make(self, *arguments: object) -> Path | None:
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return self._make_spare(*arguments)  # type: ignore[arg-type]

    def fill(self) -> None:
        self.full = True

    def free(self) -> None:
        self.full = False


def judge(told: dict[str, object]) -> None:
    assert "nothing but cancels is taken" in str(told["no_orders"])
    assert "used up its reserve" in str(told["no_cancels"]) and "free space" in str(told["no_cancels"])
    assert told["more"] and told["mixed"] == 0
    assert int(str(told["cancels"])) * SINGLE_BYTES > RESERVE_BYTES * 0.9
    assert (told["same"], told["again"], told["after"], told["replayed"]) == (True, 0, 100, True)


def test_cancels_are_taken_to_the_end_of_the_reserve_and_all_goes_on_with_room(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    quota = Quota(monkeypatch)
    judge(run(story(settings(tmp_path), quota.fill, quota.free)))


def test_the_same_on_a_file_system_that_is_really_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Where this user may mount one in a namespace of its own; elsewhere the quota tells the same story."""
    for namespace in NAMESPACES:
        if subprocess.run([*namespace, "true"], capture_output=True, check=False).returncode == 0:
            done = finished([*namespace, "sh", "-c", MOUNT, "sh", str(tmp_path), str(ROOT), sys.executable])
            if "mount:" not in done.stderr:
                assert done.returncode == 0, done.stderr
                return judge(json.loads(done.stdout.splitlines()[-1]))
    quota = Quota(monkeypatch)
    return judge(run(story(settings(tmp_path), quota.fill, quota.free)))


def test_the_reserve_is_kept_over_starts_and_made_anew_when_its_size_changes(tmp_path: Path):
    async def story(size_bytes: int) -> int:
        config = settings(tmp_path)
        changed = config.journal.__class__(segment_bytes=262144, reserve_bytes=size_bytes, frame_commands_max=8)
        config = config.__class__(data_dir=config.data_dir, journal=changed)
        reserve = config.paths.journal / RESERVE_NAME
        async with opened(config) as engine:
            await send(engine, setup())
            await until(lambda: reserve.exists() and reserve.stat().st_size == size_bytes)
            assert not (config.paths.journal / DRAFT_NAME).exists() and not engine.storage_low
        assert reserve.read_bytes() == bytes(size_bytes)
        return reserve.stat().st_ino

    first = run(story(8192))
    assert run(story(8192)) == first
    run(story(16384))


def test_a_venue_starts_on_the_reserve_when_its_segment_is_full_and_the_disk_too(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    quota = Quota(monkeypatch)

    async def begin() -> None:
        async with opened(settings(tmp_path)) as engine:
            await until((tmp_path / "journal" / RESERVE_NAME).exists)
            await send(engine, setup())

    async def start() -> None:
        async with opened(settings(tmp_path)) as engine:
            assert engine.seq == 4 and engine.epoch == 2 and engine.storage_low

    run(begin())
    walk = Walk(tmp_path / "journal")
    assert len(list(walk)) == 2
    os.truncate(walk.segments[0].path, walk.segments[0].end)    # full to its last byte
    quota.fill()
    run(start())
    assert len(list((tmp_path / "journal").glob("*.journal"))) == 2
