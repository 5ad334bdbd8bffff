"""One WebSocket connection: asyncio's bytes on one side, a Handler's messages on the other.

The rules of RFC 6455 are kept by websockets' sans-I/O ServerProtocol; compression is never offered. What is added here:
deadlines, limits, and one write per read or loop pass instead of one per message.

At a limit:
  message above ws_message_bytes_max           close 1009, decided at the frame's header
  more than connections_max                    503
  handshake above 16 KiB                       431
  handshake not complete in time               cut
  more unsent bytes than write_buffer_bytes_max   cut: a reader that slow has lost the stream anyway
  more than a quarter of that unsent           we stop reading and delivering until the peer has taken some, so that one
                                               who asks much before it reads is waited for, not cut
  no pong for pong_seconds_max                 close 1008
  closing handshake not done in time           cut
  an exception out of the handler              logged, close 1011, the process goes on
"""
import asyncio
import logging
import socket
from collections import deque
from typing import cast

from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import Event, State
from websockets.server import ServerProtocol

from gateway.frames import PING, text_frame
from gateway.handler import Handler, Owner

HANDSHAKE_BYTES_MAX = 16 * 1024
_log = logging.getLogger(__name__)
_protocol_log = logging.getLogger(__name__ + ".protocol")
_protocol_log.setLevel(logging.WARNING)  # the library tells of every connection
_FULL = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\nConnection: close\r\n\r\n"


