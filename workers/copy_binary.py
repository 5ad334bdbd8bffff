"""numpy rows to the bytes of Postgres' binary COPY, without a Python object per value.

Each row is one record of a packed big-endian dtype: column count, then (length, value) per column; so a whole batch is
filled in column by column. Only NOT NULL integer columns: smallint, int, bigint.
Format: header "PGCOPY\\n\\377\\r\\n\\0" + flags + extension length, rows, then -1 where the next count would stand.
"""
import numpy as np
from numpy.typing import NDArray

_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_TRAILER = b"\xff\xff"
_BYTES = {"smallint": 2, "int": 4, "bigint": 8}


class CopyRows:
    """The layout of one table: encode(rows) for rows whose fields are named like the columns."""

    def __init__(self, **columns: str) -> None:
        self.columns = list(columns)
        self._bytes = {name: _BYTES[sql_type] for name, sql_type in columns.items()}
        fields: list[tuple[str, str]] = [("count", ">i2")]
        for name, size in self._bytes.items():
            fields += [(f"length of {name}", ">i4"), (name, f">i{size}")]
        self._row = np.dtype(fields)
        self._constant = np.zeros((), self._row)
        self._constant["count"] = len(self._bytes)
        for name, size in self._bytes.items():
            self._constant[f"length of {name}"] = size

    def encode(self, rows: NDArray[np.void]) -> bytes:
        """COPY bytes of these rows. Raises OverflowError when a value does not fit its column."""
        encoded = np.full(len(rows), self._constant)
        for name, size in self._bytes.items():
            values = rows[name]
            _check_range(name, values, size)
            encoded[name] = values
        return _HEADER + encoded.tobytes() + _TRAILER


def _check_range(name: str, values: NDArray[np.integer], size: int) -> None:
    limit = 2 ** (8 * size - 1)
    narrows = values.dtype.itemsize > size or (values.dtype.kind == "u" and values.dtype.itemsize == size)
    if narrows and len(values) and not (-limit <= int(values.min()) and int(values.max()) < limit):
        raise OverflowError(f"column {name} holds {size} bytes: {int(values.min())}..{int(values.max())} does not fit")
