"""How soon is an exchange ready again, from a snapshot and from the whole journal, and what does a snapshot cost it?

A journal is made of resting orders, then of a tail of orders and cancels, in frames of 64 commands; a snapshot is taken
between both. Measured: loading and replaying in this process; a whole exchange process from its start to the word that
it is ready, with the snapshot and (the simpler way) without it; how long an answer takes while the engine works, and
while a second process takes and writes snapshots of the same state beside it without pause.

    python -m bench.recovery [--quick] [--json]
"""
import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
import uvloop

from bench.report import emit, figure, machine, percentile
from engine.config import Config, load_config
from engine.core.batch import Batch
from engine.core.codes import CommandKind
from engine.core.exchange import Exchange
from engine.core.unpack import Event
from engine.frames import Chain
from engine.records import COMMAND, RECORD_BYTES
from engine.recovery import recover
from engine.segments import SegmentHeader, name_of
from engine.service import Engine
from engine.snapshots import load, newest_first, take
from engine.transfers import Transfers

SIZES = {False: 1_000_000, True: 50_000}    # resting orders, and commands of the tail, by --quick
REPEATS = {False: 5, True: 2}
ACCOUNTS, FRAME = 10_000, 64
ANSWERS = {False: 20_000, True: 2_000}


def opening() -> Batch:
    """Two assets, a pair, funded accounts."""
    batch = Batch()
    batch.asset(1, 8, b"BASE")
    batch.asset(2, 8, b"QUOTE")
    batch.instrument(1, text=b"BASEQUOTE", base_asset=1, quote_asset=2, lot_value=1, tick_value=1)
    for account in range(2, 2 + ACCOUNTS):
        batch.account(account)
        batch.credit(account, 1, 10**12)
        batch.credit(account, 2, 10**14)
    batch.stamp(1, 1)
    return batch


def orders(count: int, first_seq: int, seed: int, *, cancels: bool) -> np.ndarray:
    """Orders that rest around 100,000 ticks; with cancels every second command takes the one before it off again."""
    dice, commands = np.random.default_rng(seed), np.zeros(count, COMMAND)
    side = dice.integers(0, 2, count)
    away = np.abs(dice.normal(0, 3000, count)).astype("i8")
    commands["kind"], commands["instrument"], commands["side"] = CommandKind.PLACE, 1, side
    commands["account"] = 2 + dice.integers(0, ACCOUNTS, count)
    commands["price_ticks"] = np.where(side == 1, 100_001 + away, 100_000 - away).clip(1)
    commands["qty_lots"] = 1 + dice.integers(0, 100, count)
    commands["seq"] = first_seq + np.arange(count)
    commands["time_ns"] = first_seq     # a frame has one time
    commands["text"] = np.char.add("order-", commands["seq"].astype(str)).astype("S36")
    if cancels:
        for name in ("account", "text"):
            commands[name][1::2] = commands[name][::2]
        commands["kind"][1::2] = CommandKind.CANCEL
    return commands


def make_journal(config: Config, count: int) -> None:
    """Both halves, and the snapshot between them."""
    config.paths.prepare()
    config.paths.journal.mkdir()
    first = opening()
    resting = orders(count, len(first) + 1, 1, cancels=False)
    tail = orders(count, len(first) + count + 1, 2, cancels=True)
    chain, core = Chain(epoch=1), Exchange()
    with (config.paths.journal / name_of(1)).open("wb") as file:
        file.write(SegmentHeader(7, 1, 1, 0).encode())
        for commands in (bytes(first), resting.tobytes()):
            core.apply(commands)
            _frames(file.write, chain, commands)
        file.flush()
        take(core, Transfers(), config.paths, 3)
        _frames(file.write, chain, tail.tobytes())


def _frames(write: object, chain: Chain, commands: bytes) -> None:
    assert callable(write)
    for begin in range(0, len(commands), FRAME * RECORD_BYTES):
        write(chain.encode(commands[begin:begin + FRAME * RECORD_BYTES]))


def process_seconds(config: Config, file: Path) -> float:
    """From the start of an exchange process to its ready line."""
    begin = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-P", "-m", "buttonwood", "exchange", "--config", str(file)],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=os.environ)
    assert process.stdout is not None
    line = process.stdout.readline()
    seconds = time.perf_counter() - begin
    process.kill()
    process.wait()
    process.stdout.close()
    assert b"ready" in line, "the exchange process did not start"
    return seconds


def _settle(done: "asyncio.Future[int]", seq: int, events: list[Event]) -> None:
    done.set_result(seq)


async def answers_us(config: Config, count: int) -> list[float]:
    """How long single credits take, one after the other."""
    engine = await Engine.open(config)
    batch, times = Batch(), []
    batch.credit(2, 1, 1)
    for _ in range(count):
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        begin = time.perf_counter()
        engine.submit(batch, partial(_settle, done))
        await done
        times.append((time.perf_counter() - begin) * 1e6)
    await engine.close()
    return times


def take_for_ever(data_dir: str) -> None:
    """In a process of its own: what the role does at a mark, without pause."""
    config = load_config(data_dir=data_dir)
    core = load(newest_first(config.paths.snapshots)[0], Exchange()).core
    while True:
        take(core, Transfers(), config.paths, 3)


def measure(folder: Path, quick: bool) -> dict[str, object]:
    """All figures."""
    count, repeats = SIZES[quick], REPEATS[quick]
    config = load_config(data_dir=str(folder / "venue"), snapshots={"stop_orders_max": 0}, exchange={"port": 0})
    make_journal(config, count)
    loads, rates, pause = [], [], []
    for _ in range(repeats):
        begin = time.perf_counter()
        core = load(newest_first(config.paths.snapshots)[0], Exchange()).core
        loads.append(time.perf_counter() - begin)
        recovered = uvloop.run(recover(config, None))
        rates.append(recovered.replayed / recovered.replay_seconds)
        begin = time.perf_counter()
        core.dump()
        pause.append(time.perf_counter() - begin)
    settings = folder / "venue.toml"
    settings.write_text(f'data_dir = "{config.data_dir}"\n[exchange]\nport = 0\n', encoding="utf-8")
    ready = [process_seconds(config, settings) for _ in range(repeats)]
    alone = uvloop.run(answers_us(config, ANSWERS[quick]))
    taking = subprocess.Popen([sys.executable, "-m", "bench.recovery", "--take", config.data_dir])
    beside = uvloop.run(answers_us(config, ANSWERS[quick]))
    taking.kill()
    taking.wait()
    config.paths.snapshots.rename(folder / "away")
    whole = [process_seconds(config, settings) for _ in range(min(repeats, 2))]
    return {
        "resting_orders": count, "tail_commands": count, "load_seconds": figure(loads),
        "replay_commands_per_second": figure(rates), "process_ready_seconds": figure(ready),
        "process_ready_seconds_without_snapshot": figure(whole), "dump_seconds_in_the_worker": figure(pause),
        "ack_p99_us_alone": round(percentile(alone, 99), 1), "ack_max_us_alone": round(max(alone), 1),
        "ack_p99_us_beside_snapshots": round(percentile(beside, 99), 1),
        "ack_max_us_beside_snapshots": round(max(beside), 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="50,000 orders instead of a million")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--take", metavar="DIR", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.take:
        take_for_ever(options.take)
    before = machine()
    with tempfile.TemporaryDirectory() as folder:
        emit({**measure(Path(folder), options.quick), "machine": before}, options.json)


if __name__ == "__main__":
    main()
