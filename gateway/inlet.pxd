"""The way in of a connection; inlet.pyx says how."""
from gateway.frame_codec cimport FrameReader
from gateway.outlet cimport Outlet


cdef class Inlet:
    cdef public bint deaf        # we have started to close: what still comes in is dropped
    cdef public bint shaking     # the handshake is not done: the connection reads
    cdef bint _choked            # the peer takes too little
    cdef bint _held              # the handler has enough to do
    cdef bint _delivered         # batch_end is due
    cdef FrameReader _frames
    cdef list _events            # read; those from _next on are not delivered yet, of one read at most
    cdef Py_ssize_t _next
    cdef Py_ssize_t _most        # unsent bytes that are written in the middle of a read
    cdef Py_ssize_t _messages_max
    cdef Py_ssize_t _second, _messages   # in which second how many came
    cdef Outlet _outlet
    cdef object _connection, _transport, _handler, _message

    cpdef int hold(self, bint held) except -1
    cdef int _deliver(self) except -1
    cdef bint _waits(self) noexcept
    cdef bint _too_many(self) except -1
