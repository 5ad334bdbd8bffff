"""Fuzzing of everything that reads what clients send, guided by coverage (atheris, the extra "fuzz").

    python -m tests.fuzz.run [--inputs N] [--seed S]

Each target (targets.py) has its share of the inputs in a process of its own; afterwards what was kept is read again and
again, to see whether memory grows. The last line is one JSON object; exit status 1 if anything is wrong.
"""
import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from msgspec import Struct

from tests.fuzz.plain import LONGEST
from tests.fuzz.seeds import seeds, words
from tests.fuzz.targets import TARGETS

LEAK_BYTES_MAX = 4 * 2**20     # what an allocator may keep to itself; 200,000 inputs are read
LEAK_INPUTS = 200_000
SHARES = {"frames": 3, "orders": 3, "requests": 5, "control": 5, "forms": 4}   # by how fast they are
_RUNS = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
_COVER = re.compile(r"cov: (\d+)")


class Report(Struct):
    """The last line."""

    inputs: int = 0
    crashes: int = 0
    leaked_bytes: int = 0
    failures: list[str] = []
    kept: int = 0
    seed: int = 0
    seconds: float = 0.0
    by_target: dict[str, list[int]] = {}   # inputs, edges of code reached


def main() -> int:
    """Fuzz all targets, tell."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--targets", nargs="+", choices=list(TARGETS), default=list(TARGETS))
    chosen = parser.parse_args()
    report, begun = Report(seed=chosen.seed), time.monotonic()
    whole = sum(SHARES[name] for name in chosen.targets)
    with tempfile.TemporaryDirectory() as folder:
        for name in chosen.targets:
            corpus = Path(folder) / name
            fuzz(name, chosen.inputs * SHARES[name] // whole + 1, chosen.seed, corpus, report)
            look_for_leaks(name, corpus, report)
    report.seconds = round(time.monotonic() - begun, 1)
    print(json.dumps({name: getattr(report, name) for name in report.__struct_fields__}))
    return int(report.crashes > 0 or bool(report.failures))


def fuzz(name: str, inputs: int, seed: int, corpus: Path, report: Report) -> None:
    """Let libFuzzer try inputs on one target, from its seeds on."""
    corpus.mkdir()
    for number, data in enumerate(seeds()[name]):
        (corpus / f"seed-{number}").write_bytes(data)
    dictionary = corpus.with_suffix(".dict")
    dictionary.write_text("".join(f'"{quoted(word)}"\n' for word in words()))
    command = [
        sys.executable, "-m", "tests.fuzz.guided", name, f"-runs={inputs}", f"-seed={seed}", f"-max_len={LONGEST}",
        f"-dict={dictionary}", f"-artifact_prefix={corpus}-", "-print_final_stats=1", "-rss_limit_mb=2048",
        "-timeout=20", str(corpus)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    said = done.stdout.decode(errors="replace")
    runs, reached = _RUNS.search(said), _COVER.findall(said)
    report.by_target[name] = [int(runs[1]) if runs else 0, int(reached[-1]) if reached else 0]
    report.inputs += report.by_target[name][0]
    if done.returncode:
        report.crashes += 1
        broken = [file.read_bytes() for file in corpus.parent.glob(f"{name}-*")]
        report.failures.append(f"{name}: {broken!r}: {said[-2000:]}")
    elif report.by_target[name][0] < inputs:
        report.failures.append(f"{name}: ended after {report.by_target[name][0]} inputs: {said[-2000:]}")


def quoted(word: bytes) -> str:
    """As libFuzzer's dictionaries have it."""
    return "".join(f"\\x{byte:02x}" for byte in word)


def look_for_leaks(name: str, corpus: Path, report: Report) -> None:
    """Read what was kept again and again in a process of its own."""
    kept = [file for file in corpus.iterdir() if file.is_file()]
    report.kept += len(kept)
    done = subprocess.run([sys.executable, "-m", "tests.fuzz.run_again", name, str(corpus), str(LEAK_INPUTS)],
                          capture_output=True, text=True, check=False)
    grown = int(done.stdout) if done.returncode == 0 else 0
    if done.returncode or grown > LEAK_BYTES_MAX:
        report.failures.append(f"{name}: read again: {grown} bytes more {done.stderr[-2000:]}")
    report.leaked_bytes += grown if grown > LEAK_BYTES_MAX else 0

if __name__ == "__main__":
    sys.exit(main())
