"""What REST says while its process is about to end: a refusal that names the reason, instead of a closed port.

A request that is being answered at that moment is answered. HTTP has no way to announce the end to clients that ask
nothing, so from then on nothing is begun any more: what is refused here is certain not to have been done.
"""
import asyncio
import math
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any

from gateway.refusals import SHUTTING_DOWN, Refusal

Message = MutableMapping[str, Any]
App = Callable[[Any, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]
_LOOK_SECONDS = 0.05


class Closing:
    """An ASGI application around another; `begin` turns its customers away."""

    def __init__(self, app: App) -> None:
        self._app, self._seconds = app, 0.0
        self._closing = False

    async def __call__(
            self, scope: Any, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]],
    ) -> None:
        """One request."""
        if not self._closing:
            await self._app(scope, receive, send)
            return
        body = Refusal(SHUTTING_DOWN).body()
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)),
                   (b"retry-after", b"%d" % max(1, round(self._seconds))), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": SHUTTING_DOWN.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def begin(self, seconds_max: float, connections: Collection[object]) -> None:
        """Refuse from now on; return after so long, sooner when all connections have gone."""
        self._closing, self._seconds = True, seconds_max
        for _ in range(math.ceil(seconds_max / _LOOK_SECONDS)):
            if not connections:
                return
            await asyncio.sleep(_LOOK_SECONDS)
