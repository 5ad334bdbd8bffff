"""Native clients for bench.gateway: they send ready-made orders, count the replies and note how long each took.

One thread, one epoll, so that the load costs little beside the server: about 2 us an order. A client sends `burst`
orders in one write and the next ones when all of them are answered; or orders are due at a steady rate, whatever is
unanswered, and their time counts from when they were due. Replies are WebSocket frames or HTTP responses.
"""
import socket

from libc.errno cimport EAGAIN, errno
from libc.stdint cimport int64_t, uint8_t, uint32_t
from libc.stdlib cimport calloc, free
from libc.string cimport memchr, memmove
from posix.time cimport CLOCK_MONOTONIC, clock_gettime, timespec

cdef extern from *:
    """
    #ifndef _GNU_SOURCE
    #define _GNU_SOURCE
    #endif
    #include <string.h>
    #include <stdlib.h>
    #include <sys/epoll.h>
    #include <sys/socket.h>
    static int bench_add(int epoll, int descriptor, uint32_t number) {
        struct epoll_event event = {.events = EPOLLIN};
        event.data.u32 = number;
        return epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event);
    }
    """
    enum: MSG_DONTWAIT, MSG_NOSIGNAL
    ctypedef union epoll_data_t:
        uint32_t u32
    cdef struct epoll_event:
        uint32_t events
        epoll_data_t data
    int epoll_create1(int flags)
    int epoll_wait(int epoll, epoll_event* events, int most, int timeout_ms) nogil
    int bench_add(int epoll, int descriptor, uint32_t number) nogil
    ssize_t recv(int descriptor, void* data, size_t size, int flags) nogil
    ssize_t send(int descriptor, const void* data, size_t size, int flags) nogil
    void* memmem(const void* text, size_t size, const void* word, size_t length) nogil
    int atoi(const char* text) nogil

cdef enum:
    AT_ONCE = 256
    BUFFER_BYTES = 1 << 20
    STATUS_WITHIN = 48           # bytes of a reply
    SHOWN_BYTES = 400            # of one that is no success
    NS_PER_MS = 1_000_000
    QUIET_MS_MAX = 60_000


cdef struct Client:
    int descriptor
    const char* data             # of all its orders
    int64_t* ends                # of each order
    int64_t sent, answered       # orders
    int64_t sent_ns
    Py_ssize_t used              # bytes in the buffer
    char* buffer


