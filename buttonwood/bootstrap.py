"""First-time configuration: tells an empty exchange, through its door, what a listing says.

Each request is one command, sent one after the other before anybody else can send anything. The beginning of the
journal therefore says how far an interrupted attempt got, and the next one goes on from there; the exchange's own
commands there (marks of snapshots, ticks) count for nothing.
"""
from pathlib import Path
from typing import Any

import msgspec

from buttonwood.listing import Listing
from engine.config import Config
from engine.core.codes import CommandKind
from engine.errors import VenueError
from engine.journal import read_frames
from engine.records import RECORD_BYTES
from engine.segments import list_files
from gateway.door_client import DoorClient

_VENUE = 0            # account named in admin calls
_ITS_OWN = (CommandKind.CHECKPOINT, CommandKind.TICK, CommandKind.REMEMBER)


class Status(msgspec.Struct, rename="camel"):
    """Answer of engine.status, as far as it is needed here."""

    seq: int


class AssetName(msgspec.Struct):
    """An asset the exchange knows."""

    code: str


class InstrumentName(msgspec.Struct):
    """An instrument the exchange knows."""

    symbol: str


class Catalog(msgspec.Struct):
    """Answer of engine.catalog, as far as it is needed here."""

    assets: list[AssetName]
    instruments: list[InstrumentName]


async def bootstrap(config: Config, listing: Listing, seconds_max: float = 30.0) -> bool:
    """True when the listing (or the rest of it) was sent, False when the venue was configured before.

    Raises VenueError with the exchange's own words when it refuses a request, JournalError when that is damaged.
    """
    client = await DoorClient.connect(config.paths.door, timeout_s=seconds_max)
    try:
        requests = listing.requests()
        done = told(config.paths.journal, len(requests))
        if done:
            await _check(client, listing, complete=done == len(requests))
        for method, params in requests[done:]:
            await _call(client, method, params)
        return done < len(requests)
    finally:
        await client.close()


def told(journal: Path, most: int) -> int:
    """How many commands were sent to the exchange, at most that many; all of them where the beginning is gone."""
    files, count = list_files(journal), 0
    if files and files[0][0] > 1:
        return most
    for frame in read_frames(journal):
        count += sum(kind not in _ITS_OWN for kind in bytes(frame.commands[::RECORD_BYTES]))
        if count >= most:
            return most
    return count


async def _check(client: DoorClient, listing: Listing, *, complete: bool) -> None:
    """What the exchange has must belong to this listing; what it was told in full must hold all of it."""
    found = msgspec.json.decode(await _call(client, "engine.catalog", {}), type=Catalog)
    names = {asset.code for asset in found.assets} | {instrument.symbol for instrument in found.instruments}
    wanted = {asset.code for asset in listing.assets} | {terms.symbol for terms in listing.instruments}
    if not (wanted <= names if complete else names <= wanted):
        raise VenueError(f"this data directory holds another venue, with {', '.join(sorted(names)) or 'nothing'}: "
                         "start it without --demo and --listing, or choose another data directory")


async def commands_applied(config: Config) -> int:
    """Number of the last command the exchange has applied. Raises ConnectionError or VenueError."""
    client = await DoorClient.connect(config.paths.door, timeout_s=1.0)
    try:
        return await _applied(client)
    finally:
        await client.close()


async def _applied(client: DoorClient) -> int:
    return msgspec.json.decode(await _call(client, "engine.status", {}), type=Status).seq


async def _call(client: DoorClient, method: str, params: dict[str, Any]) -> bytes:
    status, body = await client.call(_VENUE, method, params)
    if status != 200:
        raise VenueError(f"{method} {params}: the exchange answered {status} {bytes(body).decode()}")
    return bytes(body)
