"""How many commands a second become durable, and how long does an answer take, at 1, 64 and 512 waiters?

Each waiter submits one command through Engine.submit and the next one when its answer comes: sequencer, journal with
fdatasync, core, callback, on uvloop. Beside it, on the same disk in the same run: the simpler way of one write and one
fdatasync for each command, into a growing file. Every answered command is looked for in the journal afterwards.

    python -m bench.journal [--quick] [--json] [--directory DIR]
"""
import argparse
import asyncio
import os
import tempfile
import time
from pathlib import Path

import uvloop

from bench.report import Figure, emit, figure, machine, percentile
from engine.config import load_config
from engine.core.batch import Batch
from engine.core.unpack import Event
from engine.journal import read_frames
from engine.service import Engine

WAITERS = (1, 64, 512)
SECONDS = {False: 3.0, True: 0.5}   # by --quick
REPEATS = {False: 5, True: 3}
FRAME_BYTES = 160                   # of one command
Run = tuple[float, float, float]    # commands a second, p50 and p99 of an answer in microseconds


class Waiters:
    """So many clients that each have one command under way until the time is over."""

    def __init__(self, engine: Engine, count: int, seconds: float) -> None:
        self._engine, self._end_ns = engine, time.perf_counter_ns() + int(seconds * 1e9)
        self._batch = Batch()
        self._batch.credit(2, 1, 1)
        self.left, self.last_seq = count, 0
        self.latencies_ns: list[int] = []
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        """Returns when the last answer has come. An asset and an account come first, so that credits are taken."""
        opening = Batch()
        opening.asset(1, 8, b"USD")
        opening.account(2)
        self._engine.submit(opening, lambda first_seq, events: None)
        for _ in range(self.left):
            self._submit()
        await self._over

    def _leave(self) -> None:
        self.left -= 1
        if not self.left:
            self._over.set_result(None)

    def _submit(self) -> None:
        begin_ns = time.perf_counter_ns()

        def answered(first_seq: int, events: list[Event]) -> None:
            now_ns = time.perf_counter_ns()
            self.latencies_ns.append(now_ns - begin_ns)
            self.last_seq = first_seq
            if now_ns < self._end_ns:
                self._submit()
            else:
                self._leave()
        self._engine.submit(self._batch, answered)


async def through_engine(directory: Path, count: int, seconds: float) -> Run:
    """One run on a journal of its own, with the sizes of a real venue."""
    config = load_config(data_dir=str(directory))
    engine = await Engine.open(config)
    waiters, begin = Waiters(engine, count, seconds), time.perf_counter()
    await waiters.run()
    elapsed = time.perf_counter() - begin
    await engine.close()
    durable = sum(frame.count for frame in read_frames(config.paths.journal))
    assert durable == waiters.last_seq == len(waiters.latencies_ns) + 2, "an answered command is not in the journal"
    assert engine.core.balance(2, 1)[0] == len(waiters.latencies_ns), "an answered credit was not made"
    return _run(waiters.latencies_ns, elapsed)


def one_by_one(directory: Path, seconds: float) -> Run:
    """Write and fdatasync for each command."""
    latencies_ns, data = [], os.urandom(FRAME_BYTES)
    fd = os.open(directory / "one-by-one", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    begin = time.perf_counter()
    while time.perf_counter() - begin < seconds:
        begin_ns = time.perf_counter_ns()
        os.write(fd, data)
        os.fdatasync(fd)
        latencies_ns.append(time.perf_counter_ns() - begin_ns)
    elapsed = time.perf_counter() - begin
    os.close(fd)
    return _run(latencies_ns, elapsed)


def _run(latencies_ns: list[int], elapsed: float) -> Run:
    return (len(latencies_ns) / elapsed, percentile(latencies_ns, 50) / 1000, percentile(latencies_ns, 99) / 1000)


def measure_all(parent: Path, quick: bool) -> dict[str, object]:
    """The ways take turns, so that a busy minute of the machine meets all of them."""
    runs: dict[str, list[Run]] = {}
    for repeat in range(REPEATS[quick] + 1):
        for count in WAITERS:
            with tempfile.TemporaryDirectory(dir=parent) as directory:
                result = uvloop.run(through_engine(Path(directory), count, SECONDS[quick]))
            runs.setdefault(f"{count}_waiters", []).append(result)
        with tempfile.TemporaryDirectory(dir=parent) as directory:
            runs.setdefault("fdatasync_per_command", []).append(one_by_one(Path(directory), SECONDS[quick]))
        if not repeat:
            runs.clear()  # the first round warms up
    return _figures(runs)


def _figures(runs: dict[str, list[Run]]) -> dict[str, object]:
    results: dict[str, object] = {}
    for name, values in runs.items():
        rates, p50s, p99s = zip(*values, strict=True)
        results[f"records_per_second_{name}"] = _rounded(figure(rates), 0)
        results[f"ack_p50_us_{name}"] = _rounded(figure(p50s), 1)
        results[f"ack_p99_us_{name}"] = _rounded(figure(p99s), 1)
    return results


def _rounded(value: Figure, places: int) -> Figure:
    return Figure(round(value.median, places), round(value.low, places), round(value.high, places))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="half a second each instead of three")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--directory", type=Path, default=Path(tempfile.gettempdir()),
                        help="on the disk to measure (default: the system's temporary directory)")
    options = parser.parse_args()
    before = machine()
    emit({**measure_all(options.directory, options.quick), "machine": before}, options.json)


if __name__ == "__main__":
    main()
