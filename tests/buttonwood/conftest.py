"""Data directories that embedded servers can live in, also when the tests run as root."""
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from buttonwood.server_home import discard_home


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A short path that an unprivileged server may pass through; removed with everything servers put elsewhere."""
    path = Path(tempfile.mkdtemp(prefix="bw-"))
    path.chmod(0o711)
    yield path
    for server in ("postgres", "redis"):
        discard_home(path / server)
    shutil.rmtree(path)
