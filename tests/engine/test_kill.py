"""kill -9 at any moment: every acknowledged command is in the journal, numbers go on without a gap, nothing twice."""
import contextlib
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from engine.journal import read_frames
from engine.records import COMMAND
from tests.engine.stage import config_for, frames_of
from tests.support.waiting import wait_until

KILLS = 6
READINGS = 150


def wait_for_growth(path: Path, process: subprocess.Popen[bytes], size_bytes: int) -> None:
    wait_until(lambda: process.poll() is not None or (path.exists() and path.stat().st_size >= size_bytes))
    assert process.poll() is None, "the engine ended by itself"


@contextlib.contextmanager
def busy_engine(folder: Path, acks: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-m", "tests.engine.busy_engine", str(folder), str(acks)])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_journal_may_be_read_while_it_is_written(tmp_path: Path):
    """A frame that becomes whole while the end is looked at is no damage."""
    acks, journal, last = tmp_path / "acks", config_for(tmp_path / "venue").paths.journal, 1
    with busy_engine(tmp_path / "venue", acks) as process:
        wait_for_growth(acks, process, 1000)
        for _ in range(READINGS):
            *_, newest = read_frames(journal, last)
            assert newest.end_seq > last
            last = newest.first_seq


def test_every_acknowledged_command_survives(tmp_path: Path):
    dice, acks, acknowledged_before = random.Random(5), tmp_path / "acks", 0
    journal = config_for(tmp_path / "venue").paths.journal
    for kill in range(KILLS):
        with busy_engine(tmp_path / "venue", acks) as process:
            size_bytes = acks.stat().st_size if kill else 0
            wait_for_growth(acks, process, size_bytes + dice.randrange(1000, 8000))
        frames = frames_of(journal)
        assert sum(not frame.count for frame in frames) == frames[-1].epoch == kill + 1
        seqs = np.concatenate([np.frombuffer(frame.commands, COMMAND)["seq"] for frame in read_frames(journal)])
        assert np.array_equal(seqs, np.arange(1, len(seqs) + 1))
        acknowledged = max(first_seq + size - 1 for first_seq, size in (
            map(int, line.split()) for line in acks.read_text().splitlines()))
        assert acknowledged_before < acknowledged <= len(seqs)
        acknowledged_before = acknowledged
