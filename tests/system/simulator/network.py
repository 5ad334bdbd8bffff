"""Unix stream sockets between simulated processes: bytes arrive late and in pieces, connections break on either side.

Order within a connection holds, as in a real one. What was written and not taken over yet is lost when its writer dies
or the connection is cut; the two ends learn of a cut at different times.
"""
import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.system.simulator.world import MS, US, World

if TYPE_CHECKING:
    from tests.system.simulator.loop import SimLoop

_WINDOW_BYTES = 8192


class SimServer:
    """A listening socket; ends with its process."""

    def __init__(self, network: "Network", loop: "SimLoop", path: str, factory: Callable[[], asyncio.Protocol]) -> None:
        self._network, self.loop, self._path, self.factory = network, loop, path, factory

    def close(self) -> None:
        """Listen no more."""
        if self._network.servers.get(self._path) is self:
            del self._network.servers[self._path]

    async def wait_closed(self) -> None:
        """Connections are closed by their owners."""


class Network:
    """All sockets of a world. `faulty` False: nothing breaks by itself; delays stay."""

    def __init__(self, world: World) -> None:
        self.world, self.faulty = world, True
        self.servers: dict[str, SimServer] = {}
        self.connections: list[tuple[SimTransport, SimTransport]] = []
        self._dice, self._made = world.dice("network"), 0

    def listen(self, loop: "SimLoop", path: str, factory: Callable[[], asyncio.Protocol]) -> SimServer:
        """A server at this path; an old one of a dead process is replaced."""
        server = self.servers[path] = SimServer(self, loop, path, factory)
        loop.process.at_death.append(server.close)
        return server

    async def connect(
        self, loop: "SimLoop", path: str, factory: Callable[[], asyncio.Protocol]
    ) -> "tuple[SimTransport, asyncio.Protocol]":
        """Raises ConnectionRefusedError when nobody listens."""
        await asyncio.sleep(self._dice.uniform(0.00001, 0.0005))
        server = self.servers.get(path)
        if server is None or not server.loop.process.alive:
            raise ConnectionRefusedError(f"nobody listens at {path}")
        self._made += 1
        ours, theirs = factory(), server.factory()
        near = SimTransport(self.world, loop, ours, f"connection {self._made} near")
        far = SimTransport(self.world, server.loop, theirs, f"connection {self._made} far")
        near.peer, far.peer = far, near
        self.connections.append((near, far))
        for transport in (near, far):
            transport.loop.process.at_death.append(transport.vanish)
            transport.loop.call_soon(transport.protocol.connection_made, transport)
        return near, ours

    def cut(self) -> None:
        """Break one connection that lives."""
        living = [pair for pair in self.connections if not pair[0].gone and not pair[1].gone]
        self.connections = living
        if living:
            for transport in self._dice.choice(living):
                transport.broken(self._dice.choice((100 * US, 5 * MS, 900 * MS)), ConnectionResetError("cut"))


class SimTransport(asyncio.Transport):
    """One end of a connection."""

    peer: "SimTransport"

    def __init__(self, world: World, loop: "SimLoop", protocol: asyncio.Protocol, name: str) -> None:
        super().__init__()
        self.world, self.loop, self.protocol = world, loop, protocol
        self.gone = self._closing = self._lost = False
        self._buffer, self._high, self._low = bytearray(), 65536, 16384
        self._held = self._reading_paused = self._moving = False
        self._arrived = bytearray()
        self._dice = world.dice(name)

    # what asyncio's users call

    def write(self, data: Any) -> None:
        if self.gone or self._closing:
            return
        self._buffer += data
        if len(self._buffer) > self._high and not self._held:
            self._held = True
            self.protocol.pause_writing()
        self._move()

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            if not self._buffer:
                self._hang_up()

    def abort(self) -> None:
        self._closing = True
        self._buffer.clear()
        self._hang_up()

    def is_closing(self) -> bool:
        return self._closing or self.gone

    def get_write_buffer_size(self) -> int:
        return len(self._buffer)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._high = 65536 if high is None else high
        self._low = self._high // 4 if low is None else low

    def pause_reading(self) -> None:
        self._reading_paused = True

    def resume_reading(self) -> None:
        self._reading_paused = False
        self._hand_over()
        self.peer._move()

    def is_reading(self) -> bool:
        return not self._reading_paused

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    # how bytes and ends travel

    def vanish(self) -> None:
        """Its process has died: what it had not got rid of is lost, the other end hears the end."""
        if not self.gone:
            self.gone = True
            self._buffer.clear()
            self.peer.broken(self._dice.randrange(1, 3 * MS), None)

    def broken(self, delay_ns: int, error: Exception | None) -> None:
        """The connection is no more: nothing moves from now on, this end learns of it later."""
        self._buffer.clear()
        self.gone = True
        self.world.after(delay_ns, lambda: self._lose(error))

    def _hang_up(self) -> None:
        if not self.gone:
            self.gone = True
            self.world.after(0, lambda: self._lose(None))
            self.peer._end_of_stream(self._dice.randrange(1, MS))

    def _end_of_stream(self, delay_ns: int) -> None:
        if not self.gone:
            self.world.after(delay_ns, lambda: self.broken(0, None))

    def _lose(self, error: Exception | None) -> None:
        if self._lost or not self.loop.process.alive:
            return
        self._lost = self.gone = self._closing = True
        self.loop.call_soon(self.protocol.connection_lost, error)

    def _move(self) -> None:
        if self._buffer and not self._moving and not self.peer._reading_paused:
            self._moving = True
            self.world.after(self._dice.choice((5, 30, 300, 3000)) * US + self._dice.randrange(US), self._moved)

    def _moved(self) -> None:
        self._moving = False
        if self.gone or self.peer.gone or not self._buffer:
            return
        size = self._dice.randint(1, min(len(self._buffer), _WINDOW_BYTES))
        if self._dice.random() < 0.7:
            size = min(len(self._buffer), _WINDOW_BYTES)
        self.peer._arrived += self._buffer[:size]
        del self._buffer[:size]
        self.peer._hand_over()
        if self._held and len(self._buffer) <= self._low:
            self._held = False
            self.loop.call_soon(self.protocol.resume_writing)
        if self._buffer:
            self._move()
        elif self._closing:
            self._hang_up()

    def _hand_over(self) -> None:
        if self._arrived and not self._reading_paused and self.loop.process.alive:
            data = bytes(self._arrived)
            self._arrived.clear()
            self.loop.call_soon(self._received, data)

    def _received(self, data: bytes) -> None:
        if not self._lost and not self._closing:
            self.protocol.data_received(data)


