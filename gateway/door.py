"""The Unix-socket door: other processes of the venue (REST, CLI, replay) call the exchange's methods through it.

A message is a 4-byte little-endian length and a JSON array of requests [number, account, method, params]; it is
answered with arrays of [number, status, result or error], in the order of the requests. All orders of one read go to
the engine as one batch. The caller has authenticated the account. The socket lies in a folder that only the venue's
user can enter, so whoever reaches it is trusted: the operator's methods (gateway/admin.py) are here and nowhere else.

A message that cannot be read, or more unsent bytes than REPLY_BYTES_MAX, ends the connection.
"""
import asyncio
import logging
import os
from functools import partial
from pathlib import Path
from typing import Annotated, Any, cast

import msgspec
from msgspec import Meta

from gateway.admin import Admin
from gateway.door_frames import REPLY_MESSAGE_BYTES_MAX, REQUEST_MESSAGE_BYTES_MAX, FrameReader, FrameTooLong, frame
from gateway.holds import HoldDesk
from gateway.lane import Lane, Overrun
from gateway.order_terms import Params
from gateway.refusals import INVALID_PARAMETER, INVALID_TIME_UNIT, UNSUPPORTED, Refusal
from gateway.requests import param_text
from gateway.venue import Venue

UNITS_NS = {"MILLISECOND": 1_000_000, "MICROSECOND": 1000}
REPLY_BYTES_MAX = REPLY_MESSAGE_BYTES_MAX // 4
Account = Annotated[int, Meta(ge=0, lt=2**32)]
_read_requests = msgspec.json.Decoder(list[tuple[int, Account, str, dict[str, Any]]], float_hook=str).decode
_log = logging.getLogger(__name__)


class Door:
    """The listening socket and its connections."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        admin = Admin(venue.engine)
        self.commands = venue.commands | {
            "admin.asset": admin.asset, "admin.instrument": admin.instrument, "admin.account": admin.account,
            "admin.limits": admin.limits, "admin.credit": admin.credit, "admin.debit": admin.debit,
            "admin.snapshot": admin.snapshot, "admin.protection": admin.protection, "admin.kill": admin.kill,
            "admin.auction": admin.auction}
        self.public = venue.public | {
            "engine.status": admin.status, "engine.position": admin.position, "engine.catalog": admin.catalog}
        self.private = venue.private | venue.keyed
        self.holds = HoldDesk(venue.engine, venue.config.transfers)
        self.connections: set[DoorConnection] = set()
        self._server: asyncio.Server | None = None

    async def open(self, path: Path) -> None:
        """Listen. A socket left by a process that died is replaced: the lock on the data directory says we may."""
        path.unlink(missing_ok=True)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(lambda: DoorConnection(self), str(path))
        os.chmod(path, 0o600)
        self.holds.open()

    async def close(self) -> None:
        """Stop listening and cut the connections."""
        self.holds.close()
        if self._server is not None:
            self._server.close()
        for connection in list(self.connections):
            connection.cut()
        if self._server is not None:
            await self._server.wait_closed()


class DoorConnection(asyncio.Protocol):
    """One process that calls."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._reader = FrameReader(REQUEST_MESSAGE_BYTES_MAX)
        self._lane: Lane[int] = Lane(door.venue.engine, door.venue.config, self._answer, self._refuse)
        self._replies: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        self._transport = cast(asyncio.Transport, transport)
        self._door.connections.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        """Called by asyncio. Commands that wait for the engine go on."""
        self._door.connections.discard(self)

    def cut(self) -> None:
        """Close at once."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        try:
            for message in self._reader.feed(data):
                for number, account, method, params in _read_requests(message):
                    self._begin(number, account, method, params)
            self._lane.submit()
        except (FrameTooLong, Overrun, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            _log.error("the door was closed to a caller: %s", error)
            self.cut()

    def _begin(self, number: int, account: int, method: str, params: dict[str, Any]) -> None:
        door = self._door
        try:
            texts, unit_ns = _texts(params)
            if command := door.commands.get(method):
                self._lane.command(number, command(self._lane.batch, account, texts, unit_ns))
            elif group := door.venue.groups.get(method):
                self._lane.make_room(door.venue.group_max)
                before = len(self._lane.batch)
                finish = group(self._lane.batch, account, texts, unit_ns)
                self._lane.commands(number, len(self._lane.batch) - before, finish)
            elif hold := door.holds.methods.get(method):
                hold(texts, partial(self._answer, number), partial(self._refuse, number))
            elif private := door.private.get(method):
                self._lane.query(number, partial(private, account, texts, unit_ns))
            elif public := door.public.get(method):
                self._lane.query(number, partial(public, texts, unit_ns))
            else:
                raise Refusal(UNSUPPORTED)
        except Refusal as refusal:
            self._lane.refuse(number, refusal)

    def _answer(self, number: int, body: bytes) -> None:
        self._reply(b"[%d,200,%b]" % (number, body))

    def _refuse(self, number: int, refusal: Refusal) -> None:
        self._reply(b"[%d,%d,%b]" % (number, refusal.status, refusal.body()))

    def _reply(self, reply: bytes) -> None:
        if not self._replies:
            asyncio.get_running_loop().call_soon(self._flush)
        self._replies.append(reply)

    def _flush(self) -> None:
        """Write the replies of this loop pass together."""
        replies, self._replies = self._replies, []
        if self._transport.is_closing():
            return
        self._transport.write(frame(b"[" + b",".join(replies) + b"]"))
        if self._transport.get_write_buffer_size() > REPLY_BYTES_MAX:
            _log.error("the door was closed to a caller that does not read its replies")
            self.cut()


def _texts(params: dict[str, Any]) -> tuple[Params, int]:
    """Parameters as texts, and the unit of time that `timeUnit` asks for."""
    try:
        texts = {name: value if type(value) is str else param_text(value) for name, value in params.items()}
    except ValueError:
        raise Refusal(INVALID_PARAMETER, "params") from None
    unit_ns = UNITS_NS.get(texts.pop("timeUnit", "MILLISECOND").upper())
    if unit_ns is None:
        raise Refusal(INVALID_TIME_UNIT)
    return texts, unit_ns
