"""The replies to ordinary orders and cancels, written as finished frames; answers.pyx says what and how."""
cimport cython
from libc.stdint cimport int64_t, uint64_t

from engine.core.unpack cimport Event
from gateway.order_store cimport OrderStore
from gateway.terms cimport Terms, TermsTable
from gateway.text_buffer cimport TextBuffer


@cython.no_gc   # it refers to nothing that could refer to it
cdef class Answer:
    cdef bytes id                 # JSON, echoed
    cdef bint show_limits
    cdef int64_t unit_ns
    cdef Desk desk

    # The JSON of the result; `events` from begin to end are the command's, and the first is no refusal.
    cdef int write_body(self, TextBuffer out, list events, Py_ssize_t begin, Py_ssize_t end) except -1


cdef class Desk:
    cdef TermsTable terms
    cdef OrderStore store
    cdef object streams, subscribers, tag

    cdef dict expiry_reasons      # code: text


@cython.no_gc
cdef class PlaceAnswer(Answer):
    cdef int detail               # ACK_DETAIL and so on

    cdef int _result(
        self, TextBuffer out, Terms terms, list events, Py_ssize_t begin, Py_ssize_t end, uint64_t time) except -1


@cython.no_gc
cdef class CancelAnswer(Answer):
    cdef bytes cancel_id

cdef enum:
    ACK_DETAIL = 0
    RESULT_DETAIL = 1
    FULL_DETAIL = 2


cdef class AnswerWriter:
    cdef TextBuffer _out

    cpdef tuple write(self, list items, Py_ssize_t index, list events, Py_ssize_t begin)
    cpdef bytes taken(self)
    cdef bint _write(self, Answer answer, list events, Py_ssize_t begin, Py_ssize_t end) except -1


cpdef Py_ssize_t end_of_command(list events, Py_ssize_t begin) except -1
