"""Reads named SQL statements from the .sql files beside it: a statement stands below a line `-- name --`."""
import re
from functools import cache
from pathlib import Path

_HEAD = re.compile(r"^-- (\w+) --$", re.MULTILINE)


@cache
def script(file: str) -> str:
    """The whole of a file, for one that is run at once (schema.sql)."""
    return (Path(__file__).parent / file).read_text(encoding="utf-8")


@cache
def statements(file: str) -> dict[str, str]:
    """Name to statement. Raises ValueError when a name stands twice."""
    _, *parts = _HEAD.split(script(file))
    names, texts = parts[0::2], parts[1::2]
    if len(set(names)) != len(names):
        raise ValueError(f"{file}: a statement's name stands twice")
    return {name: text.strip() for name, text in zip(names, texts, strict=True)}
