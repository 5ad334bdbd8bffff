"""schemathesis asks a live demo venue what its OpenAPI document promises: no 500, no status, header or body beside it.

    python -m tests.system.schema_run [--examples N] [--seed S]

Every route, with requests that follow the document and requests that do not, properly signed (schema_hooks.py). The
last line is one JSON object; exit status 1 if anything is wrong. Two of its checks do not fit the protocol and are left
out: positive_data_acceptance (an order may be refused whatever it looks like) and ignored_auth (a bad signature is a
400 here; that it is refused, test_rest.py shows).
"""
import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
from msgspec import Struct

from buttonwood.embedded import temporary_data_dir
from gateway.describe.openapi import PATH
from tests.support.waiting import wait_until
from tests.system.running_venue import RunningVenue

LEFT_OUT = "positive_data_acceptance,ignored_auth"
SYMBOLS = ["BTCUSDT", "ETHUSDT", "NOSUCH"]
RUN_SECONDS_MAX = 3600


class Report(Struct):
    """The last line."""

    operations: int
    requests: int
    failures: int
    errors: int
    crashes: int       # processes of the venue whose log tells of an exception
    seed: int
    seconds: float


def readable(node: Any) -> Any:
    """The document as schemathesis can read it: it takes tuples for lists, and knows no symbols of a venue."""
    if isinstance(node, list):
        return [readable(part) for part in node]
    if not isinstance(node, dict):
        return node
    node = {name: readable(part) for name, part in node.items()}
    if "prefixItems" in node:
        node["items"] = {"anyOf": node.pop("prefixItems")}
    if node.get("name") == "symbol":
        node["schema"] = {"type": "string", "enum": SYMBOLS}
    return node


def run(venue: RunningVenue, folder: Path, examples: int, seed: int, *more: str) -> Report:
    """Ask the venue; what schemathesis has to say goes to standard error."""
    begun = time.monotonic()
    page = folder / "openapi.json"
    page.write_text(json.dumps(readable(httpx.get(venue.words["rest"] + PATH).json())))
    found = folder / "report.json"
    command = [sys.executable, "-m", "schemathesis.cli", "run", str(page), "--url", venue.words["rest"],
               "--exclude-checks", LEFT_OUT, "--max-examples", str(examples), "--seed", str(seed),
               "--continue-on-failure", "--no-color", "--report-json-path", str(found), *more]
    variables = {"SCHEMATHESIS_HOOKS": "tests.system.schema_hooks", "API_KEY": venue.words["key"],
                 "API_SECRET": venue.words["secret"]}
    subprocess.run(command, stdout=sys.stderr, cwd=folder, timeout=RUN_SECONDS_MAX, check=False,
                   env=os.environ | variables | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)})
    said = json.loads(found.read_text())
    cases = said["test_cases"]
    return Report(said["operations"]["tested"], cases["generated"], cases["unique_failures"],
                  len(said["errors"]) + cases["errored"], crashes(venue), seed, round(time.monotonic() - begun, 1))


def crashes(venue: RunningVenue) -> int:
    """Logs with an exception in them."""
    return sum("Traceback" in log.read_text() for log in (venue.data_dir / "logs").glob("*.log"))


def furnished(venue: RunningVenue) -> bool:
    """There have been trades, so that no question about them is answered with 503."""
    answer = httpx.get(f"{venue.words['rest']}/api/v3/ticker/24hr")
    return answer.status_code == 200 and all(ticker["count"] > 0 for ticker in answer.json())


def main() -> int:
    """Start a venue, ask it, tell."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--examples", type=int, default=100, help="random requests of each kind to each route")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    with temporary_data_dir() as folder, RunningVenue(folder / "venue", "--demo") as venue:
        wait_until(lambda: furnished(venue))
        report = run(venue, folder, chosen.examples, chosen.seed)
    print(json.dumps({name: getattr(report, name) for name in report.__struct_fields__}))
    return int(report.failures > 0 or report.errors > 0 or report.crashes > 0)


if __name__ == "__main__":
    sys.exit(main())
