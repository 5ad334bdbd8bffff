"""The replay's WebSocket client against the websockets library's own server, and against bytes no server sends."""
import asyncio
from collections.abc import Awaitable, Callable

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.utils import accept_key

from buttonwood.ws_client import Disconnected, WebSocketClient
from tests.support.waiting import SECONDS_MAX

SWITCH = (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          b"Sec-WebSocket-Accept: %b\r\n\r\n")
Talk = Callable[[ServerConnection], Awaitable[None]]


class Received:
    """Collects messages; `wait` returns once there are so many."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.more = asyncio.Event()

    def __call__(self, messages: list[bytes]) -> None:
        assert messages
        self.messages += messages
        self.more.set()

    async def wait(self, count: int) -> list[bytes]:
        async with asyncio.timeout(SECONDS_MAX):
            while len(self.messages) < count:
                self.more.clear()
                await self.more.wait()
        return self.messages


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


async def with_server(talk: Talk, use: Callable[[WebSocketClient, Received], Awaitable[None]]) -> None:
    async with serve(talk, "127.0.0.1", 0, compression=None) as server:
        port = server.sockets[0].getsockname()[1]
        received = Received()
        client = await WebSocketClient.connect(f"ws://127.0.0.1:{port}/any?x=1", received)
        try:
            await use(client, received)
        finally:
            client.close()
            async with asyncio.timeout(SECONDS_MAX):
                await client.lost


def test_messages_of_all_sizes_come_back():
    sizes = [0, 1, 125, 126, 127, 65535, 65536, 200_000]
    sent = [bytes([97 + index]) * size for index, size in enumerate(sizes)]

    async def use(client: WebSocketClient, received: Received) -> None:
        client.send(sent)
        assert await received.wait(len(sent)) == sent

    asyncio.run(with_server(echo, use))


def test_ten_thousand_messages_in_one_write_keep_their_order():
    sent = [b"%d" % number for number in range(10_000)]

    async def use(client: WebSocketClient, received: Received) -> None:
        client.send(sent)
        assert await received.wait(len(sent)) == sent

    asyncio.run(with_server(echo, use))


def test_pings_are_answered():
    async def talk(connection: ServerConnection) -> None:
        pong = await connection.ping(b"are you there")
        await pong
        await connection.send("yes")
        await connection.wait_closed()

    async def use(client: WebSocketClient, received: Received) -> None:
        assert await received.wait(1) == [b"yes"]

    asyncio.run(with_server(talk, use))


def test_the_servers_close_is_told_after_its_last_message():
    async def talk(connection: ServerConnection) -> None:
        await connection.send("last words")
        await connection.close(1013, "come back later")

    async def use(client: WebSocketClient, received: Received) -> None:
        async with asyncio.timeout(SECONDS_MAX):
            assert "come back later" in await client.lost
        assert received.messages == [b"last words"]
        client.send([b"nobody hears this"])

    asyncio.run(with_server(talk, use))


def test_our_close_is_clean():
    ended: list[int] = []

    async def talk(connection: ServerConnection) -> None:
        try:
            await connection.recv()
        except ConnectionClosed as error:
            ended.append(error.rcvd.code if error.rcvd else 0)

    async def use(client: WebSocketClient, received: Received) -> None:
        client.close()
        assert await client.lost == "closed by us"

    asyncio.run(with_server(talk, use))
    assert ended == [1000]


def test_a_refused_handshake_names_the_status():
    def refuse(connection: ServerConnection, request: Request) -> Response:
        return connection.respond(429, "too many\n")

    async def run() -> None:
        async with serve(echo, "127.0.0.1", 0, process_request=refuse) as server:
            port = server.sockets[0].getsockname()[1]
            with pytest.raises(Disconnected, match="429"):
                await WebSocketClient.connect(f"ws://127.0.0.1:{port}/", Received())

    asyncio.run(run())


def test_absent_and_silent_servers_and_tls_are_errors():
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async def run() -> None:
        server = await asyncio.start_server(silent, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Disconnected, match="no answer"):
            await WebSocketClient.connect(f"ws://127.0.0.1:{port}/", Received(), timeout_s=0.1)
        server.close()
        await server.wait_closed()
        with pytest.raises(OSError, match=r"refused|Connect"):
            await WebSocketClient.connect(f"ws://127.0.0.1:{port}/", Received())
        with pytest.raises(Disconnected, match="TLS"):
            await WebSocketClient.connect("wss://127.0.0.1:1/", Received())

    asyncio.run(run())


@pytest.mark.parametrize("frame", [
    b"\x01\x02ab",                      # the first half of a message
    b"\x82\x02ab",                      # binary
    b"\xc1\x02ab",                      # compressed
    b"\x81\x7f" + (2**40).to_bytes(8)])  # a terabyte
def test_frames_that_are_not_read_here_end_the_connection(frame: bytes):
    """The byte-exact answers of a hand-made server, in one piece and byte by byte."""
    async def run(piece: int) -> None:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            request = await reader.readuntil(b"\r\n\r\n")
            answer = SWITCH % accept_of(request) + b"\x81\x02ok" + frame
            for start in range(0, len(answer), piece):
                writer.write(answer[start:start + piece])
                await asyncio.sleep(0)
            await reader.read()
            writer.close()

        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        received = Received()
        client = await WebSocketClient.connect(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/", received)
        async with asyncio.timeout(SECONDS_MAX):
            reason = await client.lost
        assert "read here" in reason
        assert received.messages == [b"ok"]
        server.close()
        await server.wait_closed()

    asyncio.run(run(10_000))
    asyncio.run(run(1))


def accept_of(request: bytes) -> bytes:
    head = request.decode().split("\r\n")
    key = next(line.split(":", 1)[1].strip() for line in head if line.lower().startswith("sec-websocket-key:"))
    return accept_key(key).encode()
