"""A clock that can be stepped, for whole processes: a small library that is loaded before the C library's own.

Its offset lies in a file that every process maps, so a step is seen by all of them at the next reading, as after a
correction by the system's time service. Clocks that never step (CLOCK_MONOTONIC and its kind) stay as they are.
"""
import os
import struct
import subprocess
import time
from pathlib import Path

_NS = 1_000_000_000
_SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile long long *offset_ns;
static int (*system_clock)(clockid_t, struct timespec *);

__attribute__((constructor)) static void find(void) {
    const char *path = getenv("FAULT_CLOCK");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *page = file < 0 ? MAP_FAILED : mmap(NULL, sizeof *offset_ns, PROT_READ, MAP_SHARED, file, 0);
    if (file >= 0) close(file);
    offset_ns = page == MAP_FAILED ? NULL : page;
    system_clock = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    if (!system_clock) find();
    int failed = system_clock(clock, now);
    if (failed || !offset_ns || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE)) return failed;
    long long ns = now->tv_sec * 1000000000LL + now->tv_nsec + *offset_ns;
    now->tv_sec = ns / 1000000000LL;
    now->tv_nsec = ns % 1000000000LL;
    return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec exact;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &exact)) return -1;
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *seconds) {
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    if (seconds) *seconds = exact.tv_sec;
    return exact.tv_sec;
}
"""


class SteppedClock:
    """`variables` are for the environment of the processes that shall see it. Made in a folder that all may read."""

    def __init__(self, folder: Path) -> None:
        """Raises subprocess.CalledProcessError without a C compiler, which the build needs as well."""
        source, library, self._file = folder / "clock.c", folder / "clock.so", folder / "clock"
        source.write_text(_SOURCE)
        compiler = [os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O1", "-Wall", "-Werror"]
        subprocess.run([*compiler, "-o", library, source, "-ldl"], check=True)
        self._file.write_bytes(bytes(8))
        for path in (library, self._file):
            path.chmod(0o644)
        self.variables = {"LD_PRELOAD": str(library), "FAULT_CLOCK": str(self._file)}
        self.offset_ns = 0

    def step(self, seconds: float) -> None:
        """Forward, or back."""
        self.offset_ns += round(seconds * _NS)
        with self._file.open("r+b") as file:
            file.write(struct.pack("<q", self.offset_ns))

    def time_ms(self) -> int:
        """What the processes read."""
        return (time.time_ns() + self.offset_ns) // 1_000_000
