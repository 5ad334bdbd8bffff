"""Runs the tests of native code twice more: under Python's debug allocator, and as a build with ASan and UBSan.

python -m tests.sanitize, from any clone with the `dev` extra installed. The sanitizer build is made in a copy of the
tree, so the release build beside the sources stays as it is. Exit code 1 and the reports when anything is found.
"""
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
PARTS = ("engine", "gateway", "workers", "buttonwood", "tests", "setup.py", "pyproject.toml")
# Native modules and the tests that drive each of them in pytest's own process, with neither Postgres nor Redis.
DRIVERS = {
    "engine/core/": ("core",),
    "engine/disk.pyx": ("engine/test_disk.py", "engine/test_journal_writer.py", "engine/test_service.py"),
    "engine/event_kinds.pyx": ("engine/test_event_kinds.py",),
    "engine/frame_runs.pyx": ("engine/test_frame_runs.py",),
    "engine/frame_scan.pyx": ("engine/test_segments.py",),
    "engine/sequencer.pyx": ("engine/test_sequencer.py",),
    "gateway/answers.pyx": ("gateway/test_order_intake.py", "gateway/test_orders.py"),
    "gateway/frame_codec.pyx": ("gateway/test_frame_codec.py", "gateway/test_fuzz.py::test_changed_inputs"),
    "gateway/hmac_check.pyx": ("gateway/test_hmac_check.py", "gateway/test_auth.py"),
    "gateway/inlet.pyx": ("gateway/test_websocket.py", "gateway/test_listener_limits.py"),
    "gateway/lane.pyx": ("gateway/test_orders_pipelined.py", "gateway/test_storage_full.py"),
    "gateway/order_intake.pyx": ("gateway/test_order_intake.py",),
    "gateway/order_path.pyx": ("gateway/test_websocket_pipeline.py", "gateway/test_sessions.py"),
    "gateway/order_scan.pyx": ("gateway/test_order_intake.py", "gateway/test_fuzz.py::test_changed_inputs"),
    "gateway/order_store.pyx": (
        "gateway/test_order_store.py", "gateway/test_order_lists.py", "gateway/test_trailing_stops.py"),
    "gateway/outlet.pyx": ("gateway/test_outlet.py", "gateway/test_stragglers.py"),
    "gateway/reports.pyx": ("gateway/test_reports.py", "gateway/test_user_events.py", "gateway/test_resume.py"),
    "gateway/rest/form.pyx": ("gateway/test_rest_parameters.py", "gateway/test_fuzz.py::test_changed_inputs"),
    "gateway/restored_orders.pyx": ("gateway/test_restored_orders.py", "gateway/test_snapshot_start.py"),
    "gateway/terms.pyx": ("gateway/test_order_intake.py", "gateway/test_reports.py"),
    "gateway/text_buffer.pyx": ("gateway/test_order_intake.py", "gateway/test_reports.py"),
}
LIBRARIES = ("libubsan.so", "libasan.so")   # the other way round UBSan knows no log_path and no test fails by it
TESTS = ("-m", "pytest", *sorted({f"tests/{name}" for names in DRIVERS.values() for name in names}), "-x")
# Under ASan a process starved of address space cannot even start; the debug allocator run has that test.
NOT_UNDER_ASAN = ("--deselect", "tests/core/test_memory.py::test_out_of_memory_stops_the_exchange")
RUN_SECONDS_MAX = 1800
WRONG = """
#include <stdlib.h>
int overflow(int value) { return value * 2; }
int beyond(int size) { char *data = malloc(size); int read = data[size]; free(data); return read; }
"""


def run(arguments: tuple[str, ...], folder: Path, **environment: str) -> int:
    """One Python process in a folder; returns its exit code."""
    print("+", " ".join([*(f"{key}={value}" for key, value in environment.items()), "python", *arguments]), flush=True)
    return subprocess.run([sys.executable, *arguments], cwd=folder, env={**os.environ, **environment},
                          timeout=RUN_SECONDS_MAX, check=False).returncode


def debug_allocator() -> int:
    """Guard bytes around every small block; freed blocks are filled."""
    return run(TESTS, ROOT, PYTHONMALLOC="debug")


def sanitizers(folder: Path) -> int:
    """Builds a copy of the tree with ASan and UBSan and runs the same tests on it."""
    tree, reports = folder / "tree", folder / "reports"
    reports.mkdir()
    copy_tree(tree)
    failed = run(("setup.py", "-q", "build_ext", "--inplace"), tree, ENGINE_BUILD="sanitize")
    runtimes = {
        "LD_PRELOAD": " ".join(map(library, LIBRARIES)), "PYTHONMALLOC": "malloc", "PYTHONPATH": str(tree),
        "ASAN_OPTIONS": "detect_leaks=0:verify_asan_link_order=0",
        "UBSAN_OPTIONS": f"print_stacktrace=1:log_path={reports}/ubsan"}
    prove(folder, reports, runtimes)
    failed = failed or run((*TESTS, *NOT_UNDER_ASAN, "--capture=sys"), tree, **runtimes)
    found = sorted(reports.iterdir())
    for report in found:
        print(report.read_text(errors="replace"))
    return failed or len(found)


def prove(folder: Path, reports: Path, runtimes: dict[str, str]) -> None:
    """That both kinds of mistakes are seen: UBSan writes a report, ASan ends the process."""
    source, module = folder / "wrong.c", folder / "wrong.so"
    source.write_text(WRONG)
    subprocess.run(["gcc", "-shared", "-fPIC", "-fsanitize=address,undefined", source, "-o", module], check=True)
    code = f"import ctypes; wrong = ctypes.CDLL({str(module)!r}); wrong.overflow(2**30); wrong.beyond(4)"
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, **runtimes}, capture_output=True, text=True,
                          check=False)
    told = "".join(report.read_text() for report in reports.iterdir())
    if not (done.returncode and "signed integer overflow" in told and "heap-buffer-overflow" in done.stderr):
        raise SystemExit(f"the sanitizers do not see what is wrong:\n{done.stderr}\n{told}")
    for report in reports.iterdir():
        report.unlink()


def copy_tree(tree: Path) -> None:
    """Sources only: compiled files stay behind, so that everything is built anew."""
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, tree / part, ignore=shutil.ignore_patterns("*.so", "*.c", "__pycache__"))
        else:
            (tree / part).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, tree / part)


def library(name: str) -> str:
    """Path of a sanitizer's runtime; it must be loaded before Python."""
    asked = subprocess.run(["gcc", f"-print-file-name={name}"], capture_output=True, text=True, check=True)
    path = asked.stdout.strip()
    if not Path(path).is_absolute():
        raise SystemExit(f"{name} is missing: install gcc's sanitizer libraries")
    return path


def main() -> None:
    failed = debug_allocator()
    with tempfile.TemporaryDirectory() as folder:
        failed = sanitizers(Path(folder)) or failed
    print("sanitize: " + ("FAILED" if failed else "clean"))
    raise SystemExit(1 if failed else 0)


if __name__ == "__main__":
    main()
