"""Where the product touches the world outside, and what stands there during a schedule. One list, nothing hidden.

tests/system/test_simulator.py compares it with what engine and workers import, so that a new clock, thread or file
call cannot stay outside unnoticed.
"""
import contextlib
import fcntl
import logging
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import engine.checkpoints
import engine.journal_writer
import engine.recovery
import engine.reserve
import engine.service
import engine.snapshots
import engine.spare
import workers.ledger
import workers.snapshots
from engine.core.batch import Batch
from engine.service import Engine
from tests.system.simulator.auditor import split
from tests.system.simulator.disk_calls import DiskCalls
from tests.system.simulator.journal_disk import SimDiskThread, SimJournalThread
from tests.system.simulator.small_core import small_core
from tests.system.simulator.store import SimLedgerStore, SimPostgres
from tests.system.simulator.threads import SimEvent, SimExecutor
from tests.system.simulator.world import World

LOOK_SECONDS = 0.02         # schedules last some tenths of a second
Taken = Callable[[list[bytes]], None]


def _telling(submit: Callable[..., None], taken: Taken) -> Callable[..., None]:
    """What an engine takes, also from itself, is told in the order in which it is taken."""
    def telling(self: Engine, batch: Batch, done: Any) -> None:
        commands = split(memoryview(bytes(batch)))
        submit(self, batch, done)
        taken(commands)
    return telling


def _list(world: World, calls: DiskCalls, postgres: SimPostgres, taken: Taken) -> list[tuple[Any, str, Any]]:
    threads = [(module, name, what) for module in (engine.spare, engine.reserve)
               for name, what in (("ThreadPoolExecutor", lambda *_: SimExecutor(world)), ("Event", SimEvent))]
    modules = (engine.recovery, engine.service, engine.snapshots, workers.ledger, workers.snapshots)
    cores = [(module, "Exchange", small_core) for module in modules if hasattr(module, "Exchange")]
    return [
        *cores,
        *((os, name, call) for name, call in calls.replacements.items()),
        (fcntl, "flock", calls.flock),
        (time, "time_ns", world.clock_ns),
        (time, "monotonic_ns", lambda: world.now_ns),
        *threads,
        (engine.checkpoints, "LOOK_SECONDS", LOOK_SECONDS),
        (Engine, "submit", _telling(Engine.submit, taken)),
        (engine.journal_writer, "DiskThread", lambda: SimDiskThread(world, calls)),
        (engine.journal_writer, "Thread", SimJournalThread),
        (workers.ledger, "LedgerStore", lambda *_: SimLedgerStore(postgres))]


@contextlib.contextmanager
def simulated(world: World, calls: DiskCalls, postgres: SimPostgres, taken: Taken) -> Iterator[None]:
    """The product runs in this world, and says nothing to the log."""
    seams = _list(world, calls, postgres, taken)
    kept = [(place, name, getattr(place, name)) for place, name, _ in seams]
    logging.disable(logging.CRITICAL)
    try:
        for place, name, what in seams:
            setattr(place, name, what)
        yield
    finally:
        for place, name, what in kept:
            setattr(place, name, what)
        logging.disable(logging.NOTSET)
