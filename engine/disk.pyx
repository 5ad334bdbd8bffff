"""One native thread that writes one buffer at a time and makes it durable, without ever needing the interpreter's lock.

Why native: a Python thread must take the interpreter's lock after each system call, and beside a busy event loop it
gets it late; JOURNAL.md has the figures. Promise: the bytes of `write` are in the file and fdatasync has returned, or
`outcome` is the errno that came first. An error is never retried: after a failed fdatasync the kernel may have dropped
the pages, so the only way on is recovery. Holds one reference to the bytes until the outcome is taken.
"""
from libc.errno cimport EINTR, EIO, errno
from libc.stdint cimport int64_t, uint64_t

import os


cdef extern from "<semaphore.h>" nogil:
    ctypedef struct sem_t:
        pass
    int sem_init(sem_t *semaphore, int shared, unsigned int value)
    int sem_post(sem_t *semaphore)
    int sem_wait(sem_t *semaphore)
    int sem_destroy(sem_t *semaphore)

cdef extern from "<time.h>" nogil:
    struct timespec:
        long tv_sec
        long tv_nsec
    int clock_gettime(int clock, timespec *time)
    int CLOCK_MONOTONIC

cdef extern from "<unistd.h>" nogil:
    ctypedef long long off_t
    ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
    ssize_t c_write "write" (int fd, const void *data, size_t size)
    int fdatasync(int fd)


cdef int64_t now_ns() noexcept nogil:
    cdef timespec time
    clock_gettime(CLOCK_MONOTONIC, &time)
    return <int64_t>time.tv_sec * 1000000000 + time.tv_nsec


cdef int write_durably(int fd, const char *data, size_t size, off_t offset) noexcept nogil:
    """0, or the errno of the first failure. A short write goes on where it stopped."""
    cdef ssize_t done
    while size > 0:
        done = pwrite(fd, data, size, offset)
        if done < 0:
            if errno == EINTR:
                continue
            return errno if errno else EIO
        if done == 0:
            return EIO
        data += done
        offset += done
        size -= <size_t>done
    if fdatasync(fd) != 0:
        return errno if errno else EIO
    return 0


cdef class DiskThread:
    """Start `run` in a thread; then `write`, wait until `event_fd` is readable, take the `outcome`, and so on.

    One write at a time: the caller waits for the outcome before the next `write`. `stop` after the last outcome ends
    `run`; join the thread, then `free`. elapsed_ns: how long the last write took; read it with its outcome.
    """
    cdef readonly int event_fd
    cdef readonly int64_t elapsed_ns
    cdef sem_t _work
    cdef object _held
    cdef const char *_data
    cdef size_t _size
    cdef off_t _offset
    cdef int _fd
    cdef int _error
    cdef bint _stopping

    def __cinit__(self):
        self.event_fd = -1
        if sem_init(&self._work, 0, 0) != 0:
            raise OSError(errno, "sem_init failed")

    def __init__(self):
        self.event_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def __dealloc__(self):
        sem_destroy(&self._work)

    def run(self):
        """Body of the thread. Returns after `stop`."""
        cdef uint64_t one = 1
        cdef int64_t begin_ns
        with nogil:
            while True:
                if sem_wait(&self._work) != 0:
                    continue
                if self._stopping:
                    break
                begin_ns = now_ns()
                self._error = write_durably(self._fd, self._data, self._size, self._offset)
                self.elapsed_ns = now_ns() - begin_ns
                c_write(self.event_fd, &one, sizeof(one))

    def write(self, int fd, bytes data not None, off_t offset):
        """Begin to write all of data at this offset. RuntimeError when a write is under way."""
        if self._held is not None:
            raise RuntimeError("a write is under way: take its outcome first")
        self._held = data
        self._fd, self._data, self._size, self._offset = fd, data, len(data), offset
        sem_post(&self._work)

    def outcome(self):
        """0 when the bytes are durable, else the errno. Call it once, after event_fd became readable."""
        os.eventfd_read(self.event_fd)
        self._held = None
        return self._error

    def stop(self):
        """Let `run` return; no write may be under way."""
        self._stopping = True
        sem_post(&self._work)

    def free(self):
        """Close event_fd. Remove it from the loop first."""
        if self.event_fd >= 0:
            os.close(self.event_fd)
            self.event_fd = -1
