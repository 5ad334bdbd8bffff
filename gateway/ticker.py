"""Sends the engine its TICKs: a command that ends what has expired, written only when something is due.

The core knows no clock: it says when the next order or timer ends (`next_deadline_ns`), and is told the time by the
sequencer's stamp. Looked at every LOOK_SECONDS, so that something may end that much late. One TICK ends at most a
thousand things; the next follows when it is durable. A TICK that finds no room is tried again.
"""
import asyncio
import time
from contextlib import suppress

from engine.core.batch import Batch
from engine.core.unpack import Event
from engine.errors import Busy, Stopped
from engine.service import Engine

LOOK_SECONDS = 0.01


class Ticker:
    """Runs from `start` to `close`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._batch = Batch(1)
        self._waits = False      # a TICK is under way
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            due_ns = self._engine.core.next_deadline_ns
            if not self._waits and 0 < due_ns <= time.time_ns():
                self._tick()

    def _tick(self) -> None:
        self._batch.clear()
        self._batch.tick()
        with suppress(Busy, Stopped):
            self._engine.submit(self._batch, self._done)
            self._waits = True

    def _done(self, first_seq: int, events: list[Event]) -> None:
        self._waits = False
