"""Fan-out of one kind of data of one instrument: who listens under which name, and what was said last.

A frame is built once per name and wrapping and handed to all who listen; the updates of one read from Redis are joined,
so that they cost a listener one write (ten updates in one write: half a microsecond each, alone: five).

Who is behind (outlet.pyx) is not sent states of which only the newest counts, but that one as soon as it has caught up;
everything else waits for it, up to the limits of its connection.
"""
from typing import Protocol

from engine.market_channels import KLINES, STATES, Kind
from gateway.outlet import Outlet, fan_out
from gateway.websocket import Connection, text_frame


class Listener(Protocol):
    """Who is behind a connection, as the fan-out sees it."""

    connection: Connection

    def lost(self) -> None:
        """Messages of a diff stream are missing."""

    def shutdown(self, now_ms: int) -> None:
        """This process ends."""


class Audience:
    """The connections that hear one stream in one wrapping."""

    __slots__ = ("_head", "_last", "_tail", "late", "members")

    def __init__(self, name: str, combined: bool, conflated: bool) -> None:
        self.members: dict[Outlet, Listener] = {}
        self.late: dict[Outlet, None] | None = {} if conflated else None   # who was behind and will hear the newest
        self._head = b'{"stream":"%b","data":' % name.encode() if combined else b""
        self._tail = b"}" if combined else b""
        self._last = (b"", b"")   # payload and frame of the message repeated last

    def send(self, payloads: list[bytes]) -> None:
        """All of them, to everyone, as one piece."""
        frames = b"".join([self.frame(payload) for payload in payloads])
        fan_out(self.members, frames, self.late)

    def repeat(self, payload: bytes) -> None:
        """The same as last time, most likely: its frame is kept."""
        if self._last[0] is not payload:
            self._last = (payload, self.frame(payload))
        fan_out(self.members, self._last[1], self.late)

    def catch_up(self, payload: bytes | None) -> None:
        """Tell the newest state, if there is one, to those who were behind and have caught up."""
        for outlet in [outlet for outlet in self.late or () if not outlet.behind]:
            del self.late[outlet]   # type: ignore[union-attr]
            if payload is not None:
                outlet.push(self.frame(payload))

    def frame(self, payload: bytes) -> bytes:
        """The payload as this audience reads it."""
        return text_frame(self._head + payload + self._tail)


class Topic:
    """One kind of data of one instrument. `last` is kept for states only: late listeners and repeats need it."""

    __slots__ = ("_audiences", "_conflates", "_keeps", "last", "pending", "said")

    def __init__(self, kind: Kind) -> None:
        self.last: bytes | None = None
        self.pending: list[bytes] = []   # of the present read from Redis
        self.said = False                # something was sent since the last tick
        self._keeps = kind in STATES
        self._conflates = self._keeps and kind not in KLINES   # the end of a candle is told to everyone
        self._audiences: dict[bool, dict[tuple[str, bool], Audience]] = {False: {}, True: {}}   # at once; slow

    def join(self, name: str, slow: bool, combined: bool) -> Audience:
        """The audience of this name and wrapping, made when it is the first to listen."""
        key = (name, combined)
        audience = self._audiences[slow].get(key)
        if audience is None:
            audience = self._audiences[slow][key] = Audience(name, combined, self._conflates)
        return audience

    def leave(self, name: str, slow: bool, combined: bool, connection: Connection) -> None:
        """Take one listener out; an empty audience goes with it."""
        audience = self._audiences[slow][name, combined]
        del audience.members[connection.outlet]
        if audience.late:
            audience.late.pop(connection.outlet, None)
        if not audience.members:
            del self._audiences[slow][name, combined]

    def push(self, payload: bytes, refresh: bool) -> bool:
        """Take one message; True when it must be flushed. A refresh is news only to those who know nothing yet."""
        if self._keeps:
            known = self.last is not None
            self.last = payload
            if refresh and known:
                return False
        if not self._audiences[False]:
            return False
        self.pending.append(payload)
        return True

    def flush(self) -> None:
        """Send what is pending to those who want it at once."""
        for audience in self._audiences[False].values():
            audience.send(self.pending)
        self.pending.clear()
        self.said = True

    def catch_up(self) -> None:
        """Every 100 ms: what those who were behind have not heard."""
        for audiences in self._audiences.values():
            for audience in audiences.values():
                if audience.late:
                    audience.catch_up(self.last)

    def fast_tick(self) -> None:
        """Partial depth every 100 ms: the last message again, unless something was sent since the last tick."""
        if not self.said:
            self._repeat(slow=False)
        self.said = False

    def slow_tick(self) -> None:
        """Partial depth every 1000 ms: the newest message, for those who asked for this cadence."""
        self._repeat(slow=True)

    def _repeat(self, slow: bool) -> None:
        if self.last is not None:
            for audience in self._audiences[slow].values():
                audience.repeat(self.last)

    def listeners(self) -> list[Listener]:
        """Everyone, once per stream."""
        both = (*self._audiences[False].values(), *self._audiences[True].values())
        return [listener for audience in both for listener in audience.members.values()]
