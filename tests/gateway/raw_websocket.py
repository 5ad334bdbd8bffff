"""A WebSocket client that can misbehave: frames are built by hand and written to a plain socket."""
import asyncio
import os
import struct

from tests.support.waiting import SECONDS_MAX

HANDSHAKE = (
    b"GET %b HTTP/1.1\r\nHost: venue\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, masked: bool = True,
          claimed: int | None = None) -> bytes:
    """One client frame; `claimed` lies about its length."""
    length = len(payload) if claimed is None else claimed
    head = bytes((fin << 7 | rsv << 4 | opcode,))
    if length < 126:
        head += bytes((masked << 7 | length,))
    elif length < 65536:
        head += struct.pack("!BH", masked << 7 | 126, length)
    else:
        head += struct.pack("!BQ", masked << 7 | 127, length)
    if not masked:
        return head + payload
    key = os.urandom(4)
    return head + key + bytes(byte ^ key[index % 4] for index, byte in enumerate(payload))


class RawClient:
    """Use `async with RawClient.open(port)`. Reads frames; `closed_with` reads up to the close frame or the end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def connect(cls, port: int) -> "RawClient":
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    @classmethod
    async def open(cls, port: int, path: bytes = b"/ws") -> "RawClient":
        client = await cls.connect(port)
        client.writer.write(HANDSHAKE % path)
        head = await client.head()
        assert head.startswith(b"HTTP/1.1 101"), head
        return client

    async def head(self) -> bytes:
        async with asyncio.timeout(SECONDS_MAX):
            return await self.reader.readuntil(b"\r\n\r\n")

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def read(self) -> tuple[int, bytes]:
        """(opcode, payload) of the next frame."""
        async with asyncio.timeout(SECONDS_MAX):
            head = await self.reader.readexactly(2)
            length = head[1]
            if length == 126:
                length = int.from_bytes(await self.reader.readexactly(2), "big")
            elif length == 127:
                length = int.from_bytes(await self.reader.readexactly(8), "big")
            return head[0] & 15, await self.reader.readexactly(length)

    async def closed_with(self) -> int:
        """The code of the server's close frame, 1006 when the stream ends without one."""
        try:
            while True:
                opcode, payload = await self.read()
                if opcode == CLOSE:
                    return int.from_bytes(payload[:2], "big")
        except (asyncio.IncompleteReadError, ConnectionResetError):
            return 1006

    def close(self) -> None:
        self.writer.transport.abort()
