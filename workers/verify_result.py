"""The last result of `verify` as a file in the data directory, and as metrics of the ledger worker.

The file is replaced in one step. It is read when Prometheus asks: a result that is missing or unreadable counts as
never.
"""
import os
import time
from pathlib import Path

import msgspec
from msgspec import Struct

from engine.metrics import Metrics

_NS = 1e9


class Result(Struct, frozen=True, kw_only=True):
    """Times in ns since 1970. seq: where all proofs were tried. full_time_ns: of the last that looked at everything."""

    time_ns: int = 0
    full_time_ns: int = 0
    seconds: float = 0.0
    ok: bool = False
    seq: int = 0
    failed: list[str] = []


def read_result(path: Path) -> Result:
    """The last one; with time_ns 0 when there is none."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Result)
    except (OSError, msgspec.DecodeError):
        return Result()


def write_result(path: Path, *, seq: int, seconds: float, failed: list[str], full: bool) -> None:
    """Keep it. Raises OSError."""
    now_ns = time.time_ns()
    before = read_result(path)
    result = Result(time_ns=now_ns, full_time_ns=now_ns if full else before.full_time_ns, seconds=round(seconds, 3),
                    ok=not failed, seq=seq, failed=failed)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_bytes(msgspec.json.encode(result))
    draft.rename(path)


def add_metrics(metrics: Metrics, path: Path) -> None:
    """Show the last result beside a process's own numbers."""
    metrics.gauge("buttonwood_verify_ok", "1: every proof of the last verify held, 0: one did not, or never tried",
                  lambda: read_result(path).ok)
    metrics.gauge("buttonwood_verify_time_seconds", "when verify last ended, seconds since 1970, 0: never",
                  lambda: read_result(path).time_ns / _NS)
    metrics.gauge("buttonwood_verify_full_time_seconds", "the same of the last verify of everything",
                  lambda: read_result(path).full_time_ns / _NS)
    metrics.gauge("buttonwood_verify_duration_seconds", "how long the last verify took",
                  lambda: read_result(path).seconds)
    metrics.gauge("buttonwood_verify_seq", "command at which the last verify looked", lambda: read_result(path).seq)
