"""`python -m tests.conformance [--json]`: the Autobahn cases on our WebSocket listeners; exit status 1 if one fails.

Autobahn's server under test sends every message back. Ours do not, so there are two kinds of runs: all cases on the
Listener that order entry and market streams are made of, with a Handler that sends text back; and on the two running
listeners those cases that want nothing back: pings, what must end a connection and how, the closing handshake.
"""
import argparse
import asyncio
import json
import sys
from pathlib import Path

import uvloop

from buttonwood.embedded import temporary_data_dir
from engine.config import Limits
from gateway.websocket import Connection, listen
from tests.clients.environments import python_with
from tests.conformance.report import Result, failures, table
from tests.system.running_venue import RunningVenue

JUDGE = Path(__file__).parent / "judge.py"
JUDGE_SECONDS_MAX = 600
MESSAGE_BYTES_MAX = 32 * 1024 * 1024    # the greatest case sends 16 MiB
_COMPRESSION = ("12", "13")


class Echo:
    """Sends every message back."""

    def opened(self, connection: Connection) -> None:
        """Remember where."""
        self._connection = connection

    def message(self, data: bytes) -> None:
        """The same again."""
        self._connection.send(data)

    def batch_end(self) -> None:
        """Nothing waits."""

    def closed(self) -> None:
        """Nothing to free."""


async def judged(address: str, cases: list[str]) -> list[Result]:
    """The results of these cases, all if none is named."""
    judge = await asyncio.create_subprocess_exec(
        str(python_with("kosoku")), str(JUDGE), address, *cases, stdout=asyncio.subprocess.PIPE, env={})
    async with asyncio.timeout(JUDGE_SECONDS_MAX):
        output, _ = await judge.communicate()
    results: list[Result] = json.loads(output)
    return results


async def of_listener() -> list[Result]:
    """All cases on the Listener class."""
    limits = Limits(ws_message_bytes_max=MESSAGE_BYTES_MAX, write_buffer_bytes_max=2 * MESSAGE_BYTES_MAX)
    listener = await listen(Echo, "127.0.0.1", 0, limits)
    try:
        return await judged(f"ws://127.0.0.1:{listener.port}/ws", [])
    finally:
        listener.close()
        await listener.wait_closed()


def of_venue(cases: list[str]) -> dict[str, list[Result]]:
    """These cases on both listeners of a running venue."""
    with temporary_data_dir() as folder, RunningVenue(folder / "venue", "--demo") as venue:
        addresses = {"order entry": venue.words["orders"], "market streams": venue.words["streams"]}
        return {name: asyncio.run(judged(address, cases)) for name, address in addresses.items()}


def main() -> int:
    """Run all."""
    parser = argparse.ArgumentParser(prog="tests.conformance", description=__doc__)
    parser.add_argument("--json", action="store_true", help="each case's result in JSON, instead of the table")
    given = parser.parse_args()
    listeners = {"listener, with an echo": uvloop.run(of_listener())}
    silent = [each["case"] for each in listeners["listener, with an echo"]
              if not each["echoes"] and each["case"].split(".")[0] not in _COMPRESSION]
    listeners |= of_venue(silent)
    print(json.dumps(listeners, indent=1) if given.json else table(listeners))
    wrong = [f"{name}: {line}" for name, results in listeners.items() for line in failures(results)]
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
