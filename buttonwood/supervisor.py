"""Keeps all parts of a venue running on one machine: starts them in order, restarts what dies, stops them in order.

The order of stopping is the order of the data: traders, streams and REST first, then the workers, once they have
followed the exchange to its end, then the exchange, Redis and Postgres. A part that dies is started again after a pause
that doubles; a part that refuses to run, or fails restarts_max times in a row, stops the venue and says why. One that
is halted, because what it found needs a person, is tried again every halted_seconds while the venue goes on without
it; but a venue does not begin without it.
"""
import asyncio
import logging
import time

from buttonwood.leftovers import note_processes
from buttonwood.parts import Halted, Part, Refused
from engine.config import Config
from engine.errors import VenueError

_PAUSE_SECONDS_MIN = 0.1
_log = logging.getLogger(__name__)


class Supervisor:
    """Holds parts in the order they were started. `failed` gets the error that makes going on pointless."""

    def __init__(self, config: Config) -> None:
        self._config, self._limits = config, config.supervisor
        self._patience_seconds = config.supervisor.stop_seconds_max + config.limits.shutdown_notice_seconds
        self._keepers: dict[Part, asyncio.Task[None]] = {}
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def start(self, *parts: Part) -> None:
        """Start these side by side and return when all are ready; from now on they are kept running."""
        ready = [asyncio.Event() for _ in parts]
        for part, event in zip(parts, ready, strict=True):
            self._keepers[part] = asyncio.create_task(self._keep(part, event), name=part.name)
        everything = asyncio.create_task(_all_set(ready))
        try:
            await asyncio.wait([everything, self.failed], return_when=asyncio.FIRST_COMPLETED)
        finally:
            everything.cancel()
        if self.failed.done():
            await self.failed

    async def stop(self, *parts: Part) -> None:
        """Stop these side by side; parts that were never started are passed over."""
        await asyncio.gather(*(self._stop(part) for part in parts if part in self._keepers))

    async def stop_all(self) -> None:
        """Stop whatever still runs, last started first."""
        for part in reversed(list(self._keepers)):
            await self.stop(part)
        note_processes(self._config.paths.run, [])

    async def _keep(self, part: Part, ready: asyncio.Event) -> None:
        """Run one part for ever."""
        failures = 0
        while not self.failed.done():
            begun = time.monotonic()
            try:
                await part.start()
                _log.info("%s is ready", part.name)
                ready.set()
                self._note()
                reason = await part.ended()
            except Refused as error:
                return self._give_up(error)
            except Halted as error:
                if not ready.is_set():
                    return self._give_up(error)
                _log.critical("%s; the venue goes on without it, it is tried again in %g s", error,
                              self._limits.halted_seconds)
                await asyncio.sleep(self._limits.halted_seconds)
                continue
            except (VenueError, OSError) as error:
                reason = str(error)
            except Exception as error:
                return self._give_up(error)
            failures = 1 if time.monotonic() - begun > self._limits.healthy_seconds else failures + 1
            if failures > self._limits.restarts_max:
                return self._give_up(VenueError(f"{part.name} failed {failures} times in a row, last: {reason}"))
            _log.warning("%s: %s; starting it again", part.name, reason)
            await asyncio.sleep(min(_PAUSE_SECONDS_MIN * 2.0**min(failures, 16), self._limits.restart_seconds_max))
        return None

    def _give_up(self, error: Exception) -> None:
        if not self.failed.done():
            self.failed.set_exception(error)

    async def _stop(self, part: Part) -> None:
        keeper = self._keepers.pop(part)
        while not keeper.done():  # a start that is given up clears up; one that swallows this is asked again
            keeper.cancel()
            await asyncio.wait([keeper], timeout=2 * self._patience_seconds)
        await part.stop(self._patience_seconds)
        _log.info("%s is stopped", part.name)

    def _note(self) -> None:
        """Servers are not noted: the next supervisor adopts them."""
        processes = [part.process for part in self._keepers if part.process is not None and not part.adoptable]
        note_processes(self._config.paths.run, processes)


async def _all_set(events: list[asyncio.Event]) -> None:
    for event in events:
        await event.wait()
