"""The command `buttonwood`: one subcommand per process of a venue, one that runs them all, and tools around them."""
import argparse
import asyncio
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from buttonwood.run_command import refuse, run
from engine.config import Config, load_config
from engine.errors import VenueError

ROLES = ("ledger", "market_data", "snapshots")
# Modules are named, not imported: a process loads what it needs, and `keys` starts without the rest.
SERVICES = {
    "exchange": ("buttonwood.exchange_process", "the matching core with its journal, and order entry over WebSocket"),
    "feed": ("gateway.feed", "market streams over WebSocket, fed by Redis"),
    "rest": ("gateway.rest.app", "the HTTP interface"),
    "traders": ("buttonwood.traders", "the demo's simulated traders, for a venue that was started with --demo once"),
}


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] == ["replay"]:  # it has options of its own
        return int(import_module("buttonwood.replay").main(given[1:]))
    parsed = parse(given)
    try:
        return int(parsed.command(parsed))
    except VenueError as error:
        return refuse(error)


def parse(arguments: list[str]) -> argparse.Namespace:
    """The arguments by name; exits with an explanation when they make no sense."""
    return _parser().parse_args(arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="buttonwood", description="An exchange you can run yourself.",
                                     epilog="example: buttonwood up --demo")
    parser.add_argument("--version", action="version", version=_version())
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_up(commands)
    for name, (_, text) in SERVICES.items():
        _add(commands, name, _serve, text, f"buttonwood {name} --config venue.toml").set_defaults(service=name)
    _add_worker(commands)
    _add_setup(commands)
    _add_verify(commands)
    _add_ledger(commands)
    _add_backup(commands)
    _add(commands, "snapshot", _snapshot, "have a snapshot of the state written now", "buttonwood snapshot --data DIR")
    _add_journal(commands)
    commands.add_parser("replay", help="send recorded order flow through a venue and compare with what really happened")
    _add_keys(commands)
    return parser


def _add(commands: Any, name: str, command: Callable[[argparse.Namespace], int], text: str,
         example: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=text, description=text[0].upper() + text[1:] + ".", epilog=f"example: {example}")
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings in TOML (default: all defaults)")
    parser.add_argument("--data", metavar="DIR", help="data directory (default: data_dir of the settings, else ./data)")
    parser.set_defaults(command=command)
    return parser


def _add_up(commands: Any) -> None:
    parser = _add(commands, "up", _up, "start a whole venue on this machine and watch over it", "buttonwood up --demo")
    parser.add_argument("--demo", action="store_true", help="three instruments, funded accounts, simulated traders")
    parser.add_argument("--listing", type=Path, metavar="FILE", help="assets, instruments and accounts of a new venue")
    parser.add_argument("--rest-port", type=int, metavar="PORT", help="port of REST (0: any free one)")
    parser.add_argument("--orders-port", type=int, metavar="PORT", help="port of order entry over WebSocket")
    parser.add_argument("--streams-port", type=int, metavar="PORT", help="port of the market streams")


def _add_worker(commands: Any) -> None:
    parser = _add(commands, "worker", _worker, "follow the exchange and do the work of one or more roles",
                  "buttonwood worker ledger market_data --config venue.toml")
    parser.add_argument("roles", nargs="+", choices=ROLES, metavar="ROLE", help=" or ".join(ROLES))


def _add_setup(commands: Any) -> None:
    parser = _add(commands, "setup", _setup, "tell a running, still empty exchange what it shall offer",
                  "buttonwood setup --listing listing.toml --config venue.toml")
    parser.add_argument("--demo", action="store_true", help="the demo's")
    parser.add_argument("--listing", type=Path, metavar="FILE", help="those in a file")


def _add_verify(commands: Any) -> None:
    parser = _add(commands, "verify", _verify, "prove that the ledger adds up and agrees with the exchange",
                  "buttonwood verify --data DIR --json")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--full", action="store_true", help="prove everything again, not only what came since")
    parser.add_argument("--statement", type=Path, metavar="FILE",
                        help="lines CODE,total of what is kept for the venue outside: compare with what it owes")


def _add_backup(commands: Any) -> None:
    backup = _add(commands, "backup", _backup, "copy a venue while it trades; again: what came since",
                  "buttonwood backup /backups/monday --data DIR")
    restore = _add(commands, "restore", _restore, "make a venue from a backup, and prove it",
                   "buttonwood restore /backups/monday --data NEW --until 2026-11-21T12:00:00Z")
    for parser in (backup, restore):
        parser.add_argument("folder", type=Path, metavar="DIR", help="where the backup lies")
    restore.add_argument("--until", metavar="TIME", help="as it was then (ISO 8601; default: the end of the backup)")


def _add_ledger(commands: Any) -> None:
    parser = commands.add_parser("ledger", help="look after the ledger's tables in Postgres",
                                 epilog="example: buttonwood ledger archive --before 500000000 --to /archive")
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    action = _add(actions, "archive", _archive, "copy proven parts to files, check them, take them out of Postgres",
                  "buttonwood ledger archive --before 500000000 --to /archive --data DIR")
    action.add_argument("--before", type=int, required=True, metavar="SEQ", help="parts that end before this command")
    action.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="where the files go")


