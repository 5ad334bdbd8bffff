"""Socket folders beside deep data directories: found by all, swept once their owner is gone, never somebody else's."""
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from engine.paths import Paths
from engine.short_folders import note_owner, short_folder, sweep


@pytest.fixture
def deep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place for data directories that is too deep for sockets; the temporary directory is its neighbour."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path / ("x" * 100)


def test_the_folder_of_a_deleted_data_directory_goes_with_the_next_start(deep: Path):
    old, living = Paths(deep / "old"), Paths(deep / "living")
    for paths in (old, living):
        paths.prepare()
        (paths.run / "door.sock").touch()
        assert not paths.run.is_relative_to(paths.data_dir)
    shutil.rmtree(old.data_dir)
    assert old.run.exists()
    Paths(deep / "new").prepare()
    assert not old.run.exists() and (living.run / "door.sock").exists()
    living.prepare()
    assert (living.run / "door.sock").exists()


def test_what_is_not_known_to_be_nobodys_stays(deep: Path):
    folder = short_folder(deep / "gone", os.geteuid())
    folder.mkdir()
    sweep()
    assert folder.exists(), "without a note"
    (folder / "belongs_to").touch()
    sweep()
    assert folder.exists(), "a note that is being written"
    (folder / "belongs_to").write_bytes(os.fsencode(deep / "gone"))
    other = folder.with_name(f"buttonwood-{os.geteuid() + 1}-{folder.name[-12:]}")
    shutil.copytree(folder, other)
    sweep()
    assert other.exists() and not folder.exists(), "the name says another user"


def test_a_link_is_not_followed(deep: Path, tmp_path: Path):
    target = tmp_path / "target"
    target.mkdir()
    note_owner(target, deep / "gone")
    link = short_folder(deep / "gone", os.geteuid())
    link.symlink_to(target)
    sweep()
    assert (target / "belongs_to").exists()
