"""How far readers of the journal have come for good, told in files DATA/positions/NAME: what retention must keep.

A reader that may need commands again tells the last one it will never need again; telling late is safe, telling early
is not. A reader that is gone for good is forgotten by deleting its file.
"""
import os
from contextlib import suppress
from pathlib import Path

from engine.segments import sync_directory


def tell_position(directory: Path, name: str, seq: int) -> None:
    """This reader is done with every command up to seq. Raises OSError; the old position stays then.

    The content is not synced: a file that a power loss empties says 0, which holds everything until the next word. The
    name is, once: a reader that was known must not be forgotten.
    """
    directory.mkdir(mode=0o700, exist_ok=True)
    draft = directory / f"{name}.tmp"
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.pwrite(fd, f"{seq}\n".encode("ascii"), 0)
    finally:
        os.close(fd)
    path = directory / name
    known = path.exists()
    draft.rename(path)
    if not known:
        sync_directory(directory)
        sync_directory(directory.parent)


def positions(directory: Path) -> dict[str, int]:
    """Each reader's position; one that cannot be read is 0: it holds everything."""
    found = {}
    for path in sorted(directory.iterdir()) if directory.is_dir() else ():
        if path.suffix != ".tmp":
            found[path.name] = 0
            with suppress(OSError, ValueError):
                found[path.name] = max(0, int(path.read_text(encoding="ascii")))
    return found
