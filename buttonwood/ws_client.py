"""A WebSocket client for one busy connection: whole batches of messages in, whole batches out, one write each.

The handshake is the websockets library's. After it a server of ours sends text frames in one piece, pings and a close;
these are read here directly, which costs a tenth of a general parser. Any other frame ends the connection with an error
instead of being guessed at. Frames are masked with a fresh random key each, as the protocol asks.
"""
import asyncio
import os
import socket
import time
from collections.abc import Callable
from typing import Any, Self, cast

from websockets.client import ClientProtocol
from websockets.frames import Close, CloseCode, Opcode
from websockets.protocol import State
from websockets.speedups import apply_mask
from websockets.uri import WebSocketURI, parse_uri

from engine.errors import VenueError

RECEIVE_BYTES = 4 * 1024 * 1024     # asked of the operating system for what arrives while we compute
MESSAGE_BYTES_MAX = 16 * 1024 * 1024
RECONNECT_SECONDS_MAX = 120.0
_RECONNECT_PAUSE_S = 0.05
_FINAL, _MASKED = 0x80, 0x80

Receive = Callable[[list[bytes]], None]


class Disconnected(ConnectionError):
    """The connection is gone; the text says how."""


class WebSocketClient(asyncio.Protocol):
    """`receive` gets the messages of each read. `lost` resolves to the reason when the connection ends."""

    def __init__(self, uri: WebSocketURI, receive: Receive) -> None:
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._protocol, self._receive = ClientProtocol(uri), receive
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._reason = "closed by the other side"

    @classmethod
    async def connect(cls, url: str, receive: Receive, timeout_s: float = 10.0) -> Self:
        """Raises OSError (Disconnected is one) when the server cannot be reached, refuses, or is silent."""
        uri = parse_uri(url)
        if uri.secure:
            raise Disconnected(f"{url}: use a ws:// address; TLS belongs to the proxy in front of a venue")
        _, client = await asyncio.get_running_loop().create_connection(lambda: cls(uri, receive), uri.host, uri.port)
        try:
            async with asyncio.timeout(timeout_s):
                await client._opened
        except TimeoutError:
            client.close()
            raise Disconnected(f"{url}: no answer to the handshake in {timeout_s} s") from None
        return client

    def send(self, payloads: list[bytes]) -> None:
        """Send text messages in one write; on a lost connection they are dropped (see `lost`)."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"".join([_frame(Opcode.TEXT, payload) for payload in payloads]))

    @property
    def unsent_bytes(self) -> int:
        """What the operating system has not taken yet."""
        return self._transport.get_write_buffer_size() if self._transport is not None else 0

    def close(self) -> None:
        """Say goodbye and hang up."""
        if self._transport is not None and not self._transport.is_closing():
            self._reason = "closed by us"
            self._transport.write(_frame(Opcode.CLOSE, Close(CloseCode.NORMAL_CLOSURE, "").serialize()))
            self._transport.close()

    # -- for asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        self._transport = cast(asyncio.Transport, transport)
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
        self._protocol.send_request(self._protocol.connect())
        self._transport.write(b"".join(self._protocol.data_to_send()))

    def data_received(self, data: bytes) -> None:
        """Deliver what is complete, keep the rest."""
        self._buffer += data
        if not self._opened.done() and not self._handshake():
            return
        messages: list[bytes] = []
        end: Disconnected | None = None
        try:
            self._read_frames(messages)
        except Disconnected as error:
            end = error
        if messages:
            self._receive(messages)
        if end is not None:
            self._abort(str(end))

    def connection_lost(self, error: Exception | None) -> None:
        """Tell whoever waits."""
        self._transport = None
        if error is not None:
            self._reason = str(error)
        if not self._opened.done():
            self._opened.set_exception(Disconnected(self._reason))
        if not self.lost.done():
            self.lost.set_result(self._reason)

    # -- steps

    def _handshake(self) -> bool:
        """The answer to the upgrade; what follows it in the same read are frames. True when these may be read."""
        end = self._buffer.find(b"\r\n\r\n") + 4
        if end < 4:
            return False
        head = bytes(self._buffer[:end])
        del self._buffer[:end]
        self._protocol.receive_data(head)
        if self._protocol.state is not State.OPEN:
            status = head.split(b"\r\n", 1)[0].decode(errors="replace")
            self._abort(f"the server refuses: {status} ({self._protocol.handshake_exc or 'no upgrade'})")
            return False
        self._opened.set_result(None)
        return True

    def _abort(self, reason: str) -> None:
        self._reason = reason
        if self._transport is not None:
            self._transport.abort()

    def _read_frames(self, messages: list[bytes]) -> None:
        """Add all complete text messages, in order. Raises Disconnected at a close or a strange frame."""
        buffer, position = self._buffer, 0
        end = len(buffer)
        while end - position >= 2:
            head, length, start = buffer[position], buffer[position + 1], position + 2
            if length == 126:
                start += 2
                length = int.from_bytes(buffer[position + 2:start], "big")
            elif length == 127:
                start += 8
                length = int.from_bytes(buffer[position + 2:start], "big")
            if length > MESSAGE_BYTES_MAX:
                raise Disconnected(f"a message of {length} bytes; at most {MESSAGE_BYTES_MAX} are read here")
            if start + length > end:
                break
            if head == _FINAL | Opcode.TEXT:
                messages.append(bytes(buffer[start:start + length]))
            else:
                self._control(head, bytes(buffer[start:start + length]))
            position = start + length
        del buffer[:position]

    def _control(self, head: int, payload: bytes) -> None:
        assert self._transport is not None
        if head == _FINAL | Opcode.PING:
            self._transport.write(_frame(Opcode.PONG, payload))
        elif head == _FINAL | Opcode.CLOSE:
            raise Disconnected(f"closed by the server: {Close.parse(payload)}")
        elif head != _FINAL | Opcode.PONG:
            raise Disconnected(f"the server sent a frame of kind {head:#x}; only whole text messages are read here")


async def connect_again(url: str, receive: Receive) -> WebSocketClient:
    """Connect, again and again while the server is away. Raises VenueError when it stays away."""
    give_up = time.monotonic() + RECONNECT_SECONDS_MAX
    while True:
        try:
            return await WebSocketClient.connect(url, receive)
        except OSError as error:
            if time.monotonic() > give_up:
                raise VenueError(f"{url}: not reached for {RECONNECT_SECONDS_MAX:g} s: {error}") from None
            await asyncio.sleep(_RECONNECT_PAUSE_S)


async def first_of(*futures: asyncio.Future[Any], seconds_max: float | None = None) -> None:
    """Wait until one of these is done; their results and errors stay where they are."""
    await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED, timeout=seconds_max)


def _frame(opcode: Opcode, payload: bytes) -> bytes:
    """One masked frame."""
    length, mask = len(payload), os.urandom(4)
    if length < 126:
        head = bytes((_FINAL | opcode, _MASKED | length))
    elif length < 65536:
        head = bytes((_FINAL | opcode, _MASKED | 126)) + length.to_bytes(2, "big")
    else:
        head = bytes((_FINAL | opcode, _MASKED | 127)) + length.to_bytes(8, "big")
    return head + mask + apply_mask(payload, mask)
