"""The settings a running venue's processes share: the user's file with every default, address and server filled in.

`buttonwood up` writes it to DATA/run/venue.toml (0600) for its children; commands beside a running venue (verify, keys)
read it there to find the servers.
"""
import fcntl
import json
import os
from pathlib import Path
from typing import IO, Any

import msgspec

from engine.config import Config, load_config
from engine.errors import DataDirLocked

_SETTINGS = "venue.toml"
_LOCK = "up.lock"


def settings_file(config: Config) -> Path:
    """Where the resolved settings of this data directory's venue lie."""
    return config.paths.run / _SETTINGS


def write_settings(config: Config) -> Path:
    """Write all settings so that only this user can read them, replacing the file in one step."""
    path = settings_file(config)
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(_toml(msgspec.to_builtins(config)))
    draft.rename(path)
    return path


def _toml(values: dict[str, Any]) -> str:
    """Tables of plain values. A JSON string, number, boolean or list of these is a TOML value as well."""
    plain = [f"{key} = {json.dumps(value)}" for key, value in values.items() if not isinstance(value, dict)]
    tables = [f"\n[{key}]\n{_toml(value)}" for key, value in values.items() if isinstance(value, dict)]
    return "\n".join(plain) + "\n" + "".join(tables)


def lock_venue(config: Config) -> IO[str]:
    """Hold this while supervising the data directory's venue. Raises DataDirLocked when another `up` does."""
    file = (config.paths.run / _LOCK).open("a+", encoding="ascii")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.seek(0)
        pid = file.read().strip()
        file.close()
        raise DataDirLocked(Path(config.data_dir), int(pid or 0)) from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def running_settings(config: Config) -> Config | None:
    """The settings of the venue that runs on this data directory now; None when none does."""
    try:
        lock_venue(config).close()
    except DataDirLocked:
        return load_config(settings_file(config))
    except OSError:
        pass
    return None
