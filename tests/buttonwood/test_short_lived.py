"""Temporary folders: deleted in the end, by the next run when their process was killed, and not while they are used."""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from buttonwood.short_lived import delete_folder, make_folder

KILLED = ("import os; from buttonwood.short_lived import make_folder; print(make_folder('bw-t-'), flush=True); "
          "os.abort()")


@pytest.fixture
def killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a killed process left some time ago."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left = subprocess.run([sys.executable, "-c", KILLED], env=os.environ | {"TMPDIR": str(tmp_path)}, check=False,
                          capture_output=True, text=True, timeout=60)
    path = Path(left.stdout.strip())
    assert left.returncode != 0 and path.parent == tmp_path and path.exists()
    (path / "data").touch()
    os.utime(path / ".in_use", (0, 0))
    return path


def test_what_a_killed_process_left_goes_with_the_next_one(killed: Path):
    other = make_folder("bw-other-")
    assert killed.exists(), "of another kind"
    mine = make_folder("bw-t-")
    assert not killed.exists()
    os.utime(mine / ".in_use", (0, 0))
    second = make_folder("bw-t-")
    assert mine.exists(), "its process lives"
    for path in (mine, second, other):
        delete_folder(path)
        assert not path.exists()


def test_a_folder_in_which_a_server_still_runs_stays(killed: Path):
    with subprocess.Popen([sys.executable, "-c", "input()"], cwd=killed, stdin=subprocess.PIPE) as server:
        delete_folder(make_folder("bw-t-"))
        assert (killed / "data").exists()
        server.communicate(b"\n")
    delete_folder(make_folder("bw-t-"))
    assert not killed.exists()


def test_one_that_was_made_just_now_stays(killed: Path):
    os.utime(killed / ".in_use")
    delete_folder(make_folder("bw-t-"))
    assert killed.exists()
