"""The snapshots role: follows the drop copy with a replica of the engine and writes its state to a file at each mark.

Marks are put into the journal by the exchange (engine/checkpoints.py), which tells the hash of the file in the journal
once it is there. While a file is written the role does not read: frames wait in the journal. A disk that is full
costs this snapshot, not the role; the next mark tries again.
"""
import asyncio
import logging

import numpy as np

from engine.config import Config
from engine.core.codes import CommandKind
from engine.core.exchange import Exchange, StateDiffers
from engine.errors import JournalError
from engine.follower import follow
from engine.frames import Frame
from engine.records import EVENT, RECORD_BYTES
from engine.recovery import ASTRAY, MARKS_ALL
from engine.snapshots import load_whole, newest_first, take
from engine.transfers import Transfers

_CHECKPOINT = int(CommandKind.CHECKPOINT)
_log = logging.getLogger(__name__)


class Snapshots:
    """Role of the worker process; `run` ends only by cancellation or failure. written: files made by this process."""

    def __init__(self, config: Config) -> None:
        self.written = 0
        self._config, self._paths = config, config.paths
        self._tried_seq = 0

    async def run(self) -> None:
        """Work. Raises JournalError, also when a checkpoint says that this replica went astray; SnapshotRefused."""
        core, transfers = self._newest()
        core.marks_max = MARKS_ALL if self._config.snapshots.prove else 0
        async for frame in follow(self._paths.dropcopy, core.seq + 1):
            try:
                await self._apply(core, transfers, frame)
            except StateDiffers as error:
                raise JournalError(self._paths.journal, 0, str(error), ASTRAY) from None
            await asyncio.sleep(0)

    def _newest(self) -> tuple[Exchange, Transfers]:
        """Of the newest sound snapshot, else the beginning."""
        loaded = load_whole(newest_first(self._paths.snapshots))
        if loaded is None:
            return Exchange(), Transfers()
        core, header, transfers = loaded
        self._tried_seq = header.seq
        return core, transfers

    async def _apply(self, core: Exchange, transfers: Transfers, frame: Frame) -> None:
        """Stop after each mark: the state right after it is what is written."""
        done = 0
        for place in _marks(frame):
            _take_in(core, transfers, frame.commands[done:(place + 1) * RECORD_BYTES])
            done = (place + 1) * RECORD_BYTES
            if core.seq > self._tried_seq:
                self._tried_seq = core.seq
                await asyncio.to_thread(self._write, core, transfers)
        _take_in(core, transfers, frame.commands[done:])

    def _write(self, core: Exchange, transfers: Transfers) -> None:
        try:
            path = take(core, transfers, self._paths, self._config.snapshots.keep)
        except OSError as error:
            _log.error("no snapshot of command %d: %s", core.seq, error)
            return
        if path is None:
            _log.warning("no snapshot of command %d: another process writes one", core.seq)
            return
        self.written += 1
        _log.info("wrote %s", path)


def _take_in(core: Exchange, transfers: Transfers, commands: memoryview) -> None:
    transfers.apply_rows(np.frombuffer(core.apply(commands), EVENT))


def _marks(frame: Frame) -> list[int]:
    """Places in the frame of CHECKPOINTs that are marks."""
    kinds = bytes(frame.commands[::RECORD_BYTES])
    return [place for place, kind in enumerate(kinds) if kind == _CHECKPOINT and _is_mark(frame, place)]


def _is_mark(frame: Frame, place: int) -> bool:
    return not any(frame.commands[place * RECORD_BYTES + 32:place * RECORD_BYTES + 40])
