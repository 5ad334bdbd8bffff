"""See text_buffer.pxd. The memory grows by doubling and is kept; who fills it bounds what is written before `taken`."""
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy, memmove

cdef enum:
    HEAD = 4                 # of a frame of 126 to 65535 bytes
    LONG_HEAD = 10
    DIGITS_MAX = 40


cdef class TextBuffer:
    """Made empty; `taken` hands out what was written."""

    def __cinit__(self):
        self.data = NULL
        self.size = self._capacity = 0

    def __dealloc__(self):
        free(self.data)

    cdef int room(self, Py_ssize_t size) except -1:
        cdef Py_ssize_t capacity = self._capacity
        cdef char* data
        if self.size + size <= capacity:
            return 0
        capacity = max(4096, 2 * capacity, self.size + size)
        data = <char*>realloc(self.data, <size_t>capacity)
        if data == NULL:
            raise MemoryError(f"no memory for {capacity} bytes of replies")
        self.data, self._capacity = data, capacity
        return 0

    cdef int add(self, const char* data, Py_ssize_t size) except -1:
        self.room(size)
        memcpy(self.data + self.size, data, <size_t>size)
        self.size += size
        return 0

    cdef int add_bytes(self, bytes data) except -1:
        return self.add(PyBytes_AS_STRING(data), len(data))

    cdef int add_int(self, uint64_t value) except -1:
        self.room(DIGITS_MAX)
        self.size += wide_digits(self.data + self.size, value, 1)
        return 0

    cdef int add_e8(self, wide_t value) except -1:
        self.room(DIGITS_MAX + 2)
        self.size += wide_text_e8(self.data + self.size, value)
        return 0

    cdef int add_amount(self, wide_t minor, int scale) except -1:
        return self.add_e8(wide_e8(minor, scale))

    cdef Py_ssize_t open_frame(self) except -1:
        self.room(HEAD)
        self.size += HEAD
        return self.size - HEAD

    cdef int close_frame(self, Py_ssize_t begin) except -1:
        cdef Py_ssize_t length = self.size - begin - HEAD
        cdef Py_ssize_t head = HEAD
        cdef int place
        if length < 126:
            head = 2
        elif length > 0xFFFF:
            head = LONG_HEAD
            self.room(LONG_HEAD - HEAD)
        if head != HEAD:
            memmove(self.data + begin + head, self.data + begin + HEAD, <size_t>length)
            self.size += head - HEAD
        self.data[begin] = <char>0x81
        if head == 2:
            self.data[begin + 1] = <char>length
            return 0
        self.data[begin + 1] = <char>(126 if head == HEAD else 127)
        for place in range(head - 1, 1, -1):
            self.data[begin + place] = <char>(length & 0xFF)
            length >>= 8
        return 0

    cdef bytes taken(self):
        cdef bytes data = PyBytes_FromStringAndSize(self.data, self.size)
        self.size = 0
        return data
