"""How many messages a second does the core take through the public judge's C interface, beside other engines?

One thread, reports copied, counted and hashed by referee/driver.pyx. Give the workload files that the judge's generator
made, and libraries of other engines to run beside ours; each (file, engine) is run --repeats times in turn, so that all
see the same machine. All engines must agree on every report, or the run ends with exit status 1. Without files: W1 and
W2 of bench.flow.

    make referee && python -m bench.referee [FILE ...] [--beside LIBRARY ...] [--repeats 5] [--json]
"""
import argparse
import ctypes
from pathlib import Path

import numpy as np

from bench.flow import HEADER, RECORD, make_flow
from bench.report import emit, figure, machine
from referee.build import DRIVER, LIBRARY

# The judge's message: its kind, then the struct of that kind; what a kind has not is not read.
MESSAGE = np.dtype([("kind", "<u8"), ("order_id", "<u8"), ("sequence", "<u8"), ("price_ticks", "<i8"),
                    ("qty_lots", "<u4"), ("side", "u1"), ("immediate", "u1"), ("reserved", "<u2")])


class Result(ctypes.Structure):
    """What the driver says of one run."""

    _fields_ = [("elapsed_ns", ctypes.c_int64), ("cpu_ns", ctypes.c_int64), ("reports", ctypes.c_uint64),
                ("fills", ctypes.c_uint64), ("fills_hash", ctypes.c_uint64), ("reports_sum", ctypes.c_uint64)]

    def answers(self) -> tuple[int, ...]:
        """All but the times."""
        return self.reports, self.fills, self.fills_hash, self.reports_sum


def to_messages(records: np.ndarray) -> np.ndarray:
    """Records of a workload file as the structs that the interface takes."""
    messages = np.zeros(len(records), MESSAGE)
    for field, source in (("kind", "cancel"), ("order_id", "id"), ("sequence", "seq"), ("price_ticks", "price"),
                          ("qty_lots", "qty"), ("side", "side"), ("immediate", "ioc")):
        messages[field] = records[source]
    return messages


def workloads(paths: list[Path]) -> dict[str, np.ndarray]:
    """Messages by name, from the files or from our own flows."""
    if not paths:
        return {name.lower(): to_messages(make_flow(name).records) for name in ("W1", "W2")}
    return {path.stem: to_messages(np.fromfile(path, RECORD, offset=HEADER.itemsize)) for path in paths}


def drive(library: Path, messages: np.ndarray) -> Result:
    """One run. OSError: not a library of this interface."""
    result = Result()
    function = ctypes.CDLL(str(DRIVER)).drive
    function.argtypes = [ctypes.c_char_p, ctypes.c_void_p, ctypes.c_uint64, ctypes.POINTER(Result)]
    if function(str(library.resolve()).encode(), messages.ctypes.data, len(messages), ctypes.byref(result)) != 0:
        raise OSError(f"{library} cannot be loaded, or lacks a function of the interface")
    return result


def bench_workload(name: str, messages: np.ndarray, libraries: list[Path], repeats: int) -> dict[str, object]:
    """Messages a second of each engine, in turn; SystemExit when their reports differ."""
    wall: dict[str, list[float]] = {library.stem: [] for library in libraries}
    cpu: dict[str, list[float]] = {library.stem: [] for library in libraries}
    answers = set()
    for _ in range(repeats):
        for library in libraries:
            result = drive(library, messages)
            wall[library.stem].append(len(messages) / result.elapsed_ns * 1e9)
            cpu[library.stem].append(len(messages) / result.cpu_ns * 1e9)
            answers.add(result.answers())
    if len(answers) != 1:
        raise SystemExit(f"{name}: the engines' reports differ: {sorted(answers)}")
    results: dict[str, object] = {f"{name}_{engine}_messages_per_second": figure(runs) for engine, runs in wall.items()}
    results |= {f"{name}_{engine}_messages_per_cpu_second": figure(runs) for engine, runs in cpu.items()}
    reports, fills, fills_hash, _ = answers.pop()
    return results | {f"{name}_reports": reports, f"{name}_fills": fills, f"{name}_fills_hash": f"{fills_hash:016x}"}


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="bench.referee", description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path, help="workload files of the judge's generator")
    parser.add_argument("--beside", nargs="*", type=Path, default=[], help="libraries of other engines")
    parser.add_argument("--library", type=Path, default=LIBRARY, help="ours, if not the one that make referee built")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    results: dict[str, object] = {"machine": machine()}
    for name, messages in workloads(options.files).items():
        results |= bench_workload(name, messages, [options.library, *options.beside], options.repeats)
    emit(results, options.json)


if __name__ == "__main__":
    main()
