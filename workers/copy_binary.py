"""numpy rows to the bytes of Postgres' binary COPY, without a Python object per value.

Each row is one record of a packed big-endian dtype: column count, then (length, value) per column; so a whole batch is
filled in column by column. Only NOT NULL columns: smallint, int, bigint; the last one may be text of at most 36 bytes,
whose padding is cut out of the bytes. What is not ASCII becomes "?": Postgres refuses NUL and what is not UTF-8.
Format: header "PGCOPY\\n\\377\\r\\n\\0" + flags + extension length, rows, then -1 where the next count would stand.
"""
import numpy as np
from numpy.typing import NDArray

_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_TRAILER = b"\xff\xff"
_TEXT_BYTES = 36
_ASCII_MAX = 127
_BYTES = {"smallint": 2, "int": 4, "bigint": 8, "text": _TEXT_BYTES}


class CopyRows:
    """The layout of one table: encode(rows) for rows whose fields are named like the columns."""

    def __init__(self, **columns: str) -> None:
        self.columns = list(columns)
        self._bytes = {name: _BYTES[sql_type] for name, sql_type in columns.items()}
        fields: list[tuple[str, str]] = [("count", ">i2")]
        for name, sql_type in columns.items():
            size = self._bytes[name]
            value = f"S{size}" if sql_type == "text" else f">i{size}"
            fields += [(f"length of {name}", ">i4"), (name, value)]
        self._text = next((name for name, sql_type in columns.items() if sql_type == "text"), "")
        if self._text not in ("", self.columns[-1]):
            raise ValueError(f"{self._text}: only the last column may be text")
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
            if name == self._text:
                continue
            _check_range(name, values, size)
            encoded[name] = values
        return _HEADER + (self._with_text(encoded, rows) if self._text else encoded.tobytes()) + _TRAILER

    def _with_text(self, encoded: NDArray[np.void], rows: NDArray[np.void]) -> bytes:
        texts = np.ascontiguousarray(rows[self._text]).astype(f"S{_TEXT_BYTES}")
        lengths = np.char.str_len(texts)
        letters = texts.view("u1").reshape(-1, _TEXT_BYTES)
        used = np.arange(_TEXT_BYTES) < lengths[:, None]
        letters = np.where(used & ((letters == 0) | (letters > _ASCII_MAX)), ord("?"), letters)
        encoded[f"length of {self._text}"] = lengths
        whole = encoded.view("u1").reshape(-1, self._row.itemsize).copy()
        whole[:, -_TEXT_BYTES:] = letters
        kept = np.ones(whole.shape, bool)
        kept[:, -_TEXT_BYTES:] = used
        return whole[kept].tobytes()


def _check_range(name: str, values: NDArray[np.integer], size: int) -> None:
    limit = 2 ** (8 * size - 1)
    narrows = values.dtype.itemsize > size or (values.dtype.kind == "u" and values.dtype.itemsize == size)
    if narrows and len(values) and not (-limit <= int(values.min()) and int(values.max()) < limit):
        raise OverflowError(f"column {name} holds {size} bytes: {int(values.min())}..{int(values.max())} does not fit")
