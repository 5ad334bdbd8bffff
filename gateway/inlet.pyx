"""The way in of a connection: what was read becomes messages, and each goes to the handler while nothing holds it up.

Messages wait here when the peer takes too little of what it is sent (`choke`) or the handler has enough to do (`hold`);
then the transport reads no more, so that what waits is the rest of one read. Control frames, the handshake and
whatever ends a connection are the connection's: it has `shake`, `control`, `close`, `flush` and `handler_failed`.
"""
import asyncio

from gateway.frame_codec cimport FrameReader
from gateway.outlet cimport Outlet

__all__ = ["Inlet"]

cdef enum:
    POLICY_VIOLATION = 1008


cdef class Inlet:
    """Of one connection. messages_second_max: 0 for any number; write_buffer_bytes_max: of what waits to be sent."""

    def __init__(self, connection, Outlet outlet not None, Py_ssize_t message_bytes_max,
                 Py_ssize_t messages_second_max, Py_ssize_t write_buffer_bytes_max):
        self._connection, self._outlet = connection, outlet
        self._frames = FrameReader(message_bytes_max)
        self._messages_max, self._most = messages_second_max, write_buffer_bytes_max // 4
        self._events = []
        self.shaking = True

    def opened(self, transport):
        """What to stop reading from."""
        self._transport = transport

    def begin(self, handler):
        """Messages are for this handler."""
        self._handler, self._message = handler, handler.message

    def shut(self):
        """The connection is gone: nothing is delivered any more; who handled its messages."""
        handler, self._handler, self._message = self._handler, None, None
        self.deaf = True
        self._events, self._next = [], 0
        return handler

    def received(self, bytes data not None):
        """Read all frames, deliver the messages, then write once: asyncio's data_received."""
        cdef list found
        self._outlet.reading = True
        if self.shaking:
            data = self._connection.shake(data)
        found = self._frames.feed(data)
        if self._waits():
            self._events.extend(found)
        else:
            self._events, self._next = found, 0
        if self._waits():
            self._deliver()
        self._outlet.reading = False
        if self._outlet.queued_bytes or self._outlet.ending:
            self._connection.flush()

    cpdef int hold(self, bint held) except -1:
        """Stop reading requests, or go on: for a handler that has enough of them under way. Costs little to repeat."""
        if held == self._held:
            return 0
        self._held = held
        if held:
            self._transport.pause_reading()
        else:
            asyncio.get_running_loop().call_soon(self.go_on)
        return 0

    def choke(self, bint choked):
        """The peer takes less than it asks for, or has caught up."""
        self._choked = choked
        if choked:
            self._transport.pause_reading()
        else:
            self.go_on()

    def go_on(self):
        """Deliver what was left over, then read again; unless there is a reason not to, still or anew."""
        if self._choked or self._held or self._transport.is_closing():
            return
        if self._waits():
            self._outlet.reading = True
            self._deliver()
            self._outlet.reading = False
            self._connection.flush()
        if not (self._choked or self._held or self._waits() or self._transport.is_closing()):
            self._transport.resume_reading()

    cdef bint _waits(self) noexcept:
        return self._next < len(self._events)

    cdef int _deliver(self) except -1:
        try:
            while self._waits() and (self.deaf or not (self._choked or self._held)):
                event = self._events[self._next]
                self._next += 1
                if self._messages_max and self._too_many():
                    self._connection.close(POLICY_VIOLATION, "too many messages in a second")
                if type(event) is not bytes:
                    self._connection.control(*event)
                elif not self.deaf and self._handler is not None:
                    self._delivered = True
                    self._message(event)
                if self._outlet.queued_bytes > self._most:
                    self._connection.flush()
            if self._delivered and self._handler is not None:
                self._delivered = False
                self._handler.batch_end()
        except Exception:
            self._connection.handler_failed()
        return 0

    cdef bint _too_many(self) except -1:
        """Count what came in this second."""
        cdef Py_ssize_t second = int(asyncio.get_running_loop().time())
        self._messages = self._messages + 1 if second == self._second else 1
        self._second = second
        return self._messages > self._messages_max
