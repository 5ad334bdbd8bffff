"""Processes that die come back, processes that refuse stop the venue, all of them end when asked."""
import asyncio
import os
import signal
import sys
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from buttonwood.embedded import prepare
from buttonwood.leftovers import end_leftovers
from buttonwood.parts import Child, Halted, Refused
from buttonwood.processes import Process, is_running, process_of
from buttonwood.supervisor import Supervisor
from engine.config import Config, load_config
from engine.errors import VenueError
from tests.support.waiting import until

READY = "import sys, time; print('{\"ready\": \"part\", \"url\": \"ws://h:7\"}', flush=True); "
STEADY = READY + "time.sleep(600)"
DIES_ONCE_READY = READY + "sys.exit('the disk is on fire')"
DIES_AT_ONCE = "import sys; sys.exit('no bread')"
HALTS = "import sys; print('buttonwood: Postgres refuses', file=sys.stderr); sys.exit(4)"
HALTS_AFTER_A_START = (  # the first time it runs, then ends; after that it is halted, until `mended` is there
    "import pathlib, sys; tries = pathlib.Path('{folder}/tries'); "
    "count = len(tries.read_text()) if tries.exists() else 0; "
    "tries.write_text('x' * (count + 1)); mended = pathlib.Path('{folder}/mended').exists(); "
    "count and not mended and sys.exit(4); "
    "print('{{\"ready\": \"part\"}}', flush=True); import time; time.sleep(60 if mended else 0)")
REFUSES = "import sys; print('buttonwood: the journal is torn', file=sys.stderr); sys.exit(3)"
DEAF = READY.replace("; ", "; import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); ", 1) + "time.sleep(600)"


@pytest.fixture
def config(tmp_path) -> Config:
    config = load_config(data_dir=str(tmp_path / "data"), limits={"shutdown_notice_seconds": 0},
                         supervisor={"restarts_max": 2, "restart_seconds_max": 0.05, "stop_seconds_max": 0.5})
    prepare(config)
    return config


def child(config: Config, program: str, name: str = "part") -> Child:
    log = config.paths.logs / f"{name}.log"
    return Child(name, [sys.executable, "-c", program], log, config.supervisor.log_bytes_max)


def noted(config: Config) -> list[Process]:
    return msgspec.json.decode((config.paths.run / "processes.json").read_bytes(), type=list[Process])


async def another(part: Child, than: Process) -> Process:
    """The process that took the place of one that was killed."""
    await until(lambda: part.process is not None and part.process != than)
    assert part.process is not None
    return part.process


def test_ready_means_it_said_so(config):
    async def story():
        supervisor, part = Supervisor(config), child(config, STEADY)
        await supervisor.start(part)
        assert part.ready == {"ready": "part", "url": "ws://h:7"}
        assert is_running(part.process) and noted(config) == [part.process]
        await supervisor.stop_all()
        assert not is_running(part.process) and noted(config) == []

    asyncio.run(story())


def test_what_was_killed_comes_back(config):
    async def story():
        supervisor, part, other = Supervisor(config), child(config, STEADY), child(config, STEADY, "other")
        await supervisor.start(part, other)
        before = part.process
        os.kill(before.pid, signal.SIGKILL)
        after = await another(part, before)
        assert is_running(after) and is_running(other.process)
        await supervisor.stop(part)
        assert not is_running(after) and is_running(other.process)
        await supervisor.stop_all()

    asyncio.run(story())


def test_a_refusal_stops_the_venue_with_its_own_words(config):
    async def story():
        supervisor = Supervisor(config)
        with pytest.raises(Refused, match=r"^part: buttonwood: the journal is torn"):
            await supervisor.start(child(config, REFUSES), child(config, STEADY, "other"))
        await supervisor.stop_all()
        assert noted(config) == []

    asyncio.run(story())


@pytest.mark.parametrize(("program", "words"), [(DIES_AT_ONCE, "no bread"), (DIES_ONCE_READY, "status 1")])
def test_what_fails_again_and_again_stops_the_venue(config, program, words):
    async def story():
        supervisor, part = Supervisor(config), child(config, program)
        with pytest.raises(VenueError, match=f"part failed 3 times in a row, last: .*{words}"):
            await supervisor.start(part)
            await supervisor.failed
        await supervisor.stop_all()

    asyncio.run(story())


def test_what_does_not_listen_is_killed(config):
    async def story():
        supervisor, part = Supervisor(config), child(config, DEAF)
        await supervisor.start(part)
        await supervisor.stop_all()
        assert not is_running(part.process)

    asyncio.run(story())


def test_what_a_killed_supervisor_left_is_ended(config):
    async def story():
        part = child(config, DEAF)
        await part.start()
        stranger = Process(os.getpid(), 1)
        (config.paths.run / "processes.json").write_bytes(msgspec.json.encode([part.process, stranger]))
        assert await end_leftovers(config.paths.run, 0.2) == 1
        assert process_of(part.process.pid) is None and not (config.paths.run / "processes.json").exists()
        assert await end_leftovers(config.paths.run) == 0
        await part.stop(0.1)

    asyncio.run(story())


def test_an_overgrown_log_is_put_aside(config):
    async def story():
        log = config.paths.logs / "part.log"
        log.write_bytes(b"x" * 2000)
        part = Child("part", [sys.executable, "-c", STEADY], log, 1024)
        await part.start()
        await part.stop(1.0)
        assert log.stat().st_size == 0 and Path(str(log)[:-4] + ".old.log").stat().st_size == 2000

    asyncio.run(story())


def test_a_halted_part_is_tried_again_after_a_pause_and_the_others_go_on(config, tmp_path):
    async def story():
        limits = replace(config.supervisor, halted_seconds=0.2, restarts_max=1)
        supervisor = Supervisor(replace(config, supervisor=limits))
        part = child(config, HALTS_AFTER_A_START.format(folder=tmp_path))
        other = child(config, STEADY, "other")
        await supervisor.start(part, other)
        await until(lambda: len((tmp_path / "tries").read_text()) > 3)      # more often than failures are forgiven
        assert is_running(other.process) and not supervisor.failed.done()
        (tmp_path / "mended").touch()
        tried = len((tmp_path / "tries").read_text())
        await until(lambda: len((tmp_path / "tries").read_text()) > tried and is_running(part.process))
        await supervisor.stop_all()

    asyncio.run(story())


def test_a_venue_does_not_begin_with_a_halted_part(config):
    async def story():
        supervisor = Supervisor(config)
        with pytest.raises(Halted, match=r"^part: buttonwood: Postgres refuses"):
            await supervisor.start(child(config, HALTS))
        await supervisor.stop_all()

    asyncio.run(story())

