"""A whole life on a disk that fills up and is freed again, as a story for test_storage_full.

python -m tests.engine.full_disk FOLDER: FOLDER is a small file system of its own, which is really filled. Prints one
JSON object. Without a file system of its own `story` may be given another idea of a full disk.
"""
import json
import sys
from collections.abc import Callable
from pathlib import Path

from engine.config import Config
from engine.core.batch import Batch
from engine.core.codes import EventKind
from engine.core.exchange import Exchange
from engine.errors import StorageFull
from engine.journal import read_frames
from engine.reserve import RESERVE_NAME
from engine.service import Engine
from tests.engine.stage import TRADER, config_for, credits, opened, run, send, setup
from tests.support.waiting import until

RESERVE_BYTES = 65536
FILLER = "filler"
SINGLE_BYTES = 160      # a frame of one command


def place(number: int) -> Batch:
    batch = Batch()
    batch.place(TRADER, 1, 0, 0, 0, 25, 3, text=b"%d" % number)
    return batch


def cancel(number: int) -> Batch:
    batch = Batch()
    batch.cancel(TRADER, 1, text=b"%d" % number)
    return batch


async def taken(engine: Engine, make: Callable[[int], Batch], numbers: range, kind: EventKind) -> tuple[int, str]:
    """Submit one after the other until one is refused for want of storage; how many were answered, and the refusal."""
    for count, number in enumerate(numbers):
        try:
            _, events = await send(engine, make(number))
        except StorageFull as error:
            return count, str(error)
        assert events[0].kind == kind, (number, events[0].kind)
    return len(numbers), ""


async def story(config: Config, fill: Callable[[], None], free: Callable[[], None]) -> dict[str, object]:
    """Trade, fill the disk, cancel to the end of the reserve, start again, free the disk, trade."""
    reserve = config.paths.journal / RESERVE_NAME
    async with opened(config) as engine:
        for batch in (setup(), credits(1, 10**12)):
            await send(engine, batch)
        resting, _ = await taken(engine, place, range(600), EventKind.ACCEPTED)
        await until(reserve.exists)
        fill()
        more, no_orders = await taken(engine, place, range(resting, 5000), EventKind.ACCEPTED)
        with_order = cancel(0)
        with_order.extend(place(9999))
        mixed, _ = await taken(engine, lambda _: with_order, range(1), EventKind.CANCELED)
        orders = resting + more
        canceled, no_cancels = await taken(engine, cancel, range(orders), EventKind.CANCELED)
        empty, refused = await taken(engine, cancel, range(orders, 9999), EventKind.REJECTED)
        seq, state = engine.seq, engine.core.state_hash()
    assert not reserve.exists()
    async with opened(config) as engine:    # on the full disk
        same = (engine.seq, engine.core.state_hash()) == (seq, state)
        await until(lambda: engine.storage_low)
        again, _ = await taken(engine, place, range(9000, 9001), EventKind.ACCEPTED)
        free()
        await until(lambda: not engine.storage_low and reserve.exists())
        after, _ = await taken(engine, place, range(9000, 9100), EventKind.ACCEPTED)
        seq, state = engine.seq, engine.core.state_hash()
    replica = Exchange()
    for frame in read_frames(config.paths.journal):
        replica.apply(frame.commands)
    return {
        "more": more, "mixed": mixed, "cancels": canceled + empty, "all_canceled": canceled == orders, "again": again,
        "after": after, "no_orders": no_orders, "no_cancels": no_cancels or refused, "same": same,
        "replayed": (replica.seq, replica.state_hash()) == (seq, state)}


def settings(folder: Path) -> Config:
    return config_for(folder, journal={
        "segment_bytes": 2 * RESERVE_BYTES, "reserve_bytes": RESERVE_BYTES, "frame_commands_max": 8})


def main(folder: Path) -> None:
    """On this file system of our own."""
    filler = folder / FILLER

    def fill() -> None:
        with filler.open("wb", buffering=0) as file:
            for size_bytes in (65536, 4096, 512, 1):
                try:
                    while file.write(bytes(size_bytes)) == size_bytes:
                        pass
                except OSError:
                    continue

    print(json.dumps(run(story(settings(folder / "venue"), fill, filler.unlink))))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
