"""`buttonwood snapshot`: has a snapshot made now, of a running venue or of one that is stopped.

A running exchange puts a mark into its journal, and the worker role `snapshots` writes the file; of a stopped one the
state is recovered here and written. Exit status 0: the file is there, and its name was printed.
"""
import asyncio
import os
from pathlib import Path

import msgspec

from engine.config import Config
from engine.errors import DataDirLocked, VenueError
from engine.recovery import lock_directory, recover
from engine.snapshot_file import name_of
from engine.snapshots import take
from gateway.door_client import DoorClient

WAIT_SECONDS_MAX = 60.0
_LOOK_SECONDS = 0.05


class _Mark(msgspec.Struct):
    seq: int


async def run_snapshot(config: Config) -> int:
    """Do it. Raises VenueError, OSError."""
    config.paths.prepare()
    try:
        fd = lock_directory(config.paths.data_dir, config.paths.lock)
    except DataDirLocked:
        print(await _of_running(config))
        return 0
    try:
        recovered = await recover(config, None)
        path = take(recovered.core, recovered.transfers, config.paths, config.snapshots.keep)
    finally:
        os.close(fd)
    if path is None:
        raise VenueError("there is nothing to write: the journal has no command, or somebody writes one just now")
    print(path)
    return 0


async def _of_running(config: Config) -> Path:
    try:
        client = await DoorClient.connect(config.paths.door)
    except ConnectionError as error:
        raise VenueError(str(error)) from None
    try:
        status, body = await client.call(0, "admin.snapshot", {})
    finally:
        await client.close()
    if status != 200:
        raise VenueError(f"the exchange does not put a mark into its journal: {bytes(body).decode()}")
    path = config.paths.snapshots / name_of(msgspec.json.decode(body, type=_Mark).seq)
    try:
        async with asyncio.timeout(WAIT_SECONDS_MAX):
            while not path.exists():  # noqa: ASYNC110  another process makes it
                await asyncio.sleep(_LOOK_SECONDS)
    except TimeoutError:
        raise VenueError(f"{path} has not come in {WAIT_SECONDS_MAX:g} s: is `buttonwood worker snapshots` running? "
                         "Its log says why it cannot write") from None
    return path
