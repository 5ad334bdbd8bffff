"""Configuration by a listing: tells an exchange, through its door, what it says; all at first, later what has changed.

Each request is one command, sent one after the other before anybody else can send anything. The beginning of the
journal therefore says how far an interrupted attempt got, and the next one goes on from there; the exchange's own
commands there (marks of snapshots, ticks) count for nothing. Where the journal begins otherwise, it was configured
before, maybe by another listing: nothing of the beginning is sent again, no opening balance is credited twice.
"""
from pathlib import Path
from typing import Any

import msgspec

from buttonwood.listing import Listing, Request
from buttonwood.relisting import Offered, changes
from engine.config import Config
from engine.core.codes import CommandKind
from engine.errors import VenueError
from engine.journal import read_frames
from engine.records import RECORD_BYTES
from engine.segments import list_files
from gateway.door_client import DoorClient

_VENUE = 0            # account named in admin calls
_KEYS = {             # kind of the command, where it names what it is about, and the parameter's name
    "admin.asset": (CommandKind.ASSET, 8, "asset"), "admin.instrument": (CommandKind.INSTRUMENT, 8, "instrument"),
    "admin.limits": (CommandKind.INSTRUMENT_LIMITS, 8, "instrument"),
    "admin.protection": (CommandKind.PROTECTION, 8, "instrument"),
    "admin.account": (CommandKind.ACCOUNT, 4, "account"), "admin.credit": (CommandKind.CREDIT, 4, "account")}
_ITS_OWN = (CommandKind.CHECKPOINT, CommandKind.TICK, CommandKind.REMEMBER)


class Status(msgspec.Struct, rename="camel"):
    """Answer of engine.status, as far as it is needed here."""

    seq: int


async def bootstrap(config: Config, listing: Listing, seconds_max: float = 30.0) -> list[Request]:
    """What was sent: all of the listing, the rest of it, or what it says otherwise than a venue configured before.

    Raises VenueError with the exchange's own words when it refuses a request, JournalError when that is damaged.
    """
    client = await DoorClient.connect(config.paths.door, timeout_s=seconds_max)
    try:
        requests = listing.requests()
        done = told(config.paths.journal, requests)
        sent = requests[done:]
        await _check(client, listing, begun=done > 0)
        await _send(client, sent)
        differing = changes(listing, await _offered(client))
        await _send(client, differing)
        return [*sent, *differing]
    finally:
        await client.close()


def told(journal: Path, requests: list[Request]) -> int:
    """With which request to go on: behind those the exchange was sent; behind the last if it was sent others, too.

    Then it was configured before, by another listing or in full; so it was where the journal's beginning is gone.
    """
    files, count = list_files(journal), 0
    if files and files[0][0] > 1:
        return len(requests)
    for frame in read_frames(journal):
        for place in range(frame.count):
            record = bytes(frame.commands[place * RECORD_BYTES:(place + 1) * RECORD_BYTES])
            if record[0] in _ITS_OWN:
                continue
            if count == len(requests) or not _is(requests[count], record):
                return len(requests)
            count += 1
    return count


def _is(request: Request, record: bytes) -> bool:
    """Whether the command is that of the request, whatever else it says."""
    method, params = request
    kind, field, name = _KEYS[method]
    return record[0] == kind and int.from_bytes(record[field:field + 4], "little") == params[name]


async def _check(client: DoorClient, listing: Listing, *, begun: bool) -> None:
    """What the exchange has must belong to this listing."""
    offered = await _offered(client)
    names = {instrument.symbol for instrument in offered.instruments}
    wanted = {terms.symbol for terms in listing.instruments}
    if begun and names and wanted and not names & wanted:
        names |= {asset.code for asset in offered.assets}
        raise VenueError(f"this data directory holds another venue, with {', '.join(sorted(names))}: "
                         "start it without --demo and --listing, or choose another data directory")


async def _offered(client: DoorClient) -> Offered:
    return msgspec.json.decode(await _call(client, "engine.catalog", {}), type=Offered)


async def _send(client: DoorClient, requests: list[Request]) -> None:
    for method, params in requests:
        await _call(client, method, params)


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
