"""Commands on their way to the sequencer. Native code adds one with `order` and fills in the rest of its fields."""
from libc.stdint cimport uint8_t

from engine.core.types cimport Command, ControlCommand


cdef class Batch:
    cdef Command* items
    cdef Py_ssize_t count
    cdef Py_ssize_t capacity
    cdef Py_ssize_t views

    # A zeroed command of this kind; the pointer is good until the next one is added.
    cdef Command* _order(self, uint8_t kind, Py_ssize_t account, Py_ssize_t instrument, text) except NULL
    cdef Command* _add(self, uint8_t kind, text) except NULL
    cdef ControlCommand* _control(self, uint8_t kind, Py_ssize_t account, Py_ssize_t instrument) except NULL
    cdef Command* _target(
        self, uint8_t kind, Py_ssize_t account, Py_ssize_t instrument, Py_ssize_t order_id, Py_ssize_t slot, text
    ) except NULL
    cdef int _room(self, Py_ssize_t added) except -1
    cdef int _resize(self, Py_ssize_t capacity) except -1
