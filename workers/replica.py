"""A replica of the core from the journal's files: the same commands, hence the same state."""
import asyncio
from collections.abc import Callable
from pathlib import Path

from engine.core.exchange import Exchange
from engine.journal import read_frames
from engine.records import RECORD_BYTES

Apply = Callable[[memoryview, int], object]
_FRAMES_AT_ONCE = 64    # then the loop may do something else


async def replay(journal: Path, core: Exchange, to_seq: int, apply: Apply | None = None) -> int:
    """Apply the journal after core.seq up to and including to_seq; returns the seq reached, lower if the journal ends.

    `apply(commands, epoch)` replaces core.apply, for callers that want the events; it must apply them to this core.
    Raises JournalError for a damaged journal.
    """
    if core.seq >= to_seq or not journal.exists():
        return core.seq
    for number, frame in enumerate(read_frames(journal, core.seq + 1), 1):
        commands = upto(frame.commands, frame.first_seq, to_seq)
        if len(commands):
            apply(commands, frame.epoch) if apply else core.apply(commands)
        if core.seq >= to_seq:
            break
        if number % _FRAMES_AT_ONCE == 0:
            await asyncio.sleep(0)
    return core.seq


def upto(commands: memoryview, first_seq: int, to_seq: int) -> memoryview:
    """Those of a frame's commands that are not after to_seq."""
    return commands[:max(0, to_seq - first_seq + 1) * RECORD_BYTES]
