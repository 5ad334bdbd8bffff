"""One client's day: start a venue, run its bot in the client's own environment, hand back what the bot reported.

The bot writes JSON lines: {"wish": ...}, answered with one line when it is done; {"step": name, "error": text or null}
for each step; and last {client, steps, passed, failed, seconds}. A bot that ends without that line has failed.
"""
import json
import os
import subprocess
from typing import Any, NamedTuple

from tests.clients.environments import ROOT, python_with
from tests.clients.venue import DayVenue, day_venue

BOTS = ROOT / "tests" / "clients" / "bots"
DAY_SECONDS_MAX = 900


class Client(NamedTuple):
    """A library, and the bot that uses it."""

    bot: str
    requirements: tuple[str, ...]


CLIENTS = {
    "ccxt": Client("ccxt_rest.py", ("ccxt",)),
    "ccxt.pro": Client("ccxt_pro.py", ("ccxt",)),
    "python-binance": Client("python_binance.py", ("python-binance",)),
    "binance-sdk-spot": Client("sdk_spot.py", ("binance-sdk-spot",)),
}


def run_day(client: Client, seconds: float, rate: float, python: str | None = None,
            steps: str = "") -> tuple[dict[str, Any], list[str]]:
    """The bot's report and its errors. `seconds` is how long the book is watched; `steps` chooses by name."""
    executable = python or str(python_with(*client.requirements))
    with day_venue(rate) as venue:
        told = json.dumps({**venue.told(), "seconds": seconds, "steps": steps})
        bot = subprocess.Popen(["timeout", str(DAY_SECONDS_MAX), executable, str(BOTS / client.bot)], text=True,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               env={**_clean(), "VENUE": told})
        try:
            return _listen(bot, venue)
        finally:
            bot.terminate()
            bot.communicate()


def _clean() -> dict[str, str]:
    """Our environment, without anything of ours in it."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def _listen(bot: subprocess.Popen[str], venue: DayVenue) -> tuple[dict[str, Any], list[str]]:
    assert bot.stdin is not None and bot.stdout is not None
    report: dict[str, Any] = {"steps": 0, "passed": 0, "failed": 1}
    errors = []
    for line in bot.stdout:
        said = json.loads(line)
        if "wish" in said:
            bot.stdin.write(json.dumps(venue.carry_out(said["wish"])) + "\n")
            bot.stdin.flush()
        elif "step" in said:
            errors += [f"{said['step']}: {said['error']}"] if said["error"] else []
        else:
            report = said
    return report, errors
