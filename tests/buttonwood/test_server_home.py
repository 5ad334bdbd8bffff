"""Embedded servers get a private folder of their own and change nobody else's."""
import os
import shutil
import stat
from pathlib import Path

import pytest

from buttonwood.server_home import (
    discard_home,
    make_data_dir,
    reachable,
    reachable_copy,
    server_account,
    server_home,
    socket_folder,
)
from engine.errors import ConfigError

AS_ROOT = os.geteuid() == 0


def rights(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)


def test_root_gives_servers_an_unprivileged_user(data_dir):
    account = server_account(data_dir)
    assert account.uid != 0
    assert account.change == AS_ROOT


def test_the_owner_of_the_data_directory_is_preferred(data_dir):
    owner = 65534 if AS_ROOT else os.geteuid()
    os.chown(data_dir, owner, -1)
    assert server_account(data_dir).uid == owner


def test_a_home_is_private_and_its_own(data_dir):
    before = rights(data_dir), rights(data_dir.parent)
    home = server_home(data_dir / "postgres")
    assert home.path == data_dir / "postgres"
    assert rights(home.path) == (home.account.uid, home.account.gid, 0o700)
    assert (rights(data_dir), rights(data_dir.parent)) == before
    assert server_home(data_dir / "postgres") == home


def test_a_home_moves_where_its_user_can_reach_it(tmp_path):
    """Folders below pytest's are closed to others. Started by an ordinary user, nothing needs to move."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    home = server_home(closed / "postgres")
    try:
        assert (home.path == closed / "postgres") == (not AS_ROOT)
        assert rights(closed)[2] == 0o700
        assert reachable(home.path, home.account)
        assert server_home(closed / "postgres") == home
        (home.path / "file").write_text("x")
    finally:
        discard_home(closed / "postgres")
    assert not home.path.exists() and not list(closed.iterdir())


def test_a_folder_of_somebody_else_is_refused():
    before = rights(Path("/usr"))
    with pytest.raises(ConfigError, match="/usr belongs to user 0"):
        server_home(Path("/usr"))
    assert rights(Path("/usr")) == before


def test_a_link_is_refused(data_dir):
    (data_dir / "elsewhere").mkdir()
    (data_dir / "postgres").symlink_to(data_dir / "elsewhere")
    with pytest.raises(ConfigError, match="choose another data_dir"):
        server_home(data_dir / "postgres")


def test_a_new_data_directory_lets_servers_pass_but_not_look(data_dir):
    make_data_dir(data_dir / "venue" / "data")
    assert rights(data_dir / "venue" / "data")[2] == (0o711 if AS_ROOT else 0o700)
    assert reachable(data_dir / "venue" / "data", server_account(data_dir))


def test_a_program_out_of_reach_is_copied_with_its_tree(data_dir, tmp_path):
    tree = tmp_path / "install"
    (tree / "bin").mkdir(parents=True)
    (tree / "bin" / "server").write_text("#!/bin/sh\ncat $(dirname $0)/../note\n")
    (tree / "bin" / "server").chmod(0o755)
    (tree / "note").write_text("together")
    tree.chmod(0o700)
    home = server_home(data_dir / "postgres")
    program = reachable_copy(tree / "bin" / "server", tree, home)
    assert (program == tree / "bin" / "server") == (not AS_ROOT)
    assert (program.parent.parent / "note").read_text() == "together"
    assert reachable_copy(tree / "bin" / "server", tree, home) == program


def test_sockets_move_when_the_path_would_be_too_long(data_dir):
    deep = data_dir / ("d" * 90)
    deep.mkdir(mode=0o711)
    home = server_home(deep / "redis")
    folder = socket_folder(home, "redis.sock")
    try:
        assert len(str(folder / "redis.sock")) < 100
        assert rights(folder) == (home.account.uid, home.account.gid, 0o700)
        assert socket_folder(home, "redis.sock") == folder
    finally:
        shutil.rmtree(folder)
