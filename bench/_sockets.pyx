"""Native ends of sockets for the benches: a crowd of listeners that costs little, and the bare loop of send(2).

A crowd connects one by one, asks for a path, and then only answers pings and counts: bytes of each listener, and how
old the messages are that say when they were made ("E": nanoseconds since 1970), in steps of 10 us up to 2 s.
"""
import socket

from libc.errno cimport EAGAIN, errno
from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset
from posix.time cimport CLOCK_REALTIME, clock_gettime, timespec

cdef extern from *:
    """
    #ifndef _GNU_SOURCE
    #define _GNU_SOURCE
    #endif
    #include <string.h>
    #include <sys/epoll.h>
    #include <sys/socket.h>
    static const char PONG[6] = {(char)0x8a, (char)0x80, 0, 0, 0, 0};
    static int bench_watch(int epoll, int operation, int descriptor, uint32_t events, uint32_t number) {
        struct epoll_event event = {.events = events};
        event.data.u32 = number;
        return epoll_ctl(epoll, operation, descriptor, &event);
    }
    """
    const char* PONG
    enum: EPOLLIN, EPOLLHUP, EPOLLERR, EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD, MSG_DONTWAIT, MSG_NOSIGNAL
    ctypedef union epoll_data_t:
        uint32_t u32
    cdef struct epoll_event:
        uint32_t events
        epoll_data_t data
    int epoll_create1(int flags)
    int epoll_wait(int epoll, epoll_event* events, int most, int timeout_ms) nogil
    int bench_watch(int epoll, int operation, int descriptor, uint32_t events, uint32_t number) nogil
    ssize_t recv(int descriptor, void* data, size_t size, int flags) nogil
    ssize_t send(int descriptor, const void* data, size_t size, int flags) nogil
    void* memchr(const void* text, int wanted, size_t size) nogil
    void* memmem(const void* text, size_t size, const void* word, size_t length) nogil

cdef enum:
    STEP_NS = 10_000
    STEPS = 200_000
    READ_BYTES = 65536
    PONG_BYTES = 6
    AT_ONCE = 512
    WAKE = 0xFFFFFFFF   # stands for the descriptor that ends `listen`


def send_all(int[::1] descriptors, bytes data not None):
    """One send(2) a descriptor; how many sockets did not take all."""
    cdef Py_ssize_t at, short = 0, size = len(data)
    cdef const char* begin = data
    with nogil:
        for at in range(descriptors.shape[0]):
            short += send(descriptors[at], begin, size, MSG_DONTWAIT | MSG_NOSIGNAL) != size
    return short


cdef class Crowd:
    """`count` listeners to one path; `wake` is a descriptor whose input ends `listen`."""
    cdef readonly list sockets
    cdef readonly int gone              # listeners that were cut
    cdef readonly double last_gone_s    # when, seconds since 1970
    cdef int _epoll
    cdef int* _descriptors
    cdef uint64_t* _bytes
    cdef uint32_t* _ages
    cdef char _data[READ_BYTES]

    def __cinit__(self, str host, int port, bytes request, int count, int wake):
        self._bytes = <uint64_t*>calloc(count, sizeof(uint64_t))
        self._descriptors = <int*>calloc(count, sizeof(int))
        self._ages = <uint32_t*>calloc(STEPS, sizeof(uint32_t))
        self._epoll = epoll_create1(0)
        if self._bytes == NULL or self._descriptors == NULL or self._ages == NULL or self._epoll < 0:
            raise MemoryError("no memory for the crowd")
        self.sockets = []
        bench_watch(self._epoll, EPOLL_CTL_ADD, wake, EPOLLIN, <uint32_t>WAKE)
        for number in range(count):
            plug = socket.create_connection((host, port))
            plug.sendall(request)
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += plug.recv(1)
            assert b" 101 " in head, head
            self.sockets.append(plug)
            self._descriptors[number] = plug.fileno()
            bench_watch(self._epoll, EPOLL_CTL_ADD, plug.fileno(), EPOLLIN, number)

    def __dealloc__(self):
        free(self._bytes)
        free(self._descriptors)
        free(self._ages)

    def forget(self):
        """Count from nothing."""
        memset(self._bytes, 0, len(self.sockets) * sizeof(uint64_t))
        memset(self._ages, 0, STEPS * sizeof(uint32_t))

    def deafen(self, int number):
        """This listener reads no more; that it is cut is still seen."""
        bench_watch(self._epoll, EPOLL_CTL_MOD, self.sockets[number].fileno(), 0, number)

    def heard(self, int first=0):
        """(fewest, most) bytes that a listener has got, from the `first` one on."""
        counts = [self._bytes[number] for number in range(first, len(self.sockets))]
        return min(counts), max(counts)

    def age_us(self, double percent):
        """The age below which so many percent of the messages were when they arrived; 0 without any."""
        cdef uint64_t total = 0, seen = 0
        cdef Py_ssize_t step
        for step in range(STEPS):
            total += self._ages[step]
        for step in range(STEPS):
            seen += self._ages[step]
            if seen and seen >= total * percent / 100:
                return (step + 1) * STEP_NS / 1000
        return 0.0

    def listen(self):
        """Read until there is input at `wake`."""
        cdef epoll_event events[AT_ONCE]
        cdef int at, ready
        cdef bint woken = False
        with nogil:
            while not woken:
                ready = epoll_wait(self._epoll, events, AT_ONCE, -1)
                for at in range(ready):
                    if events[at].data.u32 == <uint32_t>WAKE:
                        woken = True
                    else:
                        self._read(events[at].data.u32, events[at].events)

    cdef void _read(self, uint32_t number, uint32_t events) noexcept nogil:
        cdef int descriptor = self._descriptors[number]
        cdef ssize_t size = 0
        if events & EPOLLIN:
            size = recv(descriptor, self._data, READ_BYTES, MSG_DONTWAIT)
        if size > 0:
            self._bytes[number] += size - 2 * self._answer_pings(descriptor, size)
            self._note_ages(size)
        elif not (size < 0 and errno == EAGAIN):
            bench_watch(self._epoll, EPOLL_CTL_DEL, descriptor, 0, number)
            self.gone += 1
            self.last_gone_s = _now_ns() / 1e9

    cdef int _answer_pings(self, int descriptor, ssize_t size) noexcept nogil:
        """Their number. A ping is 89 00; 89 elsewhere is the length of a frame, and no length is followed by 00."""
        cdef const char* at = self._data
        cdef const char* end = at + size
        cdef int found = 0
        while True:
            at = <const char*>memchr(at, 0x89, end - at)
            if at == NULL:
                return found
            at += 1
            if at == end or at[0] == 0:
                found += 1
                send(descriptor, PONG, PONG_BYTES, MSG_DONTWAIT)

    cdef void _note_ages(self, ssize_t size) noexcept nogil:
        cdef const char* at = self._data
        cdef const char* end = at + size
        cdef int64_t made, step, now = _now_ns()
        while True:
            at = <const char*>memmem(at, end - at, b'"E":', 4)
            if at == NULL:
                return
            at += 4
            made = 0
            while at < end and 48 <= at[0] <= 57:
                made = made * 10 + at[0] - 48
                at += 1
            step = (now - made) // STEP_NS
            if at < end:
                self._ages[min(max(step, 0), STEPS - 1)] += 1


cdef int64_t _now_ns() noexcept nogil:
    cdef timespec now
    clock_gettime(CLOCK_REALTIME, &now)
    return <int64_t>now.tv_sec * 1000000000 + now.tv_nsec
