"""Copies a journal, also one that an engine is writing: every sound frame, and nothing behind the last one.

The copy is a journal of its own: it can be read, checked, and gone on with. Segments that a former copy holds already
are left as they are.
"""
import os
from pathlib import Path

from engine.frames import Frame
from engine.journal import Walk
from engine.segments import START, list_files

_PIECE_BYTES = 1024 * 1024
_TAIL_BYTES = 64 * 1024


def copy_journal(source: Path, target: Path, until_ns: int = 0) -> int:
    """Up to the last command that is not later than until_ns (0: all); its number.

    Raises JournalError when the journal is damaged, OSError.
    """
    target.mkdir(mode=0o700, exist_ok=True)
    files = list_files(source)
    if not files:
        return 0
    walk, ends, last_seq = Walk(source, files[0][0]), dict[Path, int](), 0
    for frame in walk:
        if until_ns and _time_ns(frame) > until_ns:
            break
        path = walk.segments[-1].path
        ends[path] = ends.get(path, START) + frame.size_bytes
        last_seq = frame.end_seq - 1
    for path, end in ends.items():
        _copy(path, target / path.name, end)
    for path in target.glob("*.journal"):
        if path.name not in {each.name for each in ends}:
            path.unlink()
    return last_seq


def _time_ns(frame: Frame) -> int:
    """0 for a frame that only opens an epoch."""
    return int.from_bytes(frame.commands[24:32], "little")


def _copy(source: Path, target: Path, end: int) -> None:
    """The bytes before `end`, then zeros to the segment's size."""
    size = source.stat().st_size
    if target.exists() and target.stat().st_size == size and _same_tail(source, target, end):
        return
    draft = target.with_suffix(".part")
    with source.open("rb") as old, open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as new:
        for begin in range(0, end, _PIECE_BYTES):
            new.write(old.read(min(_PIECE_BYTES, end - begin)))
        new.truncate(size)
        new.flush()
        os.fsync(new.fileno())
    draft.rename(target)


def _same_tail(one: Path, other: Path, end: int) -> bool:
    """Both hold the same last bytes before `end` and nothing of a frame behind: a segment is only ever added to."""
    begin = max(0, end - _TAIL_BYTES)
    with one.open("rb") as first, other.open("rb") as second:
        first.seek(begin)
        second.seek(begin)
        return first.read(end - begin) == second.read(end - begin) and not any(second.read(START))
