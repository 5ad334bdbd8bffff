"""What every bench shares: repeat and take the median, say which machine it was, print one table or one JSON object.

A bench measures one question; its figures carry their unit in the key (`orders_per_second`, `ack_p99_us`).
"""
import json
import os
import platform
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from msgspec import Struct, to_builtins


class Figure(Struct, frozen=True):
    """Median and spread of several runs."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:,.6g} [{self.low:,.6g} to {self.high:,.6g}]"


def measure(fn: Callable[[], float], repeats: int) -> Figure:
    """Call `fn` once to warm up and `repeats` times for the record; `fn` returns what it measured."""
    fn()
    return figure([fn() for _ in range(repeats)])


def figure(values: Sequence[float]) -> Figure:
    """The Figure of values measured elsewhere; ValueError when there is none."""
    if not values:
        raise ValueError("no values: measure at least once")
    return Figure(float(median(values)), float(min(values)), float(max(values)))


def percentile(values: Sequence[float], percent: float) -> float:
    """The value below which `percent` of the values lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def machine() -> dict[str, object]:
    """Processor, kernel, Python and how busy the machine was before this run: figures mean little without them."""
    return {
        "processor": _processor(), "cores": os.cpu_count(), "kernel": platform.release(),
        "python": platform.python_version(), "load_average_1min": round(os.getloadavg()[0], 2)}


def emit(results: dict[str, object], as_json: bool) -> None:
    """Print one JSON object, or one `key: value` per line."""
    if as_json:
        print(json.dumps(to_builtins(results)))
        return
    for key, value in results.items():
        print(f"{key:40} {value}")
    sys.stdout.flush()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())
