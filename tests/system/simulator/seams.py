"""Where the product touches the world outside, and what stands there during a schedule. One list, nothing hidden.

tests/system/test_simulator.py compares it with what engine and workers import, so that a new clock, thread or file
call cannot stay outside unnoticed.
"""
import contextlib
import fcntl
import logging
import os
import time
from collections.abc import Iterator
from typing import Any

import engine.journal_writer
import engine.recovery
import engine.reserve
import engine.service
import engine.spare
import workers.ledger
from tests.system.simulator.disk_calls import DiskCalls
from tests.system.simulator.journal_disk import SimDiskThread, SimJournalThread
from tests.system.simulator.small_core import small_core
from tests.system.simulator.store import SimLedgerStore, SimPostgres
from tests.system.simulator.threads import SimEvent, SimExecutor
from tests.system.simulator.world import World


def _list(world: World, calls: DiskCalls, postgres: SimPostgres) -> list[tuple[Any, str, Any]]:
    threads = [(module, name, what) for module in (engine.spare, engine.reserve)
               for name, what in (("ThreadPoolExecutor", lambda *_: SimExecutor(world)), ("Event", SimEvent))]
    cores = [(module, "Exchange", small_core) for module in (engine.recovery, engine.service, workers.ledger)
             if hasattr(module, "Exchange")]
    return [
        *cores,
        *((os, name, call) for name, call in calls.replacements.items()),
        (fcntl, "flock", calls.flock),
        (time, "time_ns", world.clock_ns),
        (time, "monotonic_ns", lambda: world.now_ns),
        *threads,
        (engine.journal_writer, "DiskThread", lambda: SimDiskThread(world, calls)),
        (engine.journal_writer, "Thread", SimJournalThread),
        (workers.ledger, "LedgerStore", lambda *_: SimLedgerStore(postgres))]


@contextlib.contextmanager
def simulated(world: World, calls: DiskCalls, postgres: SimPostgres) -> Iterator[None]:
    """The product runs in this world, and says nothing to the log."""
    seams = _list(world, calls, postgres)
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
