"""The way out of a connection: frames wait for the end of the loop pass and then leave with one send(2).

While the socket takes everything, nothing but the system call is paid: asyncio's transport is passed by. What a socket
does not take, or what must be encrypted first, is the connection's business: it goes through the transport, and so does
everything after it until that is empty again (`behind`), so that no byte overtakes another.

The descriptor is used between `opened` and `shut` only: asyncio closes it after connection_lost, which calls `shut`.
"""
import asyncio
import logging

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE

cdef extern from *:
    """
    #include <sys/socket.h>
    #ifndef MSG_NOSIGNAL
    #define MSG_NOSIGNAL 0
    #endif
    """
    enum: MSG_DONTWAIT, MSG_NOSIGNAL
    ssize_t send(int fd, const void* data, size_t size, int flags) nogil

__all__ = ["Outlet", "Turn", "fan_out"]
_log = logging.getLogger(__name__)


cdef class Turn:
    """The outlets that have something to send when this pass of the loop ends."""

    def __init__(self):
        self._outlets = []

    cdef int add(self, Outlet outlet) except -1:
        if not self._outlets:
            asyncio.get_running_loop().call_soon(self.end)
        self._outlets.append(outlet)
        return 0

    def end(self):
        """Send; who cannot alone is flushed by its connection, and cut when that fails."""
        cdef Outlet outlet
        outlets, self._outlets = self._outlets, []
        for outlet in outlets:
            outlet._waiting = False
            if outlet.queued_bytes and not outlet.leave():
                try:
                    outlet._connection.flush()
                except Exception:
                    _log.exception("%s: write failed", outlet._connection.peer)
                    outlet._connection.abort()


cdef class Outlet:
    """Of one connection, which has `flush`, `abort`, `ask` and `peer`. `queued_bytes` wait here.

    What the kernels on both sides hold says nothing of who reads it: some hundred KB may lie there. So every
    `proof_bytes` the connection is told to `ask` for a sign that all before it was read.
    """

    def __init__(self, connection, Turn turn not None, Py_ssize_t most):
        self._connection, self._turn, self._most = connection, turn, most
        self._descriptor = -1

    def opened(self, int descriptor):
        """Plain bytes may be sent to this socket."""
        self._descriptor = descriptor

    def shut(self):
        """The socket is about to go; what waits is dropped."""
        self.open, self._descriptor = False, -1
        self.drop()

    def drop(self):
        """Forget what waits."""
        self._first, self._more, self.queued_bytes = None, None, 0

    cpdef int push(self, bytes frame) except -1:
        """Queue a frame if the connection is open; above the limit it is flushed at once."""
        if not self.open:
            return 0
        self.add(frame)
        if self.queued_bytes > self._most:
            self._connection.flush()
        elif not (self.reading or self._waiting):
            self._waiting = True
            self._turn.add(self)
        return 0

    cpdef int add(self, bytes data) except -1:
        """Queue bytes that the connection itself will flush."""
        if self._first is None:
            self._first = data
        elif self._more is None:
            self._more = [data]
        else:
            self._more.append(data)
        self.queued_bytes += PyBytes_GET_SIZE(data)
        return 0

    cpdef bint leave(self) except -1:
        """Send what waits; False when something is left for the transport."""
        cdef bytes data
        cdef ssize_t sent
        if self.unproven > self.proof_bytes and self.proof_bytes != 0 and self.open and not self.asked:
            self._connection.ask()
        if self._descriptor < 0 or self.behind:
            return False
        data = self.taken()
        sent = send(self._descriptor, PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data), MSG_DONTWAIT | MSG_NOSIGNAL)
        if sent == PyBytes_GET_SIZE(data):
            return True
        self.add(data[max(sent, 0):])   # an error is told by the transport, when it tries
        return False

    cpdef bytes taken(self):
        """What waits, as one piece; it waits no more."""
        cdef bytes data = self._first
        self.unproven += self.queued_bytes
        if self._more is not None:
            data = b"".join([data, *self._more])
        self._first, self._more, self.queued_bytes = None, None, 0
        return data if data is not None else b""


def fan_out(members, bytes frames not None, dict late=None):
    """Queue the same bytes at many outlets; with `late`, those that are behind are noted there instead."""
    cdef Outlet outlet
    for outlet in tuple(members):
        if late is not None and outlet.behind:
            late[outlet] = None
        else:
            outlet.push(frames)
