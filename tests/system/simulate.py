"""Runs schedules of the simulated shell and tells which seeds fail.

    python -m tests.system.simulate [--schedules N] [--seed S] [--json] [--story]

Schedule k of a run has the seed S + k; `--schedules 1 --seed K --story` shows one again, step by step. The last line is
one JSON object; exit status 1 if any schedule failed.
"""
import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec

from tests.system.simulator.schedule import Outcome, run_schedule

_SHOWN_MAX = 20


def run_schedules(count: int, seed: int, say: Callable[[str], None] = print) -> dict[str, Any]:
    """schedules: how many ran; failures: how many were not as promised; told: what, with the seed that repeats it."""
    begin, failures, told = time.monotonic(), 0, list[str]()
    faults, total = Counter[str](), Counter[str]()
    for number in range(count):
        outcome = _run(seed + number)
        faults.update(outcome.faults)
        total.update(commands=outcome.commands, answered=outcome.answered, recoveries=outcome.recoveries)
        if outcome.failures:
            failures += 1
            told.append(f"seed {outcome.seed}: {outcome.failures[0]}")
            say(told[-1])
    seconds = time.monotonic() - begin
    return {"schedules": count, "failures": failures, "seed": seed, "seconds": round(seconds, 1),
            "per_minute": round(60 * count / seconds) if count else 0, **total, "faults": dict(faults),
            "told": told[:_SHOWN_MAX]}


def _run(seed: int) -> Outcome:
    try:
        return run_schedule(seed)
    except Exception as error:      # of the simulator, or of the product: a failure all the same
        return Outcome(seed=seed, failures=[f"{type(error).__name__}: {error}"], digest="", faults={}, commands=0,
                       answered=0, recoveries=0, story=[])


def main(arguments: list[str] | None = None) -> int:
    """The command line; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.system.simulate", description=__doc__)
    parser.add_argument("--schedules", type=int, default=1000, metavar="N", help="how many (1000)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32), metavar="S",
                        help="of the first; each next one is one higher")
    parser.add_argument("--json", action="store_true", help="print nothing but the last line")
    parser.add_argument("--story", action="store_true", help="show what happened in the first schedule")
    parsed = parser.parse_args(arguments)
    if parsed.story:
        print("\n".join(run_schedule(parsed.seed).story))
    result = run_schedules(parsed.schedules, parsed.seed, _nothing if parsed.json else _line)
    print(msgspec.json.encode(result).decode())
    return 1 if result["failures"] else 0


def _line(text: str) -> None:
    print(text, flush=True)


def _nothing(_: str) -> None:
    """Says nothing."""


if __name__ == "__main__":
    sys.exit(main())
