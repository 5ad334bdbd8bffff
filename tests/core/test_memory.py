"""Every block the core takes is given back; running out of memory stops the exchange instead of corrupting it."""
import gc
import subprocess
import sys

from engine.core.batch import Batch
from engine.core.exchange import Exchange
from engine.core.memory import Block, live_bytes
from tests.core.compare import compare
from tests.core.flow import deep

STARVED = """
import resource
from engine.core.batch import Batch
from engine.core.exchange import Exchange
batch = Batch()
batch.asset(1, 8, "A")
batch.asset(2, 8, "B")
batch.instrument(1, text="AB", base_asset=1, quote_asset=2, lot_value=1, tick_value=1)
batch.account(2)
batch.credit(2, 2, 2**62)
batch.stamp(1, 0)
core = Exchange(events=8192)
core.apply(batch)
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**25, used + 2**25))
batch.clear()
for _ in range(4096):
    batch.place(2, 1, 0, 0, 0, 100, 1)
failures = []
for round in range(1000):
    try:
        batch.stamp(core.seq + 1, 0)
        core.apply(batch)
    except MemoryError as error:
        failures.append(str(error))
        if len(failures) == 2:
            break
print(failures)
"""


def test_nothing_leaks() -> None:
    gc.collect()
    before = live_bytes()
    compare(5, 3000, deep)
    gc.collect()
    assert live_bytes() == before


def test_a_view_keeps_the_events_and_nothing_else() -> None:
    gc.collect()
    before = live_bytes()
    core = Exchange(events=16)
    batch = Batch()
    batch.account(2)
    batch.stamp(1, 0)
    view = core.apply(batch)
    del core, batch
    gc.collect()
    assert live_bytes() - before == 16 * 128 + 64
    del view
    gc.collect()
    assert live_bytes() == before


def test_a_block_is_zero_writable_and_given_back_with_its_last_view() -> None:
    gc.collect()
    before = live_bytes()
    for size in (0, 5, 100_000, 3_000_000):
        view = memoryview(Block(size))
        assert bytes(view) == bytes(size)
        view[:] = b"x" * size
        assert view.tobytes() == b"x" * size
        del view
    assert live_bytes() == before


def test_out_of_memory_stops_the_exchange() -> None:
    run = subprocess.run([sys.executable, "-c", STARVED], capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr
    assert "out of memory while applying" in run.stdout
    assert "an earlier apply() ran out of memory" in run.stdout
