"""How long does `verify` take of a large ledger when only what came since the last proof is looked at?

A journal and the ledger that belongs to it are generated through the real writer and the real batches (bench/ledger.py:
1,000 accounts, 6 entries a fill), proven in full, traded on a little, proven again: since the mark, then in full, the
simpler way, then with nothing new. Postgres with fsync, everything in the page cache.

    python -m bench.verify [--entries N] [--quick] [--json]
"""
import argparse
import asyncio
import tempfile
import time
from pathlib import Path

import uvloop

from bench.ledger import FEW, FRAME_FILLS, Run, frames
from bench.report import emit, machine
from engine.config import Config, Journal, load_config
from engine.journal import Walk
from engine.journal_writer import JournalWriter
from tests.support.postgres import PostgresServer
from workers.reconcile import Report, verify

ENTRIES = {False: 1_000_000, True: 60_000}      # by --quick
SINCE_SHARE = 100                               # what came since: one in so many
ENTRIES_PER_FILL = 6
_BATCH_FILLS = 2000


async def write_journal(directory: Path, made: list[bytes]) -> None:
    """These stamped commands, a frame each, of the first run of an engine."""
    directory.mkdir(parents=True)
    walk = Walk(directory)
    for _ in walk:
        pass
    writer, written = JournalWriter(walk, Journal(frame_commands_max=65536)), asyncio.Queue[bytes | Exception]()
    writer.on_durable = writer.on_failed = written.put_nowait
    writer.open()
    writer.start()
    for commands in made:
        writer.append(commands)
        raw = await written.get()
        assert isinstance(raw, bytes), raw
    await writer.close()


async def timed(config: Config, full: bool) -> tuple[Report, float]:
    begin = time.perf_counter()
    report = await verify(config, full=full)
    assert report.ok, report
    return report, round(time.perf_counter() - begin, 3)


async def bench(dsn: str, folder: Path, entries: int) -> dict[str, object]:
    """All of it once."""
    config = load_config(data_dir=str(folder), postgres={"dsn": dsn})
    fills = entries // ENTRIES_PER_FILL
    made = frames(fills + fills // SINCE_SHARE, range(2, 2 + FEW))
    await write_journal(config.paths.journal, made)
    split = 1 + fills // FRAME_FILLS
    run = Run(dsn, made[:split])
    await run.prepare()
    await run.batched(_BATCH_FILLS)
    first, first_seconds = await timed(config, full=False)
    assert first.after_seq == 0
    run.journal = [b"", *made[split:]]
    await run.batched(_BATCH_FILLS)
    since, since_seconds = await timed(config, full=False)
    assert since.after_seq == first.seq < since.seq
    _, full_seconds = await timed(config, full=True)
    _, nothing_seconds = await timed(config, full=False)
    rows = {proof.name: proof.checked for proof in first.proofs}
    return {"entries": rows["entries_equal_replay"], "trades": rows["trades_equal_replay"], "commands": since.seq,
            "entries_since": next(p.checked for p in since.proofs if p.name == "entries_equal_replay"),
            "first_proof_seconds": first_seconds, "since_the_mark_seconds": since_seconds,
            "full_seconds": full_seconds, "nothing_new_seconds": nothing_seconds,
            "mark_bytes": config.paths.proven.stat().st_size}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.verify", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=0, metavar="N", help="rows of entry (1000000, quick: 60000)")
    parser.add_argument("--quick", action="store_true", help="a small ledger")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    arguments = parser.parse_args()
    with PostgresServer() as server, tempfile.TemporaryDirectory() as folder:
        entries = arguments.entries or ENTRIES[arguments.quick]
        results = uvloop.run(bench(server.dsn, Path(folder) / "venue", entries))
    emit({"bench": "verify", "quick": arguments.quick, "machine": machine(), **results}, arguments.json)


if __name__ == "__main__":
    main()
