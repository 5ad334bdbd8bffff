"""Reads the WebSocket frames of clients; frame_codec.pyx says how."""
from libc.stdint cimport uint8_t, uint64_t


cdef class FrameReader:
    cdef uint64_t _message_bytes_max
    cdef bytes _rest
    cdef bytearray _partial     # a fragmented message so far, else None
    cdef bint _ended

    cpdef list feed(self, bytes data)
    cdef Py_ssize_t _frame(self, const uint8_t* at, Py_ssize_t left, list found) except -1
    cdef bint _is_lawful(self, uint8_t first, int opcode, uint64_t length, list found) except -1
    cdef int _take(self, int opcode, bint fin, bytes payload, list found) except -1
    cdef int _message(self, bytes payload, list found) except -1
    cdef int _close(self, bytes payload, list found) except -1
    cdef int _fail(self, list found, int code, bytes reason) except -1