cdef class Clients:
    """One for each list of orders, connected. `opening`: the WebSocket handshake to send first, b"" for HTTP."""
    cdef list _sockets, _data
    cdef Client* _clients
    cdef int64_t[::1] _latencies
    cdef int64_t _count, _each, _done
    cdef bint _http
    cdef int _epoll

    def __cinit__(self, str host, int port, bytes opening not None, list orders not None):
        cdef Client* client
        cdef Py_ssize_t number, place, end
        self._count, self._each, self._http = len(orders), len(orders[0]), not opening
        self._clients = <Client*>calloc(self._count, sizeof(Client))
        self._epoll = epoll_create1(0)
        self._sockets, self._data = [], [b"".join(own) for own in orders]
        for number in range(self._count):
            client = &self._clients[number]
            client.buffer = <char*>calloc(BUFFER_BYTES, 1)
            client.ends = <int64_t*>calloc(self._each, sizeof(int64_t))
            client.data = <bytes>self._data[number]
            end = 0
            for place in range(self._each):
                end += len(orders[number][place])
                client.ends[place] = end
            self._sockets.append(_connected(host, port, opening))
            client.descriptor = self._sockets[number].fileno()
            bench_add(self._epoll, client.descriptor, number)

    def __dealloc__(self):
        cdef Py_ssize_t number
        for number in range(self._count):
            free(self._clients[number].buffer)
            free(self._clients[number].ends)
        free(self._clients)

    def close(self):
        """Hang up."""
        for plug in self._sockets:
            plug.close()

    def run(self, int64_t[::1] latencies_ns, int64_t burst, int64_t step_ns=0):
        """Send all and wait for all replies; how long each took. step_ns: from one order to the next, 0: in bursts.

        Raises RuntimeError when a reply is no success, a connection ends or nothing comes for a minute.
        """
        cdef int fault
        cdef Py_ssize_t size
        self._latencies, self._done = latencies_ns, 0
        assert latencies_ns.shape[0] == self._count * self._each
        with nogil:
            fault = self._offer(step_ns) if step_ns else self._burst(burst)
        if fault >= 0:
            size = min(SHOWN_BYTES, self._clients[fault].used)
            raise RuntimeError(bytes(self._clients[fault].buffer[:size]).decode(errors="replace") or "no reply")

    cdef int _burst(self, int64_t burst) noexcept nogil:
        cdef int64_t number
        cdef int fault
        for number in range(self._count):
            self._send(&self._clients[number], burst)
        while self._done < self._count * self._each:
            fault = self._wait(QUIET_MS_MAX, burst, 0, 0)
            if fault >= 0:
                return fault
        return -1

    cdef int _offer(self, int64_t step_ns) noexcept nogil:
        cdef int64_t sent = 0, due, total = self._count * self._each, begin_ns = _now_ns()
        cdef int fault
        while self._done < total:
            due = min(total, (_now_ns() - begin_ns) // step_ns)
            while sent < due:
                self._send(&self._clients[sent % self._count], 1)
                sent += 1
            fault = self._wait(QUIET_MS_MAX if sent == total else 1, 0, begin_ns, step_ns)
            if fault >= 0:
                return fault
        return -1

    cdef int _wait(self, int wait_ms, int64_t burst, int64_t begin_ns, int64_t step_ns) noexcept nogil:
        """Take what has come; which client has a fault, else -1."""
        cdef epoll_event events[AT_ONCE]
        cdef int at, ready = epoll_wait(self._epoll, events, AT_ONCE, wait_ms)
        if ready == 0 and wait_ms == QUIET_MS_MAX:
            return 0
        for at in range(ready):
            if not self._read(events[at].data.u32, burst, begin_ns, step_ns):
                return <int>events[at].data.u32
        return -1

    cdef bint _read(self, int64_t number, int64_t burst, int64_t begin_ns, int64_t step_ns) noexcept nogil:
        cdef Client* client = &self._clients[number]
        cdef ssize_t size = recv(client.descriptor, client.buffer + client.used, BUFFER_BYTES - client.used,
                                 MSG_DONTWAIT)
        cdef int64_t now_ns = _now_ns(), place, since_ns
        cdef Py_ssize_t begin = 0, length
        if size <= 0:
            return size < 0 and errno == EAGAIN
        client.used += size
        while True:
            length = self._reply(client.buffer + begin, client.used - begin)
            if length <= 0:
                break
            begin += length
            place = client.answered * self._count + number
            since_ns = begin_ns + place * step_ns if step_ns else client.sent_ns
            self._latencies[place] = now_ns - since_ns
            client.answered += 1
            self._done += 1
        client.used -= begin
        memmove(client.buffer, client.buffer + begin, client.used)
        if length < 0:
            return False
        if burst and client.answered == client.sent and client.sent < self._each:
            self._send(client, burst)
        return True

    cdef void _send(self, Client* client, int64_t count) noexcept nogil:
        """The next orders; what the socket does not take at once is given to it again and again."""
        cdef int64_t begin = client.ends[client.sent - 1] if client.sent else 0
        cdef int64_t last = min(client.sent + count, self._each)
        cdef int64_t end = client.ends[last - 1]
        cdef ssize_t taken
        client.sent, client.sent_ns = last, _now_ns()
        while begin < end:
            taken = send(client.descriptor, client.data + begin, end - begin, MSG_NOSIGNAL)
            if taken < 0:
                return   # the next read tells
            begin += taken

    cdef Py_ssize_t _reply(self, const char* at, Py_ssize_t size) noexcept nogil:
        """Bytes of the first reply, 0 when it is not complete, -1 when it is no success."""
        cdef const char* end
        cdef const char* length
        cdef Py_ssize_t head = 2, body
        if self._http:
            end = <const char*>memmem(at, size, b"\r\n\r\n", 4)
            if end == NULL:
                return 0
            length = <const char*>memmem(at, end - at, b"ontent-", 7)
            while length != NULL and not _is_length(length):
                length = <const char*>memmem(length + 1, end - length - 1, b"ontent-", 7)
            if length == NULL or memmem(at, 16, b" 200 ", 5) == NULL:
                return -1
            body = (end - at) + 4 + atoi(length + 14)
            return body if size >= body else 0
        if size < 4:
            return 0
        body = <uint8_t>at[1]
        if body == 126:
            head, body = 4, <uint8_t>at[2] << 8 | <uint8_t>at[3]
        if size < head + body:
            return 0
        if memmem(at, min(STATUS_WITHIN, size), b'"status":', 9) == NULL or \
                memmem(at, min(STATUS_WITHIN, size), b"200", 3) == NULL:
            return -1
        return head + body


cdef bint _is_length(const char* at) noexcept nogil:
    return (at[7] | 32) == 108 and memchr(at + 7, 58, 7) == at + 13   # "length" before the colon


cdef int64_t _now_ns() noexcept nogil:
    cdef timespec now
    clock_gettime(CLOCK_MONOTONIC, &now)
    return <int64_t>now.tv_sec * 1000000000 + now.tv_nsec


def _connected(str host, int port, bytes opening):
    plug = socket.create_connection((host, port))
    plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if opening:
        plug.sendall(opening)
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += plug.recv(1)
        assert b" 101 " in head, head
    return plug
