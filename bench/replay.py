"""How many orders a second go through a whole venue from one socket, and how long does an answer take?

Recorded order flow is sent to a private venue: six processes, Postgres and Redis on this machine, 100 signing accounts
that all listen to their private events, matched, journalled, published and posted to the ledger, which is then proven.
Beside it, in the same run: the simpler client, which waits for each answer before it sends the next request. Without
--file the flow is made from a seed; with a LOBSTER message file it is that.

    python -m bench.replay [--quick] [--json] [--file FILE]
"""
import argparse
import tempfile
from pathlib import Path

import uvloop

from bench.report import emit, figure, machine
from buttonwood.embedded import temporary_data_dir
from buttonwood.lobster import Step, read_messages, to_steps
from buttonwood.replay_run import Figures, Replay
from buttonwood.replay_venue import TRADERS, private_venue
from tests.support.lobster_files import write_files

EVENTS = {False: 10_000, True: 2000}    # by --quick, of a file made here
ALONE_STEPS = 1000                      # sent one by one
REPEATS = {False: 3, True: 1}
WINDOWS = (256, 1024)


async def run_once(steps: list[Step], window: int) -> Figures:
    """One replay on a new venue; it must end with a ledger that is proven."""
    with temporary_data_dir() as data_dir:
        async with private_venue(data_dir) as (_, target):
            figures = await Replay(target, steps, window, lambda count: None).run(None)
    assert figures.verified is True, figures.problems
    return figures


def bench_window(steps: list[Step], window: int, repeats: int) -> dict[str, object]:
    """All figures with so many requests in flight."""
    runs = [uvloop.run(run_once(steps, window)) for _ in range(repeats)]
    assert len({(run.executions_exact, run.fills, run.gone) for run in runs}) == 1, "equal input, different outcome"
    name = f"window_{window}"
    return {
        f"{name}_orders": runs[0].orders,
        f"{name}_orders_per_second": figure([run.orders_per_second for run in runs]),
        f"{name}_ack_p50_us": figure([run.ack_p50_us for run in runs]),
        f"{name}_ack_p99_us": figure([run.ack_p99_us for run in runs]),
        f"{name}_ledger_lag_ms_max": figure([run.ledger_lag_ms_max or 0 for run in runs]),
        f"{name}_executions_exact": runs[0].executions_exact, f"{name}_fills": runs[0].fills}


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="bench.replay", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a short file, once")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--file", type=Path, help="a LOBSTER message file instead of one made from a seed")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = options.file or write_files(Path(folder), events=EVENTS[options.quick])[0]
        steps = to_steps(read_messages(file), TRADERS)
    results: dict[str, object] = {"machine": machine()}
    for window in WINDOWS:
        results |= bench_window(steps, window, REPEATS[options.quick])
    results |= bench_window(steps[:ALONE_STEPS], 1, REPEATS[options.quick])
    emit(results, options.json)


if __name__ == "__main__":
    main()
