"""One file, every key typed and bounded; what is wrong is named with its file and key."""
from pathlib import Path

import pytest

from engine.config import Config, load_config
from engine.errors import ConfigError
from engine.paths import SOCKET_PATH_BYTES_MAX


def test_without_a_file_everything_has_a_default():
    config = load_config()
    assert (config.rest.port, config.exchange.port, config.feed.port) == (8080, 8081, 8082)
    assert config.journal.segment_bytes == 256 * 1024 * 1024 and config.journal.frame_commands_max == 4096
    assert config.data_dir == str(Path("data").absolute())


def test_a_file_is_read_and_overrides_win(tmp_path: Path):
    file = tmp_path / "venue.toml"
    file.write_text('data_dir = "/srv/venue"\n[journal]\nsegment_bytes = 65536\nframe_commands_max = 7\n')
    config = load_config(file, journal={"segment_bytes": 4096}, rest={"port": 0})
    assert config.journal.segment_bytes == 4096 and config.journal.frame_commands_max == 7
    assert config.rest.port == 0 and config.data_dir == "/srv/venue"


@pytest.mark.parametrize(("text", "words"), [
    ("port = 1", "unknown field `port`"),
    ("[journal]\nsegment_byte = 4096", r"unknown field `segment_byte` - at `\$\.journal`"),
    ("[journal]\nsegment_bytes = 5", r">= 1024.*\$\.journal\.segment_bytes"),
    ('[rest]\nport = "80"', r"Expected `int`, got `str` - at `\$\.rest\.port`"),
    ("[rest]\nport = 65536", r"\$\.rest\.port"),
    ("[journal]\nframe_commands_max = 65537", r"\$\.journal\.frame_commands_max"),
    ("rest = 3", r"\$\.rest"),
    ('data_dir = ""', "data_dir is empty"),
    ("data_dir = ", "not valid TOML"),
])
def test_a_mistake_is_named(text: str, words: str, tmp_path: Path):
    file = tmp_path / "venue.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=words) as caught:
        load_config(file)
    assert str(file) in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path):
    with pytest.raises(ConfigError, match="No such file"):
        load_config(tmp_path / "nothing.toml")
    (tmp_path / "latin.toml").write_bytes(b'data_dir = "\xe9"')
    with pytest.raises(ConfigError, match="not valid TOML"):
        load_config(tmp_path / "latin.toml")


def test_nothing_can_be_changed_after_loading():
    with pytest.raises(AttributeError):
        load_config().rest.port = 1  # type: ignore[misc]


def test_sockets_lie_in_a_private_folder(tmp_path: Path):
    paths = load_config(data_dir=str(tmp_path / "venue")).paths
    paths.prepare()
    assert paths.run == tmp_path / "venue" / "run" and paths.run.stat().st_mode & 0o777 == 0o700
    paths.run.chmod(0o755)
    paths.prepare()
    assert paths.run.stat().st_mode & 0o777 == 0o700


def deep(tmp_path: Path) -> Config:
    return load_config(data_dir=str(tmp_path / ("deep" * 40)))


def test_a_deep_folder_gets_a_short_one_for_its_sockets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    paths = deep(tmp_path).paths
    assert paths.run.parent == tmp_path and paths.run == deep(tmp_path).paths.run
    assert paths.run != load_config(data_dir=str(tmp_path / ("deep" * 41))).paths.run
    assert SOCKET_PATH_BYTES_MAX <= 100
    paths.prepare()
    assert paths.run.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_is_a_file_is_named(tmp_path: Path):
    (tmp_path / "venue").touch()
    with pytest.raises(ConfigError, match="cannot be used"):
        load_config(data_dir=str(tmp_path / "venue")).paths.prepare()