class Connection(asyncio.Protocol):
    """The server's end of one socket. `send` and `close` never raise; on a closed connection they do nothing."""

    def __init__(self, owner: Owner) -> None:
        self.path = ""      # as sent, without the query
        self.query = ""     # after the "?", as sent
        self.peer = ""      # address:port
        self.wheel_slot = -1
        self._owner = owner
        self._protocol = ServerProtocol(max_size=owner.limits.ws_message_bytes_max, logger=_protocol_log)
        self._handler: Handler | None = None
        self._out: list[bytes] = []
        self._out_bytes = 0
        self._partial = bytearray()  # a fragmented message so far
        self._head_bytes = 0
        self._pong_at = 0.0
        self._open = False       # handshake done and nobody has started to close
        self._deaf = False       # we have started to close: what still comes in is dropped
        self._ending = False     # after what is queued, end our side of the stream
        self._reading = False    # inside data_received, which flushes at its end
        self._waiting = False    # the owner will flush
        self._delivered = False  # batch_end is due
        self._events: deque[Event] = deque()  # read and not delivered yet; one read at most
        self._choked = False     # the peer takes too little
        self._held = False       # the handler has enough to do

    # for handlers

    def send(self, payload: bytes) -> None:
        """Send one text message, joined with others until the end of the read or loop pass."""
        self.send_frame(text_frame(payload))

    def send_frame(self, frame: bytes) -> None:
        """Send a frame made by text_frame; the same bytes may go to any number of connections."""
        if not self._open:
            return
        self._out.append(frame)
        self._out_bytes += len(frame)
        if self._out_bytes > self._owner.limits.write_buffer_bytes_max:
            self.flush()
        elif not (self._reading or self._waiting):
            self._waiting = True
            self._owner.flush_soon(self)

    def close(self, code: int, reason: str) -> None:
        """Start the closing handshake after what was sent before; the reason is cut at 123 bytes."""
        if not self._open:
            return
        self._open, self._deaf = False, True
        self._protocol.send_close(code, reason.encode()[:123].decode(errors="ignore"))
        self._owner.wheel.add(self, self._owner.limits.close_seconds_max)
        self._collect()
        if not self._reading:
            self.flush()

    def hold(self, held: bool) -> None:
        """Stop reading requests, or go on: for a handler that has enough of them under way. Costs little to repeat."""
        if held == self._held:
            return
        self._held = held
        if held:
            self._transport.pause_reading()
        else:
            asyncio.get_running_loop().call_soon(self._go_on)

    def going_away(self) -> None:
        """The server stops: say so to a peer that is connected, cut one that has not come so far."""
        if self._open:
            self.close(CloseCode.GOING_AWAY, "shutting down")
        elif self._handler is None:
            self.abort()

    def abort(self) -> None:
        """Cut the connection; nothing more is sent or delivered."""
        self._open, self._deaf = False, True
        self._out.clear()
        self._out_bytes = 0
        self._transport.abort()

    @property
    def write_buffer_bytes(self) -> int:
        """Bytes sent by us that the operating system has not taken yet."""
        return self._out_bytes + self._transport.get_write_buffer_size()

    # for asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the handshake's deadline, or refuse when the house is full."""
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self.peer = f"{peer[0]}:{peer[1]}" if peer else ""
        if not self._owner.joined(self):
            self._transport.write(_FULL)
            self._transport.close()
            return
        limits = self._owner.limits
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, limits.socket_send_bytes)
        self._transport.set_write_buffer_limits(high=limits.write_buffer_bytes_max // 4)
        self._owner.wheel.add(self, limits.handshake_seconds_max)

    def data_received(self, data: bytes) -> None:
        """Read all frames, deliver the messages, then write once."""
        protocol = self._protocol
        self._reading = True
        protocol.receive_data(data)
        if protocol.state is State.CONNECTING:
            self._limit_handshake(len(data))
        elif protocol.state is not State.OPEN:
            self._open = False
        self._collect()
        self._events.extend(protocol.events_received())
        self._deliver()
        self._reading = False
        self.flush()

    def eof_received(self) -> bool:
        """The peer has stopped sending: the transport writes what is left and closes."""
        self._open = False
        self._protocol.receive_eof()
        return False

    def pause_writing(self) -> None:
        """The peer takes less than it asks for: stop reading its requests."""
        self._choked = True
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """The peer has caught up."""
        self._choked = False
        self._go_on()

    def connection_lost(self, exc: Exception | None) -> None:
        """The end; the handler hears of it once."""
        self._open, self._deaf = False, True
        self._out.clear()
        self._events.clear()
        self._owner.wheel.remove(self)
        self._owner.left(self)
        handler, self._handler = self._handler, None
        if handler is not None:
            try:
                handler.closed()
            except Exception:
                _log.exception("%s: the handler failed at the end of its connection", self.peer)

    # for the owner

    def on_timer(self, now: float) -> float:
        """A wait is over: cut a peer that is late with a handshake or a pong, else ping."""
        limits = self._owner.limits
        if not self._open or self._transport.is_closing():
            self.abort()
            return 0
        if now - self._pong_at >= limits.pong_seconds_max:
            self.close(CloseCode.POLICY_VIOLATION, "no pong")
            return 0
        self._transport.write(PING)
        return limits.ping_seconds

    def flush(self) -> None:
        """Write everything that waits, in one piece; cut the peer when too much stays unsent."""
        self._waiting = False
        if self._transport.is_closing():
            return
        if self._out:
            data = b"".join(self._out)
            self._out.clear()
            self._out_bytes = 0
            self._transport.write(data)
            if self._transport.get_write_buffer_size() > self._owner.limits.write_buffer_bytes_max:
                _log.info("%s: cut, it does not read what it asked for", self.peer)
                self.abort()
                return
        if self._ending:
            self._ending = False
            self._end()

    # steps

    def _collect(self) -> None:
        """Queue what the protocol wants to send. An empty write ends the stream: then the peer has to hang up soon."""
        for data in self._protocol.data_to_send():
            if data:
                self._out.append(data)
                self._out_bytes += len(data)
            else:
                self._open, self._ending = False, True
                self._owner.wheel.add(self, self._owner.limits.close_seconds_max)

    def _end(self) -> None:
        """Hang up when both sides have said good-bye; else end our side only, so that the peer can read why."""
        if self._protocol.close_rcvd is not None and self._protocol.close_sent is not None:
            self._transport.close()
        else:
            self._transport.write_eof()

    def _limit_handshake(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > HANDSHAKE_BYTES_MAX and not self._protocol.eof_sent:
            self._protocol.send_response(self._protocol.reject(431, "The handshake is above 16 KiB.\n"))

    def _go_on(self) -> None:
        """Deliver what was left over, then read again; unless there is a reason not to, still or anew."""
        if self._choked or self._held or self._transport.is_closing():
            return
        if self._events:
            self._reading = True
            self._deliver()
            self._reading = False
            self.flush()
        if not (self._choked or self._held or self._events or self._transport.is_closing()):
            self._transport.resume_reading()

    def _deliver(self) -> None:
        most = self._owner.limits.write_buffer_bytes_max // 4
        events = self._events
        try:
            while events and not (self._deaf or self._choked or self._held):
                event = events.popleft()
                if isinstance(event, Frame):
                    self._frame(event)
                elif isinstance(event, Request):
                    self._handshake(event)
                if self._out_bytes > most:
                    self.flush()
            if self._delivered and self._handler is not None:
                self._delivered = False
                self._handler.batch_end()
        except Exception:
            _log.exception("%s: the handler failed; its connection is closed", self.peer)
            self._fail(CloseCode.INTERNAL_ERROR, "internal error")

    def _handshake(self, request: Request) -> None:
        protocol = self._protocol
        if protocol.eof_sent:
            return
        protocol.send_response(protocol.accept(request))
        self._collect()
        if protocol.state is not State.OPEN:
            return
        self.path, _, self.query = request.path.partition("?")
        self._pong_at = asyncio.get_running_loop().time()
        self._open = True
        self._owner.wheel.add(self, self._owner.limits.ping_seconds)
        handler = self._owner.factory()
        self._handler = handler
        handler.opened(self)

    def _frame(self, frame: Frame) -> None:
        opcode = frame.opcode
        if opcode is Opcode.TEXT and frame.fin:
            self._message(bytes(frame.data))
        elif opcode is Opcode.TEXT or opcode is Opcode.CONT:
            self._partial += frame.data
            if frame.fin:
                data, self._partial = bytes(self._partial), bytearray()
                self._message(data)
        elif opcode is Opcode.BINARY:
            self._fail(CloseCode.UNSUPPORTED_DATA, "text messages only")
        elif opcode is Opcode.PONG:
            self._pong_at = asyncio.get_running_loop().time()

    def _message(self, data: bytes) -> None:
        if not (data.isascii() or _is_utf8(data)):
            self._fail(CloseCode.INVALID_DATA, "not UTF-8")
        elif self._handler is not None:
            self._delivered = True
            self._handler.message(data)

    def _fail(self, code: int, reason: str) -> None:
        """Close at once, without waiting for the peer's side of the closing handshake."""
        self._open, self._deaf = False, True
        if not self._protocol.eof_sent:
            self._protocol.fail(code, reason)
        self._collect()


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
