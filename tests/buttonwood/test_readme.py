"""The README says what is so: every setting with its default, every command, every file it points to."""
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from buttonwood.cli import parse
from engine.config import Config

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def settings(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield from settings(value, f"{prefix}{key}.")
        else:
            yield prefix + key, str(value).lower() if isinstance(value, bool) else str(value)


def documented() -> dict[str, str]:
    found = {}
    for keys, defaults in re.findall(r"^\| (`[a-z_]+[`a-z_., ]*) \| ([^|]*)\| [^|]*\|$", README, re.MULTILINE):
        names, values = re.findall(r"`([^`]+)`", keys), re.findall(r"`([^`]+)`", defaults)
        found |= dict(zip(names, values or [""] * len(names), strict=True))
    return found


def test_the_configuration_table_is_complete_and_right():
    assert documented() == dict(settings(msgspec.to_builtins(Config())))


def test_files_pointed_to_exist():
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target


def test_commands_shown_are_accepted():
    for line in ("up --demo", "exchange", "worker ledger market_data", "feed", "rest", "setup --listing x", "traders",
                 "keys make --account 2 --kind ed25519", "keys list", "keys revoke KEY", "verify --json"):
        assert line.split()[0] in README
        parse(line.split())


def test_it_says_plainly_what_it_is_not():
    assert re.search(r"Compatible with Binance.*not affiliated", README)
