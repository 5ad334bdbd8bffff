"""The two sides of a connection: the Handler that a server writes, and the Owner that a listener is."""
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from websockets.typing import Origin

from engine.config import Limits
from gateway.outlet import Turn
from gateway.stragglers import Stragglers
from gateway.timer_wheel import TimerWheel

if TYPE_CHECKING:
    from gateway.connection import Connection


class Handler(Protocol):
    """What a connection is for; one per connection. All calls come on the loop and must not block."""

    def opened(self, connection: "Connection") -> None:
        """The handshake is done; connection.path, .query and .peer are known."""

    def message(self, data: bytes) -> None:
        """One complete text message, valid UTF-8."""

    def batch_end(self) -> None:
        """All messages of one read have been delivered."""

    def closed(self) -> None:
        """The last call, once, and only after `opened`."""


class Owner(Protocol):
    """What the listener lends to its connections."""

    limits: Limits
    wheel: TimerWheel
    turn: Turn
    stragglers: Stragglers
    factory: Callable[[], Handler]
    origins: Sequence[Origin | None] | None   # None: any

    def joined(self, connection: "Connection") -> bytes:
        """Count it in, or give the HTTP answer that refuses it."""

    def left(self, connection: "Connection") -> None:
        """Count it out."""
