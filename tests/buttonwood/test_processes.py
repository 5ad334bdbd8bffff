"""Processes are known by pid and start time, end when asked, and do not outlive the one that started them."""
import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from buttonwood.processes import Process, is_running, members, process_of, stop, wait_gone, works_in
from tests.support.waiting import SECONDS_MAX, wait_until

STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("on", flush=True)
time.sleep(600)
"""
ORPHAN_MAKER = """
import signal, subprocess, time
from buttonwood.processes import die_with_parent
child = subprocess.Popen(["sleep", "600"], preexec_fn=die_with_parent(signal.SIGTERM), start_new_session=True)
print(child.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def sleeper(tmp_path):
    child = subprocess.Popen(["sleep", "600"], cwd=tmp_path)
    yield child
    child.kill()
    child.wait()


def test_a_process_is_its_pid_and_start_time(sleeper):
    process = process_of(sleeper.pid)
    assert is_running(process)
    assert not is_running(Process(process.pid, process.started - 1))


def test_a_dead_child_is_gone_even_before_it_is_reaped(sleeper):
    process = process_of(sleeper.pid)
    sleeper.kill()
    assert asyncio.run(wait_gone(process, SECONDS_MAX))
    assert sleeper.returncode is None and process_of(sleeper.pid) is None


def test_no_process_has_a_free_pid():
    assert process_of(2**22 + 1) is None


def test_a_server_is_recognized_by_program_and_folder(sleeper, tmp_path):
    process = process_of(sleeper.pid)
    program = Path(os.readlink(f"/proc/{sleeper.pid}/exe")).name
    assert works_in(process, tmp_path, program)
    assert not works_in(process, tmp_path, "postgres")
    assert not works_in(process, tmp_path.parent, program)
    assert members(tmp_path, program) == [process]


def test_stop_insists(tmp_path):
    child = subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE)
    child.stdout.readline()
    process = process_of(child.pid)
    asyncio.run(stop(process, signal.SIGTERM, 0.2, signal.SIGKILL))
    assert child.wait() == -signal.SIGKILL
    child.stdout.close()


def test_stopping_what_has_gone_does_nothing(sleeper):
    process = process_of(sleeper.pid)
    sleeper.kill()
    sleeper.wait()
    asyncio.run(stop(process, signal.SIGTERM, 0.1, signal.SIGKILL))


def test_a_child_does_not_outlive_a_killed_parent():
    parent = subprocess.Popen([sys.executable, "-c", ORPHAN_MAKER], stdout=subprocess.PIPE)
    orphan = process_of(int(parent.stdout.readline()))
    assert is_running(orphan)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    wait_until(lambda: not is_running(orphan))
