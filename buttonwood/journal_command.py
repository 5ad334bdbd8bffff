"""`buttonwood journal ls | dump | check`: what the journal holds, for people. Reads only, also beside a running venue.

Exit status of check: 0 sound, 1 damaged or missing; the text names file, offset and remedy. ls and dump say the same of
what they meet, status 1. The last commands shown of a running venue may not be durable yet.
"""
import argparse
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from engine.checkpoints import needs
from engine.config import Config
from engine.errors import JournalError
from engine.journal import read_frames
from engine.journal_survey import SegmentView, check, commands_of, survey
from engine.journal_text import commands
from engine.retention import Piece
from engine.segments import list_files

SOUND, DAMAGED = 0, 1
_NS = 1_000_000_000


def run_journal(config: Config, parsed: argparse.Namespace) -> int:
    """Do what was asked; the exit status."""
    actions = {"ls": _ls, "dump": _dump, "check": _check}
    try:
        actions[parsed.action](config, parsed)
    except JournalError as error:
        print(f"buttonwood: {error}", file=sys.stderr)
        return DAMAGED
    except BrokenPipeError:     # `dump | head` has seen enough
        sys.stderr.close()
    return SOUND


def _ls(config: Config, parsed: argparse.Namespace) -> None:
    views = survey(_existing(config))
    if parsed.json:
        print(msgspec.json.encode(views).decode())
    else:
        Console(width=None if sys.stdout.isatty() else 160).print(_table(views, _holders(config, views)))


def _dump(config: Config, parsed: argparse.Namespace) -> None:
    directory = _existing(config)
    begin = list_files(directory)[0][0] if parsed.begin is None else parsed.begin
    found = (command for frame in read_frames(directory, begin) for command in commands(frame))
    for command in _first(found, parsed.count):
        print(msgspec.json.encode(command).decode() if parsed.json else _line(command))


def _check(config: Config, parsed: argparse.Namespace) -> None:
    found = check(config.paths.journal)
    if parsed.json:
        print(msgspec.json.encode(found).decode())
        return
    print(f"sound: {found.commands:,} commands in {found.frames:,} frames of {found.epochs:,} runs in "
          f"{found.segments:,} segments, the last is command {found.last_seq}")
    if found.torn_bytes:
        print(f"behind the end lie {found.torn_bytes:,} bytes of a write that never became whole: it was not "
              "acknowledged, the next start clears it")


def _existing(config: Config) -> Any:
    if not list_files(config.paths.journal):
        raise JournalError(config.paths.journal, 0, "there is no journal",
                           "Choose the data directory of a venue with --data.")
    return config.paths.journal


def _first(found: Iterator[dict[str, Any]], count: int | None) -> Iterator[dict[str, Any]]:
    return found if count is None else islice(found, count)


def _line(command: dict[str, Any]) -> str:
    rest = [f"{name}={value}" for name, value in command.items() if name not in ("seq", "time_ns", "epoch", "kind")]
    return " ".join([f"{command['seq']:>10}", _time(command["time_ns"]), f"{command['kind']!s:10}", *rest])


def _time(time_ns: int) -> str:
    """UTC with all nine places: commands of different frames never have the same."""
    seconds, rest_ns = divmod(time_ns, _NS)
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{rest_ns:09d}Z"


def _holders(config: Config, views: list[SegmentView]) -> list[str]:
    """Who needs each segment (engine/retention.py); the last one is the journal's own."""
    found, firsts = needs(config), [int(view.file.split(".")[0]) for view in views]
    pieces = [Piece(view.file, first, following, view.size_bytes)
              for view, first, following in zip(views, firsts, [*firsts[1:], 2**63], strict=True)]
    return [" ".join(found.of(piece)) or "-" for piece in pieces]


def _table(views: list[SegmentView], holders: list[str]) -> Table:
    table = Table("segment", "size", "used", "frames", "commands", "epochs", "from", "to", "needed by", box=None)
    for view, held in zip(views, holders, strict=True):
        epochs = "-".join(map(str, dict.fromkeys((view.first_epoch, view.last_epoch))))
        times = [_time(at)[:23] if at else "-" for at in (view.first_time_ns, view.last_time_ns)]
        table.add_row(view.file, f"{view.size_bytes:,}", f"{view.used_bytes:,}", f"{view.frames:,}", commands_of(view),
                      epochs, *times, held)
    return table
