"""Replies of one connection in the order of its requests; lane.pyx says how."""
from engine.core.batch cimport Batch
from gateway.answers cimport Answer, AnswerWriter
from gateway.outlet cimport Outlet


cdef class Lane:
    cdef readonly Batch batch           # the commands of this read
    cdef readonly Py_ssize_t pending    # requests that wait for the engine
    cdef Py_ssize_t _pending_max, _commands_max
    cdef object _submit_to, _when_done, _answer, _refuse, _settled
    cdef Outlet _outlet
    cdef AnswerWriter _writer
    cdef list _items                    # of this read, in order
    cdef object _submitted              # items of each submission, oldest first

    cpdef int add(self, Answer answer) except -1
    cpdef int submit(self) except -1
    cdef int _queue(self, tuple item) except -1
    cdef Py_ssize_t _finish(self, item, first_seq, list events, Py_ssize_t start) except -1
