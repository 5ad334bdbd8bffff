"""The last result of verify: kept, replaced, shown as metrics, and told as never when it cannot be read."""
from pathlib import Path

from engine.metrics import Metrics
from workers.verify_result import Result, add_metrics, read_result, write_result


def test_a_result_is_kept_and_shown(tmp_path: Path):
    path = tmp_path / "verified.json"
    metrics = Metrics()
    add_metrics(metrics, path)
    assert b"buttonwood_verify_ok 0\nbuttonwood_verify_time_seconds 0\n" in without_comments(metrics)
    write_result(path, seq=7, seconds=1.5, failed=[], full=True)
    full = read_result(path)
    assert full.ok and full.time_ns == full.full_time_ns > 0
    shown = without_comments(metrics)
    assert b"buttonwood_verify_ok 1\n" in shown and b"buttonwood_verify_duration_seconds 1.5\n" in shown
    assert b"buttonwood_verify_seq 7\n" in shown
    write_result(path, seq=9, seconds=0.1, failed=["trades_dense"], full=False)
    later = read_result(path)
    assert not later.ok and later.failed == ["trades_dense"]
    assert later.full_time_ns == full.full_time_ns < later.time_ns
    assert [entry.name for entry in tmp_path.iterdir()] == ["verified.json"]


def test_an_unreadable_result_is_none(tmp_path: Path):
    path = tmp_path / "verified.json"
    path.write_bytes(b"{")
    assert read_result(path) == Result()


def without_comments(metrics: Metrics) -> bytes:
    return b"".join(line + b"\n" for line in metrics.render().splitlines() if not line.startswith(b"#"))
