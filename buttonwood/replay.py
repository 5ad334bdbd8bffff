"""`buttonwood replay FILE`: sends an hour of recorded NASDAQ order flow (a LOBSTER file) through a venue's WebSocket.

Without --url it starts a private venue, with 100 funded traders, and stops it at the end. The flow goes over one
socket, in order, many requests in flight; with the order book file as --truth the top of book is compared state by
state. A crash of the exchange in the middle is waited out, and the replay goes on from where the venue is.
"""
import argparse
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from buttonwood.embedded import temporary_data_dir
from buttonwood.lobster import read_messages, read_states, to_steps
from buttonwood.replay_run import Figures, Replay
from buttonwood.replay_venue import (
    SYMBOL,
    Target,
    keys_of_file,
    keys_of_venue,
    private_venue,
    running_venue,
    target_at,
)
from buttonwood.run_command import refuse
from buttonwood.venue import Venue
from engine.config import Config
from engine.errors import ConfigError, VenueError

WINDOW = 512
WINDOW_MAX = 4096


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `buttonwood replay`; the exit status: 0 done, 1 the ledger is not sound, 3 refused (reason on stderr)."""
    options = _parser().parse_args(arguments)
    try:
        figures = uvloop.run(_replay(options))
    except VenueError as error:
        return refuse(error)
    if options.json:
        print(msgspec.json.encode(figures).decode(), flush=True)
    else:
        Console().print(_table(figures))
    return 1 if figures.verified is False else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="buttonwood replay", description="Send recorded NASDAQ order flow (a LOBSTER file) through a venue's "
        "WebSocket and compare what comes out with what really happened.",
        epilog="example: buttonwood replay message_50.csv.gz --truth orderbook_1.csv.gz --json")
    parser.add_argument("file", type=Path, metavar="FILE", help="message file of LOBSTER, .csv or .csv.gz")
    parser.add_argument("--truth", type=Path, metavar="FILE", help="its order book file (level 1), to compare with")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--window", type=int, default=WINDOW, metavar="N", help=f"requests in flight ({WINDOW})")
    parser.add_argument("--data", type=Path, metavar="DIR",
                        help="data of the venue that runs there, or else of the private one, which is then kept")
    parser.add_argument("--url", help="order entry of a running venue, ws://HOST:PORT/ws-api/v3")
    parser.add_argument("--streams-url", metavar="URL", help="its market streams, ws://HOST:PORT")
    parser.add_argument("--rest-url", metavar="URL", help="its REST address, http://HOST:PORT")
    parser.add_argument("--keys", type=Path, metavar="FILE", help='its HMAC keys: [{"apiKey", "secret"}, ...]')
    parser.add_argument("--symbol", default=SYMBOL, help=f"instrument with a tick of 0.01 and lots of 1 ({SYMBOL})")
    return parser


async def _replay(options: argparse.Namespace) -> Figures:
    if not 1 <= options.window <= WINDOW_MAX:
        raise ConfigError(f"--window {options.window}: give 1 to {WINDOW_MAX}")
    messages = read_messages(options.file)
    truth = read_states(options.truth) if options.truth else None
    async with _target(options) as target:
        steps = to_steps(messages, len(target.keys))
        with _progress() as progress:
            bar = progress.add_task(options.file.name, total=len(steps))
            replay = Replay(target, steps, options.window, lambda count: progress.advance(bar, count))
            return await replay.run(truth)


@asynccontextmanager
async def _target(options: argparse.Namespace) -> AsyncIterator[Target]:
    """The venue that the options name, or a private one for the time of the replay."""
    running = running_venue(options.data) if options.data else None
    if options.url or running is not None:
        yield _running_target(options, running)
    elif options.data:
        async with private_venue(options.data.absolute()) as (_, target):
            yield target
    else:
        with temporary_data_dir() as folder:
            async with private_venue(folder) as (_, target):
                yield target


def _running_target(options: argparse.Namespace, config: Config | None) -> Target:
    """Addresses and keys from the options, else from the settings of the venue that runs on --data."""
    if config is None and not (options.url and options.streams_url and options.rest_url and options.keys):
        raise ConfigError("--url: a venue elsewhere needs --streams-url, --rest-url and --keys as well; "
                          "for one on this machine --data DIR is enough")
    if config is None:
        keys = keys_of_file(options.keys)
        return Target(options.url, options.streams_url, options.rest_url, options.symbol, keys, None)
    keys = keys_of_file(options.keys) if options.keys else keys_of_venue(config)
    return target_at(Venue(config).addresses, options.symbol, keys, config)


def _progress() -> Progress:
    return Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
                    console=Console(file=sys.stderr), transient=True, refresh_per_second=4)


def _table(figures: Figures) -> Table:
    table = Table(show_header=False)
    for name, value in msgspec.to_builtins(figures).items():
        table.add_row(name, "-" if value is None else str(value))
    return table
