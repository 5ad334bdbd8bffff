"""Recorded order flow through a whole venue of real processes: everything must line up, with and without a crash."""
import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest
from msgspec.structs import replace

from buttonwood.embedded import temporary_data_dir
from buttonwood.lobster import Action, read_messages, read_states, to_steps
from buttonwood.replay import main
from buttonwood.replay_run import Figures, Replay
from buttonwood.replay_venue import Target, private_venue
from buttonwood.venue import Venue
from tests.support.cutting_proxy import CuttingProxy
from tests.support.lobster_files import write_files
from tests.support.waiting import SECONDS_MAX
from tests.system.processes import finished

WINDOW = 128
Prepare = Callable[[Venue, Target], Awaitable[tuple[Target, Callable[[int], None]]]]


def check(figures: Figures, messages: Path) -> None:
    """What must hold for any file of ours, whatever happened on the way."""
    executions = sum(message.type == 4 for message in read_messages(messages))
    assert (figures.executions, figures.executions_exact, figures.fills) == (executions, executions, executions)
    assert figures.top_states == figures.top_aligned > 300
    assert (figures.gone, figures.refused, figures.stream_interruptions) == (0, 0, 0)
    assert figures.verified is True, figures.problems


async def replay_with(folder: Path, prepare: Prepare) -> Figures:
    """Replay a generated file on a private venue; `prepare` says where to send and what happens on the way."""
    messages, truth = write_files(folder)
    with temporary_data_dir() as data_dir:
        async with private_venue(data_dir) as (venue, target):
            steps = to_steps(read_messages(messages), len(target.keys))
            target, answered = await prepare(venue, target)
            figures = await Replay(target, steps, WINDOW, answered).run(read_states(truth))
    check(figures, messages)
    return figures


def after(*happenings: tuple[int, Callable[[], None]]) -> Callable[[int], None]:
    """Calls each function once so many steps are answered."""
    waiting, done = list(happenings), 0

    def answered(count: int) -> None:
        nonlocal done
        done += count
        if waiting and done >= waiting[0][0]:
            waiting.pop(0)[1]()

    return answered


def test_the_command_prints_what_came_out(tmp_path: Path):
    messages, truth = write_files(tmp_path)
    command = [sys.executable, "-m", "buttonwood", "replay", str(messages), "--truth", str(truth), "--json"]
    answer = finished(command)
    assert answer.returncode == 0, answer.stderr
    figures = json.loads(answer.stdout)
    assert figures["executions_exact"] == figures["executions"] > 200
    assert figures["top_aligned"] == figures["top_states"] > 300
    assert figures["verified"] is True
    assert figures["orders"] == sum(step.action not in (Action.OPEN, Action.CLOSE)
                                    for step in to_steps(read_messages(messages), 100))
    for key in ("orders_per_second", "ack_p50_us", "ack_p99_us", "fills"):
        assert figures[key] > 0, key
    assert figures["ledger_lag_ms_max"] >= 0


def test_killing_the_exchange_twice_changes_nothing(tmp_path: Path):
    async def prepare(venue: Venue, target: Target) -> tuple[Target, Callable[[int], None]]:
        def kill() -> None:
            os.kill(venue.process_id("exchange"), signal.SIGKILL)
        return target, after((500, kill), (1300, kill))

    figures = asyncio.run(replay_with(tmp_path, prepare))
    assert figures.reconnects == 2


def test_lost_replies_are_found_again(tmp_path: Path):
    """The requests were carried out, the replies and private events are lost: both are looked up."""
    async def run() -> Figures:
        async with AsyncExitStack() as stack:
            async def prepare(venue: Venue, target: Target) -> tuple[Target, Callable[[int], None]]:
                address = urlsplit(target.orders)
                proxy = await stack.enter_async_context(CuttingProxy("127.0.0.1", address.port or 0))
                behind = replace(target, orders=f"ws://127.0.0.1:{proxy.port}{address.path}")
                return behind, after((700, proxy.lose_replies), (1400, proxy.lose_replies))

            return await replay_with(tmp_path, prepare)

    figures = asyncio.run(run())
    assert figures.reconnects == 2
    assert figures.looked_up > 0


def test_a_running_venue_is_replayed_on_by_its_addresses(tmp_path: Path):
    """As for a venue elsewhere: addresses and keys are given, its ledger cannot be seen."""
    messages, truth = write_files(tmp_path, events=500)

    async def run() -> Figures:
        with temporary_data_dir() as data_dir:
            async with private_venue(data_dir) as (_, target):
                keys = tmp_path / "keys.json"
                keys.write_bytes(msgspec.json.encode(target.keys))
                process = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "buttonwood", "replay", messages, "--truth", truth, "--json", "--keys", keys,
                    "--url", target.orders, "--streams-url", target.streams, "--rest-url", target.rest,
                    stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                async with asyncio.timeout(SECONDS_MAX):
                    output, errors = await process.communicate()
                assert process.returncode == 0, errors.decode()
                return msgspec.json.decode(output, type=Figures)

    figures = asyncio.run(run())
    assert figures.executions == figures.executions_exact > 50
    assert figures.top_states == figures.top_aligned > 50
    assert (figures.verified, figures.ledger_lag_ms_max) == (None, None)


@pytest.mark.parametrize(("options", "problem"), [
    (["--window", "0"], "--window 0"), (["--url", "ws://127.0.0.1:9/ws-api/v3"], "--streams-url")])
def test_options_that_cannot_work_are_refused(tmp_path: Path, options: list[str], problem: str, capsys):
    messages, _ = write_files(tmp_path, events=100)
    assert main([str(messages), *options]) == 3
    assert problem in capsys.readouterr().err
