"""Data directories that embedded servers can live in, also when the tests run as root."""
from collections.abc import Iterator
from pathlib import Path

import pytest

from buttonwood.embedded import temporary_data_dir


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """Empty, private, reachable for an unprivileged server; removed afterwards."""
    with temporary_data_dir() as path:
        yield path
