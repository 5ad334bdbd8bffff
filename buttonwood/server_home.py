"""Where an embedded server keeps its files, and as whom it runs.

Postgres refuses to run as root. Started as root, servers therefore run as an unprivileged user that exists already: the
owner of the data directory, else `postgres`, else `nobody`. No directory but the server's own changes hands or rights.
When that user cannot reach the wanted place (data under /root, say), the home moves to /var/lib/buttonwood-HASH, which
only that user can read, and the file `location` in the wanted place tells where; later starts follow it. Not /var/tmp
first: many systems delete old files there.
"""
import hashlib
import logging
import os
import pwd
import shutil
import subprocess
from pathlib import Path

from msgspec import Struct

from engine.errors import ConfigError
from engine.paths import SOCKET_PATH_BYTES_MAX
from engine.short_folders import note_owner, short_folder

_SHELTERS = (Path("/var/lib"), Path("/var/tmp"))
_USERS = ("postgres", "nobody")
_POINTER = "location"
_log = logging.getLogger(__name__)


class Account(Struct, frozen=True):
    """Who a server runs as; `change` is False when it is the user we are."""

    uid: int
    gid: int
    change: bool


class Home(Struct, frozen=True):
    """A private folder (0700) of `account`."""

    path: Path
    account: Account

    def folder(self, name: str) -> Path:
        """A private folder inside it, made when missing."""
        return _own(self.path / name, self.account)


def server_account(data_dir: Path) -> Account:
    """Who embedded servers of this data directory run as."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), False)
    owner = data_dir.stat()
    if owner.st_uid != 0:
        return Account(owner.st_uid, owner.st_gid, True)
    for name in _USERS:
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(found.pw_uid, found.pw_gid, True)
    raise ConfigError(f"Postgres refuses to run as root and none of the users {', '.join(_USERS)} exists here: "
                      f"give {data_dir} to an unprivileged user, or set postgres.dsn and redis.url")


def make_data_dir(data_dir: Path) -> None:
    """Make it when missing: 0700, as root 0711 so that the servers' user can pass through to their own folders."""
    if not data_dir.exists():
        data_dir.parent.mkdir(parents=True, exist_ok=True)
        data_dir.mkdir(mode=0o700)
        if os.geteuid() == 0:
            data_dir.chmod(0o711)


def server_home(wanted: Path) -> Home:
    """The home for a server that wants to live at `wanted`, a name in an existing data directory."""
    account = server_account(wanted.parent)
    pointer = wanted.with_suffix("." + _POINTER)
    if pointer.exists():
        return Home(_own(Path(pointer.read_text(encoding="utf-8").strip()), account), account)
    if reachable(wanted.parent, account):
        return Home(_own(wanted, account), account)
    shelter = _shelter(wanted, account)
    pointer.write_text(f"{shelter}\n", encoding="utf-8")
    _log.warning("user %d cannot enter %s: its files go to %s (delete them with the data directory)",
                 account.uid, wanted.parent, shelter)
    return Home(shelter, account)


def socket_folder(home: Home, longest_name: str) -> Path:
    """A private folder for the server's sockets: in its home, or below /tmp when that path is too long."""
    near = home.path / "socket"
    if len(os.fsencode(near / longest_name)) <= SOCKET_PATH_BYTES_MAX:
        return _own(near, home.account)
    folder = _own(short_folder(near, home.account.uid), home.account)
    note_owner(folder, home.path)
    return folder


def reachable(path: Path, account: Account) -> bool:
    """True when `account` may enter (a folder) or run (a program) `path`."""
    if not account.change:
        return os.access(path, os.X_OK)
    test = subprocess.run(["/bin/sh", "-c", 'test -x "$0"', str(path)], cwd="/", check=False, user=account.uid,
                          group=account.gid, extra_groups=[])
    return test.returncode == 0


def reachable_copy(program: Path, tree: Path, home: Home) -> Path:
    """`program` itself, or, when the home's account cannot run it where it lies, its copy with all of `tree`."""
    if reachable(program, home.account):
        return program
    copy = home.folder("programs") / tree.name
    if not copy.exists():
        shutil.rmtree(draft := copy.with_name(tree.name + ".part"), ignore_errors=True)
        if tree.is_dir():
            shutil.copytree(tree, draft, symlinks=True)
        else:
            shutil.copy2(tree, draft)
        draft.rename(copy)
    return copy / program.relative_to(tree)


def discard_home(wanted: Path) -> None:
    """Delete a stopped server's files, wherever they are."""
    pointer = wanted.with_suffix("." + _POINTER)
    if pointer.exists():
        shutil.rmtree(pointer.read_text(encoding="utf-8").strip(), ignore_errors=True)
        pointer.unlink()
    shutil.rmtree(wanted, ignore_errors=True)


def _shelter(wanted: Path, account: Account) -> Path:
    name = "buttonwood-" + hashlib.sha256(os.fsencode(wanted.absolute())).hexdigest()[:12]
    for parent in _SHELTERS:
        if os.access(parent, os.W_OK) and reachable(parent, account):
            return _own(parent / name, account)
    raise ConfigError(f"user {account.uid}, as whom the server must run, cannot enter {wanted.parent}, and neither "
                      f"{' nor '.join(map(str, _SHELTERS))} can be used: choose another data_dir")


def _own(path: Path, account: Account) -> Path:
    """Make `path` a folder of `account` with 0700. A folder that belongs to someone else is refused, never taken."""
    try:
        path.mkdir(mode=0o700)
        if account.change:
            os.chown(path, account.uid, account.gid)
    except FileExistsError:
        found = path.lstat()
        if found.st_uid != account.uid or not path.is_dir() or path.is_symlink():
            raise ConfigError(f"{path} belongs to user {found.st_uid}, expected a folder of user {account.uid}: "
                              "give it back, or choose another data_dir") from None
        path.chmod(0o700)
    return path
