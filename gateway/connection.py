"""One WebSocket connection: asyncio's bytes on one side, a Handler's messages on the other.

The handshake is websockets' sans-I/O ServerProtocol, compression is never offered. Frames are read by frame_codec, who
keeps the rules of RFC 6455. What is added here: the closing handshake, deadlines, limits, and one write per read or
loop pass instead of one per message.

At a limit:
  message above ws_message_bytes_max           close 1009, decided at the frame's header
  more than connections_max                    503
  handshake above 16 KiB                       431
  handshake not complete in time               cut
  more unsent bytes than write_buffer_bytes_max   cut: a reader that slow has lost the stream anyway
  bytes unsent, or a ping behind 32 KiB unanswered, for feed.behind_seconds_max   cut, on market streams
  more than a quarter of that unsent           we stop reading and delivering until the peer has taken some, so that one
                                               who asks much before it reads is waited for, not cut
  no pong for pong_seconds_max                 close 1008
  more than messages_second_max frames         close 1008
  open for lifetime_seconds_max                close 1001, within ping_seconds
  another origin than one of `origins`         403
  more than address_connects_max connections of an address in 5 minutes   429
  closing handshake not done in time           cut
  an exception out of the handler              logged, close 1011, the process goes on
"""
import asyncio
import logging
import socket
import struct
from collections.abc import Callable
from typing import cast

from websockets.frames import CloseCode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from gateway.frame_codec import CLOSE, FAILURE
from gateway.frame_codec import PING as PINGED
from gateway.frames import PING, close_frame, pong_frame, text_frame
from gateway.handler import Owner
from gateway.inlet import Inlet
from gateway.outlet import Outlet

HANDSHAKE_BYTES_MAX = 16 * 1024
_HANDSHAKE_END = b"\r\n\r\n"
_AT_ONCE = struct.pack("ii", 1, 0)   # close with a reset
_log = logging.getLogger(__name__)
_protocol_log = logging.getLogger(__name__ + ".protocol")
_protocol_log.setLevel(logging.WARNING)  # the library tells of every connection


