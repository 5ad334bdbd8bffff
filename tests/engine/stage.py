"""A stage for the tests of the engine's shell: real files in a temporary folder, small segments, a trader."""
import asyncio
import os
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvloop

from engine.config import Config, load_config
from engine.config import Journal as Settings
from engine.core.batch import Batch
from engine.core.unpack import Event
from engine.frames import Frame
from engine.journal import Walk
from engine.journal_writer import JournalWriter
from engine.service import Engine
from tests.support.waiting import STORY_SECONDS_MAX

USD, BTC, TRADER = 1, 2, 2
SMALL = Settings(segment_bytes=4096, frame_commands_max=8)
Answer = tuple[int, list[Event]]


def run(story: Coroutine[Any, Any, Any]) -> Any:
    """One loop for one story, bounded in time."""
    async def bounded() -> Any:
        async with asyncio.timeout(STORY_SECONDS_MAX):
            return await story
    return uvloop.run(bounded())


def config_for(folder: Path, **overrides: Any) -> Config:
    """Tiny segments and frames, so that the rare is common; no snapshot at the end, so that journals can be changed."""
    return load_config(None, data_dir=str(folder), **{
        "journal": {"segment_bytes": 4096, "frame_commands_max": 8}, "snapshots": {"stop_orders_max": 0}, **overrides})


@asynccontextmanager
async def opened(config: Config, **options: Any) -> AsyncIterator[Engine]:
    engine = await Engine.open(config, **options)
    try:
        yield engine
    finally:
        await engine.close()


def credits(count: int, amount: int = 1) -> Batch:
    """Commands that each add money to the trader's wallet."""
    batch = Batch()
    for number in range(count):
        batch.credit(TRADER, USD, amount, b"%d" % number)
    return batch


def setup() -> Batch:
    """Four commands: two assets, a pair and a trader."""
    batch = Batch()
    batch.asset(USD, 2, b"USD")
    batch.asset(BTC, 8, b"BTC")
    batch.instrument(1, text=b"BTCUSD", base_asset=BTC, quote_asset=USD, lot_value=10**6, tick_value=1)
    batch.account(TRADER)
    return batch


async def send(engine: Engine, batch: Batch) -> Answer:
    """Submit and wait for the answer."""
    answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    engine.submit(batch, lambda first_seq, events: answer.set_result((first_seq, events)))
    return await answer


def stamped(first_seq: int, count: int) -> bytes:
    """Commands as the sequencer makes them; the time is their first sequence number."""
    batch = credits(count)
    batch.stamp(first_seq, first_seq)
    return bytes(batch)


async def write_frames(directory: Path, counts: list[int], settings: Settings = SMALL) -> None:
    """One more run of a journal: its epoch's frame, then frames of so many commands, through the real writer."""
    directory.mkdir(exist_ok=True)
    walk = Walk(directory)
    for _ in walk:
        pass
    writer, written = JournalWriter(walk, settings), asyncio.Queue[bytes | Exception]()
    writer.on_durable = writer.on_failed = written.put_nowait
    writer.open()
    writer.start()
    for count in counts:
        writer.append(stamped(writer.chain.next_seq, count))
        raw = await written.get()
        assert isinstance(raw, bytes), raw
    await writer.close()


def frames_of(directory: Path) -> list[Frame]:
    """Every sound frame, those that open epochs too."""
    return list(Walk(directory))


def descriptor_of(path: Path) -> int:
    """The number under which this process has a file open for writing."""
    for name in os.listdir("/proc/self/fd"):
        try:
            if os.readlink(f"/proc/self/fd/{name}") == str(path):
                return int(name)
        except FileNotFoundError:
            continue
    raise AssertionError(f"{path} is not open")
