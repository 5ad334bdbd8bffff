"""What a bot does and tells: its steps, its wishes to whoever started it, its last line. Standard library only."""
import asyncio
import json
import os
import sys
import time
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

STEP_SECONDS_MAX = 240.0
_PAUSE_SECONDS = 0.02


class Day:
    """`venue` is what the bot was told: addresses, keys, symbols, seconds."""

    def __init__(self, client: str) -> None:
        self.venue: dict[str, Any] = json.loads(os.environ["VENUE"])
        self._report: dict[str, Any] = {"client": client, "steps": 0, "passed": 0, "failed": 0, "seconds": 0.0}
        self._began = time.monotonic()

    async def step(self, name: str, action: Callable[[], Awaitable[None]]) -> None:
        """Do it; whether it succeeded is told, and does not keep the next from being tried."""
        if self.venue["steps"] not in name:
            return
        error = None
        try:
            async with asyncio.timeout(STEP_SECONDS_MAX + self.venue["seconds"]):
                await action()
        except Exception as failure:
            traceback.print_exc()
            error = f"{type(failure).__name__}: {failure}"
        self._report["steps"] += 1
        self._report["failed" if error else "passed"] += 1
        _say({"step": name, "error": error})

    async def wish(self, **wish: Any) -> dict[str, Any]:
        """Have something done to the venue; returns when it has been."""
        _say({"wish": wish})
        answer: dict[str, Any] = json.loads(await asyncio.to_thread(sys.stdin.readline))
        return answer

    def note(self, **facts: Any) -> None:
        """Something for the last line."""
        self._report.update(facts)

    def end(self) -> None:
        """The last line. Ends the process at once: a client's own threads may go on."""
        _say({**self._report, "seconds": round(time.monotonic() - self._began, 1)})
        os._exit(1 if self._report["failed"] else 0)


def _say(message: dict[str, Any]) -> None:
    print(json.dumps(message), flush=True)


async def wait_until(condition: Callable[[], Awaitable[Any]], what: str, seconds_max: float = 60.0) -> Any:
    """The first true answer of a question asked again and again. Raises TimeoutError saying what was waited for."""
    end = time.monotonic() + seconds_max
    while time.monotonic() < end:
        if answer := await condition():
            return answer
        await asyncio.sleep(_PAUSE_SECONDS)
    raise TimeoutError(what)


def same(found: Any, wanted: Any) -> None:
    """Raises AssertionError that shows both, which a bare assert outside pytest does not."""
    if found != wanted:
        raise AssertionError(f"{found!r}, expected {wanted!r}")