class Connection(asyncio.BaseProtocol):
    """The server's end of one socket. `send` and `close` never raise; on a closed connection they do nothing."""

    def __init__(self, owner: Owner) -> None:
        self.path = ""      # as sent, without the query
        self.query = ""     # after the "?", as sent
        self.peer = ""      # address:port
        self.address = ""
        self.wheel_slot = -1
        self._owner = owner
        self._protocol: ServerProtocol | None = ServerProtocol(   # until the handshake is done
            logger=_protocol_log, origins=owner.origins)
        self._opened_at = 0.0
        self._head_end = b""         # the last bytes of the handshake so far
        limits = owner.limits
        self._write_most = limits.write_buffer_bytes_max
        self.outlet = Outlet(self, owner.turn, self._write_most)
        self.inlet = Inlet(self, self.outlet, limits.ws_message_bytes_max, limits.messages_second_max, self._write_most)
        self.data_received: Callable[[bytes], None] = self.inlet.received   # called by asyncio
        self._head_bytes = 0
        self._pong_at = self._asked_at = 0.0
        self._close_sent = False
        self._close_received = False

    # for handlers

    def send(self, payload: bytes) -> None:
        """Send one text message, joined with others until the end of the read or loop pass."""
        self.send_frame(text_frame(payload))

    def send_frame(self, frame: bytes) -> None:
        """Send a frame made by text_frame; the same bytes may go to any number of connections."""
        self.outlet.push(frame)

    def close(self, code: int, reason: str) -> None:
        """Start the closing handshake after what was sent before; the reason is cut at 123 bytes."""
        if not self.outlet.open:
            return
        self._good_bye(code, reason.encode())
        self._owner.wheel.add(self, self._owner.limits.close_seconds_max)
        if not self.outlet.reading:
            self.flush()

    def hold(self, held: bool) -> None:
        """Stop reading requests, or go on: for a handler that has enough of them under way. Costs little to repeat."""
        self.inlet.hold(held)

    def going_away(self) -> None:
        """The server stops: say so to a peer that is connected, cut one that has not come so far."""
        if self.outlet.open:
            self.close(CloseCode.GOING_AWAY, "shutting down")
        elif self.inlet.shaking:
            self.abort()

    def abort(self) -> None:
        """Cut the connection; nothing more is sent or delivered."""
        self.inlet.deaf = True
        self.outlet.shut()
        self._transport.abort()

    @property
    def write_buffer_bytes(self) -> int:
        """Bytes sent by us that the operating system has not taken yet."""
        return self.outlet.queued_bytes + self._transport.get_write_buffer_size()

    # for asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the handshake's deadline, or refuse when the house is full."""
        self._transport = cast(asyncio.Transport, transport)
        self.inlet.opened(self._transport)
        peer = transport.get_extra_info("peername")
        self.peer = f"{peer[0]}:{peer[1]}" if peer else ""
        self.address = peer[0] if peer else ""
        refusal = self._owner.joined(self)
        if refusal:
            self._transport.write(refusal)
            self._transport.close()
            return
        limits = self._owner.limits
        self._plug = transport.get_extra_info("socket")
        self._plug.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, limits.socket_send_bytes)
        if transport.get_extra_info("sslcontext") is None:
            self.outlet.opened(self._plug.fileno())
        self._transport.set_write_buffer_limits(high=limits.write_buffer_bytes_max // 4)
        self._owner.wheel.add(self, limits.handshake_seconds_max)

    def eof_received(self) -> bool:
        """The peer has stopped sending: the transport writes what is left and closes."""
        self.outlet.open = False
        return False

    def pause_writing(self) -> None:
        """The peer takes less than it asks for: stop reading its requests."""
        self.inlet.choke(True)

    def resume_writing(self) -> None:
        """The peer has caught up."""
        self.inlet.choke(False)

    def connection_lost(self, exc: Exception | None) -> None:
        """The end; the handler hears of it once."""
        handler = self.inlet.shut()
        self.outlet.shut()
        self._owner.wheel.remove(self)
        self._owner.stragglers.discard(self)
        self._owner.left(self)
        if handler is not None:
            try:
                handler.closed()
            except Exception:
                _log.exception("%s: the handler failed at the end of its connection", self.peer)

    # for the owner

    def on_timer(self, now: float) -> float:
        """A wait is over: cut a peer that is late with a handshake or a pong, else ping."""
        limits = self._owner.limits
        if not self.outlet.open or self._transport.is_closing():
            self.abort()
            return 0
        if now - self._pong_at >= limits.pong_seconds_max:
            self.close(CloseCode.POLICY_VIOLATION, "no pong")
            return 0
        if now - self._opened_at >= limits.lifetime_seconds_max:
            self.close(CloseCode.GOING_AWAY, "connected for too long: connect again")
            return 0
        self.outlet.add(PING)
        self.flush()
        return limits.ping_seconds

    def flush(self) -> None:
        """Write everything that waits, in one piece; cut the peer when too much stays unsent."""
        outlet = self.outlet
        if self._transport.is_closing():
            outlet.drop()
            return
        if outlet.behind:
            self.catches_up()
        if outlet.queued_bytes and not outlet.leave():
            outlet.behind = True
            self._owner.stragglers.add(self)
            self._transport.write(outlet.taken())
            if self._transport.get_write_buffer_size() > self._write_most:
                self.cut()
                return
        if self.outlet.ending:
            self.outlet.ending = False
            self._end()

    def ask(self) -> None:
        """Ping: the answer will show that what was sent before has been read."""
        self.outlet.asked, self._asked_at = True, asyncio.get_running_loop().time()
        self.outlet.add(PING)
        self._owner.stragglers.add(self, self._asked_at)

    def catches_up(self) -> bool:
        """True when the system has taken everything, so that sockets are written to directly again, and the peer has
        read what it was asked about.
        """
        outlet = self.outlet
        if outlet.behind and not self._transport.get_write_buffer_size():
            outlet.behind = False
            self._owner.stragglers.discard(self)
            if outlet.asked:
                self._owner.stragglers.add(self, self._asked_at)
        return not (outlet.behind or outlet.asked)

    def cut(self) -> None:
        """End a connection whose peer does not take what it asked for; what the system still holds is dropped."""
        _log.info("%s: cut, it does not read what it asked for", self.peer)
        self._plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self.abort()

    # for the way in

    def shake(self, data: bytes) -> bytes:
        """Read on until the handshake is complete and answer it; the frames that came right behind it."""
        protocol = self._protocol
        if protocol is None or protocol.eof_sent:
            return b""
        found = (self._head_end + data).find(_HANDSHAKE_END)
        size = len(data) if found < 0 else found + len(_HANDSHAKE_END) - len(self._head_end)
        self._head_end = (self._head_end + data[:size])[1 - len(_HANDSHAKE_END):]
        self._head_bytes += size
        protocol.receive_data(data[:size])
        if protocol.state is State.CONNECTING and self._head_bytes > HANDSHAKE_BYTES_MAX and not protocol.eof_sent:
            protocol.send_response(protocol.reject(431, "The handshake is above 16 KiB.\n"))
        for event in protocol.events_received():
            if isinstance(event, Request) and not protocol.eof_sent:
                self._handshake(protocol, event)
        self._collect(protocol)
        return data[size:] if self._protocol is None else b""

    def control(self, kind: int, code: int, data: bytes) -> None:
        """A frame that is no message, or a breach of the rules."""
        if kind == FAILURE:
            self._fail(code, data)
        elif kind == CLOSE:
            self._close_received = True
            self._good_bye(code)
            self._wind_up()
        elif kind == PINGED:
            if self.outlet.open:
                self.outlet.add(pong_frame(data))
        else:
            self._pong_at = asyncio.get_running_loop().time()
            self.outlet.asked, self.outlet.unproven = False, 0
            if not self.outlet.behind:
                self._owner.stragglers.discard(self)

    def handler_failed(self) -> None:
        """Called in the handler of its exception: close, the process goes on."""
        _log.exception("%s: the handler failed; its connection is closed", self.peer)
        self._fail(CloseCode.INTERNAL_ERROR, b"internal error")

    # steps

    def _handshake(self, protocol: ServerProtocol, request: Request) -> None:
        protocol.send_response(protocol.accept(request))
        self._collect(protocol)
        if protocol.state is not State.OPEN:
            return
        self._protocol, self.inlet.shaking = None, False
        self.path, _, self.query = request.path.partition("?")
        self._pong_at = self._opened_at = asyncio.get_running_loop().time()
        self.outlet.open, self.outlet.proof_bytes = True, self._owner.stragglers.proof_bytes
        self._owner.wheel.add(self, self._owner.limits.ping_seconds)
        try:
            handler = self._owner.factory()
            self.inlet.begin(handler)
            handler.opened(self)
        except Exception:
            self.handler_failed()

    def _collect(self, protocol: ServerProtocol) -> None:
        """Queue the handshake's answer. An empty write ends the stream."""
        for data in protocol.data_to_send():
            if data:
                self.outlet.add(data)
            else:
                self._wind_up()

    def _good_bye(self, code: int, reason: bytes = b"") -> None:
        """Send our close frame, once; nothing but the peer's is listened to any more."""
        self.outlet.open, self.inlet.deaf = False, True
        if not self._close_sent:
            self._close_sent = True
            self.outlet.add(close_frame(code, reason))

    def _wind_up(self) -> None:
        """End our side of the stream after what is queued; the peer has to hang up soon."""
        self.outlet.open, self.outlet.ending = False, True
        self._owner.wheel.add(self, self._owner.limits.close_seconds_max)

    def _end(self) -> None:
        """Hang up when both sides have said good-bye; else end our side only, so that the peer can read why."""
        if (self._close_received and self._close_sent) or not self._transport.can_write_eof():
            self._transport.close()   # TLS has no half-closed streams
        else:
            self._transport.write_eof()

    def _fail(self, code: int, reason: bytes) -> None:
        """Close at once, without waiting for the peer's side of the closing handshake."""
        self._good_bye(code, reason)
        self._wind_up()
