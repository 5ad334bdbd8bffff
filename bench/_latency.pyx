"""How long one command takes inside the core's batch path: the cycle counter is read around each, look-ahead included.

The product knows nothing of this: the loop of engine.core.dispatch stands here once more, around a state of its own.
The counter is read in order (rdtscp, then lfence), so a figure holds both reads. Elsewhere than on x86-64 the
nanosecond clock is read instead.
"""
import numpy as np

from libc.stdint cimport uint64_t
from libc.string cimport memset
from posix.time cimport CLOCK_MONOTONIC, clock_gettime, timespec

from engine.core.dispatch cimport apply_commands
from engine.core.lookahead cimport FAR, RING, Seen, look_far
from engine.core.state cimport State, state_free, state_init
from engine.core.types cimport Command

cdef extern from *:
    """
    #if defined(__x86_64__)
    static inline unsigned long long bench_ticks(void) {
        unsigned int low, high, core;
        __asm__ volatile("rdtscp\\n\\tlfence" : "=a"(low), "=d"(high), "=c"(core) : : "memory");
        return (unsigned long long)high << 32 | low;
    }
    #else
    #include <time.h>
    static inline unsigned long long bench_ticks(void) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        return (unsigned long long)now.tv_sec * 1000000000ull + now.tv_nsec;
    }
    #endif
    """
    uint64_t bench_ticks() noexcept nogil


def latencies_ns(const unsigned char[::1] opening, const unsigned char[::1] commands):
    """Nanoseconds of each command after the opening ones; RuntimeError if one does not follow."""
    cdef State state
    cdef uint64_t count = commands.shape[0] // sizeof(Command)
    ticks = np.zeros(count, np.uint64)
    cdef uint64_t[::1] out = ticks
    cdef uint64_t started_ns, started, applied
    cdef double rate
    memset(&state, 0, sizeof(State))
    try:
        if not state_init(&state, 1 << 17, 1 << 16, 1 << 14, 1 << 12, 1 << 14, 1 << 26):
            raise MemoryError("no memory for the starting capacities")
        if apply_commands(&state, <const char*>&opening[0], opening.shape[0] // sizeof(Command)) == 0:
            raise RuntimeError("the opening commands do not follow each other")
        started_ns, started = _now_ns(), bench_ticks()
        applied = _run(&state, <Command*>&commands[0], count, &out[0])
        rate = <double>(_now_ns() - started_ns) / <double>(bench_ticks() - started)
        if applied != count:
            raise RuntimeError(f"command {applied} does not follow the one before")
    finally:
        state_free(&state)
    return ticks * rate


cdef uint64_t _run(State* state, Command* commands, uint64_t count, uint64_t* out) noexcept nogil:
    cdef Seen[RING] seen
    cdef uint64_t position, started
    for position in range(count):
        started = bench_ticks()
        if position + FAR < count:
            look_far(state, &commands[position + FAR], &seen[position % RING], False)
        if apply_commands(state, <const char*>&commands[position], 1) != 1:
            return position
        out[position] = bench_ticks() - started
    return count


cdef uint64_t _now_ns() noexcept nogil:
    cdef timespec now
    clock_gettime(CLOCK_MONOTONIC, &now)
    return <uint64_t>now.tv_sec * 1000000000 + <uint64_t>now.tv_nsec
