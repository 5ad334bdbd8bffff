"""The settings file of a running venue says what the configuration says, to its owner only; one venue a directory."""
import stat
import tomllib

import pytest

from buttonwood.embedded import prepare
from buttonwood.resolved import lock_venue, running_settings, settings_file, write_settings
from engine.config import load_config
from engine.errors import DataDirLocked


@pytest.fixture
def config(tmp_path):
    config = load_config(data_dir=str(tmp_path / "data"), postgres={"dsn": "postgresql://a:'b\"\\c'@/d?host=%2Fx"},
                         limits={"ping_seconds": 1.5}, rest={"port": 0})
    prepare(config)
    return config


def test_what_is_written_reads_the_same(config):
    path = write_settings(config)
    assert load_config(path) == config
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert tomllib.loads(path.read_text())["limits"]["ping_seconds"] == 1.5


def test_only_one_supervisor_at_a_time(config):
    with lock_venue(config), pytest.raises(DataDirLocked, match="stop it first"):
        lock_venue(config)
    lock_venue(config).close()


def test_settings_count_only_while_the_venue_runs(config):
    assert running_settings(config) is None
    write_settings(config)
    assert running_settings(config) is None
    with lock_venue(config):
        assert running_settings(config) == config
    assert settings_file(config).exists()
