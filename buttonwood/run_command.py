"""Runs one of our processes: event loop, signals, log, and the exit status a supervisor understands.

Exit status: 0 ended because it was asked to (SIGTERM, SIGINT); 3 refuses to run and said why in one line; anything else
is a failure that a restart may mend.
"""
import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any

import uvloop

from buttonwood.parts import HALTED, REFUSED
from buttonwood.process_log import configure, log_refusal
from engine.config import Logs
from engine.errors import VenueError
from workers.ledger_errors import LedgerError

_AS_TEXT = Logs()


def run(main: Callable[[], Coroutine[Any, Any, None]], logs: Logs, role: str) -> int:
    """Run until it ends or a signal asks it to; the exit status. `role` names the process in its log."""
    configure(logs, role)
    try:
        uvloop.run(until_signal(main()))
    except BaseExceptionGroup as group:
        refusals = group.subgroup(VenueError)
        if refusals is None:
            raise
        return refuse(_first(refusals), logs)
    except VenueError as error:
        return refuse(error, logs)
    return 0


def refuse(error: BaseException, logs: Logs = _AS_TEXT) -> int:
    """Say why, in one line; the exit status."""
    log_refusal(logs, " ".join(str(error).split()))
    return HALTED if isinstance(error, LedgerError) else REFUSED


async def until_signal(work: Coroutine[Any, Any, None]) -> None:
    """Await the work; the first SIGINT or SIGTERM cancels it, later ones do not disturb its clearing up."""
    loop, task = asyncio.get_running_loop(), asyncio.ensure_future(work)
    asked = asyncio.Event()

    def stop() -> None:
        if not asked.is_set():
            asked.set()
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    try:
        await task
    except asyncio.CancelledError:
        if not asked.is_set():
            raise


def _first(group: BaseExceptionGroup[Any]) -> BaseException:
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner
