"""The way out of a connection; outlet.pyx says how."""


cdef class Turn:
    cdef list _outlets

    cdef int add(self, Outlet outlet) except -1


cdef class Outlet:
    cdef public bint open        # frames are taken
    cdef public bint reading     # inside a read, which flushes at its end
    cdef public bint behind      # the transport holds some of ours
    cdef public bint ending      # after what waits, our side of the stream ends
    cdef public bint asked       # a ping is under way whose answer shows that what came before it was read
    cdef public Py_ssize_t proof_bytes   # after so many bytes we ask, 0: never
    cdef public Py_ssize_t unproven      # bytes since the last answer
    cdef readonly Py_ssize_t queued_bytes
    cdef bint _waiting           # for the end of the pass
    cdef int _descriptor
    cdef Py_ssize_t _most
    cdef bytes _first
    cdef list _more
    cdef Turn _turn
    cdef object _connection

    cpdef int push(self, bytes frame) except -1
    cpdef int add(self, bytes data) except -1
    cpdef bint leave(self) except -1
    cpdef bytes taken(self)
