"""`python -m tests.clients [--seconds 60] [--rate 2000] [CLIENT ...]`: every client's day, one after the other.

One JSON line per client, one more for all; errors and the traffic's own figures on standard error. Exit status 1 if any
step failed.
"""
import argparse
import json
import sys

from tests.clients.day import CLIENTS, run_day


def main() -> int:
    """Run them."""
    parser = argparse.ArgumentParser(prog="tests.clients", description=__doc__)
    parser.add_argument("clients", nargs="*", metavar="CLIENT", help=" ".join(CLIENTS))
    parser.add_argument("--seconds", type=float, default=60, help="how long the book is kept in step (60)")
    parser.add_argument("--rate", type=float, default=2000, help="orders and cancels a second meanwhile (2000)")
    parser.add_argument("--steps", default="", help="only steps whose name contains this")
    given = parser.parse_args()
    total = {"client": "all", "steps": 0, "passed": 0, "failed": 0}
    for name in given.clients or CLIENTS:
        report, errors = run_day(CLIENTS[name], given.seconds, given.rate, steps=given.steps)
        for error in errors:
            print(f"{name}: {error}", file=sys.stderr)
        print(json.dumps(report), flush=True)
        for key in ("steps", "passed", "failed"):
            total[key] += report[key]
    print(json.dumps(total))
    return 1 if total["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