def _add_journal(commands: Any) -> None:
    parser = commands.add_parser("journal", help="look into the journal of commands, and check it",
                                 epilog="example: buttonwood journal check --data DIR")
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    _add(actions, "ls", _journal, "list the segments with their epochs, commands and times",
         "buttonwood journal ls --data DIR")
    dump = _add(actions, "dump", _journal, "show commands in words, one a line",
                "buttonwood journal dump --from 1000 --count 20")
    dump.add_argument("--from", type=int, dest="begin", metavar="SEQ", help="first command (default: the oldest)")
    dump.add_argument("--count", type=int, metavar="N", help="how many (default: all)")
    _add(actions, "check", _journal, "read every byte; exit status 0 sound, 1 damaged, with file, offset and remedy",
         "buttonwood journal check --data DIR")
    for name, action in actions.choices.items():
        action.add_argument("--json", action="store_true", help="print JSON")
        action.set_defaults(action=name)


def _add_keys(commands: Any) -> None:
    parser = commands.add_parser("keys", help="make, list and revoke API keys, make tokens",
                                 epilog="example: buttonwood keys make --account 2 --label bot")
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    make = _add(actions, "make", _keys, "make an API key", "buttonwood keys make --account 2 --kind ed25519")
    make.add_argument("--account", type=int, required=True, help="number of the account it acts for")
    make.add_argument(
        "--kind", choices=("hmac", "ed25519", "rsa"), default="hmac", help="how requests are signed (hmac)")
    make.add_argument("--label", default="", help="a note for yourself")
    _add(actions, "list", _keys, "list API keys, without their secrets", "buttonwood keys list --data DIR")
    revoke = _add(actions, "revoke", _keys, "take an API key away", "buttonwood keys revoke KEY")
    revoke.add_argument("key", help="the key's name")
    token = _add(actions, "token", _keys, "make a token for an account", "buttonwood keys token --account 2 --ttl 600")
    token.add_argument("--account", type=int, required=True, help="number of the account")
    token.add_argument("--ttl", type=int, default=3600, metavar="SECONDS", help="how long it is good (3600)")
    for name, action in actions.choices.items():
        action.set_defaults(action=name)


def _config(parsed: argparse.Namespace, **overrides: Any) -> Config:
    if parsed.data is not None:
        overrides["data_dir"] = parsed.data
    return load_config(parsed.config, **overrides)


def _up(parsed: argparse.Namespace) -> int:
    ports = {"rest": parsed.rest_port, "exchange": parsed.orders_port, "feed": parsed.streams_port}
    overrides = {section: {"port": port} for section, port in ports.items() if port is not None}
    return int(import_module("buttonwood.up").run_up(_config(parsed, **overrides), parsed.demo, parsed.listing))


def _serve(parsed: argparse.Namespace) -> int:
    config = _config(parsed)
    return run(lambda: import_module(SERVICES[parsed.service][0]).serve(config), config.logs, parsed.service)


def _worker(parsed: argparse.Namespace) -> int:
    config = _config(parsed)
    return run(lambda: import_module("workers.run").serve(config, parsed.roles), config.logs, ",".join(parsed.roles))


def _setup(parsed: argparse.Namespace) -> int:
    module = import_module("buttonwood.setup_command")
    return int(asyncio.run(module.run_setup(_config(parsed), parsed.demo, parsed.listing)))


def _archive(parsed: argparse.Namespace) -> int:
    command = import_module("buttonwood.archive_command").run_archive
    return int(asyncio.run(command(_config(parsed), parsed.before, parsed.to)))


def _verify(parsed: argparse.Namespace) -> int:
    command = import_module("buttonwood.verify_command").run_verify
    return int(asyncio.run(command(_config(parsed), parsed.json, parsed.full, parsed.statement)))


def _backup(parsed: argparse.Namespace) -> int:
    return int(asyncio.run(import_module("buttonwood.backup_command").run_backup(_config(parsed), parsed.folder)))


def _restore(parsed: argparse.Namespace) -> int:
    command = import_module("buttonwood.backup_command").run_restore
    return int(asyncio.run(command(_config(parsed), parsed.folder, parsed.until)))


def _snapshot(parsed: argparse.Namespace) -> int:
    return int(asyncio.run(import_module("buttonwood.snapshot_command").run_snapshot(_config(parsed))))


def _journal(parsed: argparse.Namespace) -> int:
    return int(import_module("buttonwood.journal_command").run_journal(_config(parsed), parsed))


def _keys(parsed: argparse.Namespace) -> int:
    return int(import_module("buttonwood.keys_command").run_keys(_config(parsed), parsed))


def _version() -> str:
    try:
        return f"buttonwood {version('buttonwood-exchange')}"
    except PackageNotFoundError:
        return "buttonwood, from a source folder"
