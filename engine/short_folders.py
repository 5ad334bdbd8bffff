"""Socket folders outside the data directory: for paths that are too long for a socket, named after what they belong to.

Such a folder outlives a killed process and a deleted data directory. It holds the name of what it belongs to, and
whoever makes another one deletes those of the same user whose owner is no longer there.
"""
import hashlib
import os
import re
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

_NAME = re.compile(r"buttonwood-(\d+)-[0-9a-f]{12}")
_NOTE = "belongs_to"


def short_folder(owner: Path, uid: int) -> Path:
    """Where the sockets of this path lie; the same for all processes. It is not made."""
    name = hashlib.sha256(os.fsencode(owner)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"buttonwood-{uid}-{name}"


def note_owner(folder: Path, owner: Path) -> None:
    """Write down whose folder it is, now that it is made, and delete those that are nobody's."""
    (folder / _NOTE).write_bytes(os.fsencode(owner))
    sweep()


def sweep() -> None:
    """Delete the folders whose owner is gone. Those of other users, and without a note, stay."""
    for folder in Path(tempfile.gettempdir()).glob("buttonwood-*-*"):
        found = _NAME.fullmatch(folder.name)
        with suppress(OSError):
            status = folder.lstat()
            ours = found is not None and stat.S_ISDIR(status.st_mode) and status.st_uid == int(found[1])
            owner = (folder / _NOTE).read_bytes() if ours else b""
            if owner and not os.path.lexists(owner):
                shutil.rmtree(folder)
