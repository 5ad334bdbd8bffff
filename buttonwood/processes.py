"""Other processes, seen through their pid: are they still the ones we started, have they gone, end them cleanly.

A pid alone proves nothing: the kernel hands it out again. A process is therefore named by pid and start time, and a
server found by a pid file counts as ours only when its working directory is the one we gave it. Linux only (/proc).
"""
import asyncio
import contextlib
import ctypes
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

_PR_SET_PDEATHSIG = 1
_POLL_SECONDS = 0.1
_libc = ctypes.CDLL(None, use_errno=True)


class Process(Struct, frozen=True):
    """One process for its whole life: `started` is its start time in clock ticks since boot."""

    pid: int
    started: int


def process_of(pid: int) -> Process | None:
    """The process that has this pid now; None when there is none or it is only waiting to be reaped."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # the name before it may hold blanks and brackets
    return None if fields[0] in "ZX" else Process(pid, int(fields[19]))


def is_running(process: Process) -> bool:
    """True while this very process lives."""
    return process_of(process.pid) == process


def works_in(process: Process, folder: Path, program: str) -> bool:
    """True when the process runs `program` (its file's name) with `folder` as working directory."""
    try:
        here = Path(f"/proc/{process.pid}/cwd").resolve() == folder.resolve()
        return here and os.path.basename(os.readlink(f"/proc/{process.pid}/exe")).startswith(program)
    except OSError:
        return False


def members(folder: Path, program: str) -> list[Process]:
    """All processes that run `program` in `folder`: a server with its helpers. Walks /proc, a few milliseconds."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    found = [process for process in map(process_of, pids) if process is not None]
    return [process for process in found if works_in(process, folder, program)]


def die_with_parent(number: signal.Signals) -> Callable[[], None]:
    """A preexec_fn: the kernel sends `number` to the child when the process that started it is gone."""
    parent = os.getpid()

    def prepare() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:  # it went before we asked
            os._exit(1)

    return prepare


async def wait_gone(process: Process, seconds_max: float) -> bool:
    """Wait until the process has gone; False when it still runs after `seconds_max`."""
    end = time.monotonic() + seconds_max
    while is_running(process):
        if time.monotonic() > end:
            return False
        await asyncio.sleep(_POLL_SECONDS)
    return True


async def stop(process: Process, polite: signal.Signals, seconds_max: float, harsh: signal.Signals) -> None:
    """Ask with `polite`, wait, then insist with `harsh` and wait until it has gone.

    Raises TimeoutError when it lives on even so (a process stuck in the kernel).
    """
    for number in (polite, harsh):
        if is_running(process):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, number)
        if await wait_gone(process, seconds_max):
            return
    raise TimeoutError(f"process {process.pid} does not end: look at it with `ps`, then end it by its pid")
