"""WebSocket connections over real sockets: messages in order, joined writes, limits, and peers that break the rules."""
import asyncio
import logging
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
import uvloop
from msgspec.structs import replace

from engine.config import Limits
from engine.errors import ConfigError
from gateway.websocket import Connection, Listener, listen, text_frame
from tests.gateway.raw_websocket import (
    BINARY,
    CLOSE,
    CONT,
    HANDSHAKE,
    PING,
    PONG,
    TEXT,
    RawClient,
    frame,
)
from tests.support.waiting import SECONDS_MAX, STORY_SECONDS_MAX, until

LIMITS = Limits(handshake_seconds_max=60.0, close_seconds_max=60.0)
HASTY = Limits(handshake_seconds_max=0.5, close_seconds_max=0.5)


class Echo:
    """Sends everything back; "boom" fails, "bye" closes, "big" gets 100 KB, after "hold" it wants to hear nothing."""

    def __init__(self, log: list[object]) -> None:
        self.log = log

    def opened(self, connection: Connection) -> None:
        self.connection = connection
        self.log.append(("opened", connection.path, connection.query))

    def message(self, data: bytes) -> None:
        if data == b"boom":
            raise RuntimeError("boom")
        if data == b"bye":
            self.connection.close(4000, "bye")
        if data == b"hold":
            self.connection.hold(True)
        self.connection.send(data if data != b"big" else bytes(100_000))

    def batch_end(self) -> None:
        self.log.append("batch")

    def closed(self) -> None:
        self.log.append("closed")


Story = Callable[[Listener, list[object]], Awaitable[None]]


def run(story: Story, limits: Limits = LIMITS) -> None:
    async def main() -> None:
        log: list[object] = []
        listener = await listen(lambda: Echo(log), "127.0.0.1", 0, limits)
        try:
            async with asyncio.timeout(STORY_SECONDS_MAX):
                await story(listener, log)
        finally:
            listener.close()
            async with asyncio.timeout(SECONDS_MAX):
                await listener.wait_closed()
        assert not listener.connections
    uvloop.run(main())


async def alive(listener: Listener) -> None:
    """The process goes on: a well-behaved client is served."""
    client = await RawClient.open(listener.port)
    client.send(frame(TEXT, b"still here"))
    assert await client.read() == (TEXT, b"still here")
    client.close()


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 65535, 65536])
def test_text_frame_lengths(length):
    async def story(listener: Listener, log: list[object]) -> None:
        client = await RawClient.open(listener.port)
        client.send(frame(TEXT, b"x" * length))
        assert await client.read() == (TEXT, b"x" * length)
        client.close()
    run(story)
    assert text_frame(b"")[:2] == b"\x81\x00"


def test_any_path_and_its_query():
    async def story(listener: Listener, log: list[object]) -> None:
        for path in (b"/ws-api/v3?returnRateLimits=false&x=%20", b"/ws/0", b"/stream/ws/17", b"/"):
            client = await RawClient.open(listener.port, path)
            client.close()
        assert log[0] == ("opened", "/ws-api/v3", "returnRateLimits=false&x=%20")
        assert ("opened", "/stream/ws/17", "") in log
    run(story)


def test_one_read_is_one_batch_and_one_write():
    async def story(listener: Listener, log: list[object]) -> None:
        client = await RawClient.open(listener.port)
        log.clear()
        client.send(b"".join(frame(TEXT, b"%d" % number) for number in range(100)))
        for number in range(100):
            assert await client.read() == (TEXT, b"%d" % number)
        assert log.count("batch") < 10
        client.close()
    run(story)


def test_bytewise_arrival():
    async def story(listener: Listener, log: list[object]) -> None:
        client = await RawClient.connect(listener.port)
        for byte in HANDSHAKE % b"/ws" + frame(TEXT, b"slow but right"):
            client.send(bytes((byte,)))
            await asyncio.sleep(0)
        assert (await client.head()).startswith(b"HTTP/1.1 101")
        assert await client.read() == (TEXT, b"slow but right")
        client.close()
    run(story)


def test_frames_in_the_same_packet_as_the_handshake():
    async def story(listener: Listener, log: list[object]) -> None:
        client = await RawClient.connect(listener.port)
        client.send(HANDSHAKE % b"/ws" + frame(TEXT, b"eager"))
        assert (await client.head()).startswith(b"HTTP/1.1 101")
        assert await client.read() == (TEXT, b"eager")
        client.close()
    run(story)


def test_fragments_are_joined_around_a_ping():
    async def story(listener: Listener, log: list[object]) -> None:
        client = await RawClient.open(listener.port)
        text = "кириллица".encode()
        client.send(frame(TEXT, text[:3], fin=False) + frame(PING, b"p") + frame(CONT, text[3:]))
        assert await client.read() == (PONG, b"p")
        assert await client.read() == (TEXT, text)
        client.close()
    run(story)


def test_closing_handshake():
    async def story(listener: Listener, log: list[object]) -> None:
        client = await RawClient.open(listener.port)
        client.send(frame(CLOSE, (1000).to_bytes(2, "big")))
        assert await client.closed_with() == 1000
        assert await client.reader.read() == b""
        client.writer.close()
        await until(lambda: log[-1] == "closed")
    run(story)


def test_handler_closes_and_hears_nothing_more():
    async def story(listener: Listener, log: list[object]) -> None:
        client = await RawClient.open(listener.port)
        client.send(frame(TEXT, b"bye") + frame(TEXT, b"after"))
        assert await client.closed_with() == 4000
        client.send(frame(CLOSE, (4000).to_bytes(2, "big")))
        assert await client.reader.read() == b""
        client.close()
    run(story)


def test_peer_that_ignores_our_close_is_cut():
    async def story(listener: Listener, log: list[object]) -> None:
        client = await RawClient.open(listener.port)
        client.send(frame(TEXT, b"bye"))
        assert await client.closed_with() == 4000
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            async with asyncio.timeout(SECONDS_MAX):
                await client.reader.readexactly(1)
        client.close()
    run(story, HASTY)


HOSTILE = {
    "unmasked": (frame(TEXT, b"x", masked=False), 1002),
    "rsv1": (frame(TEXT, b"x", rsv=4), 1002),
    "rsv3": (frame(TEXT, b"x", rsv=1), 1002),
    "invalid utf-8": (frame(TEXT, b"\xff\xfe"), 1007),
    "utf-8 cut in a fragment": (frame(TEXT, b"\xc3", fin=False) + frame(CONT, b"("), 1007),
    "surrogate": (frame(TEXT, b"\xed\xa0\x80"), 1007),
    "binary": (frame(BINARY, b"{}"), 1003),
    "claims 100 MB": (frame(TEXT, b"", claimed=100 * 2**20), 1009),
    "claims 2^62": (frame(TEXT, b"", claimed=2**62), 1009),
    "one byte too long": (frame(TEXT, b"x" * (64 * 1024 + 1)), 1009),
    "endless fragments": (frame(TEXT, b"x", fin=False) + frame(CONT, b"y" * 1000, fin=False) * 100, 1009),
    "long ping": (frame(PING, b"x" * 126), 1002),
    "fragmented ping": (frame(PING, b"x", fin=False), 1002),
    "bad opcode": (frame(3, b"x"), 1002),
    "bad control opcode": (frame(15, b"x"), 1002),
    "lost continuation": (frame(CONT, b"x"), 1002),
    "text inside fragments": (frame(TEXT, b"x", fin=False) + frame(TEXT, b"y"), 1002),
    "close with one byte": (frame(CLOSE, b"x"), 1002),
    "close code 1005": (frame(CLOSE, (1005).to_bytes(2, "big")), 1002),
    "close reason not utf-8": (frame(CLOSE, (1000).to_bytes(2, "big") + b"\xff"), 1007),
    "handler fails": (frame(TEXT, b"boom"), 1011),
}


@pytest.mark.parametrize(("data", "code"), HOSTILE.values(), ids=HOSTILE.keys())
def test_rule_breakers_get_the_right_code(data, code, caplog):
    async def story(listener: Listener, log: list[object]) -> None:
        client = await RawClient.open(listener.port)
        client.send(frame(TEXT, b"fine so far") + data)
        assert await client.closed_with() == code
        assert await client.reader.read() == b""
        client.close()
        await alive(listener)
        await until(lambda: log.count("closed") == 2)
    caplog.set_level(logging.CRITICAL)
    run(story)


def test_valid_messages_before_a_bad_frame_are_delivered():
    async def story(listener: Listener, log: list[object]) -> None:
        client = await RawClient.open(listener.port)
        log.clear()
        client.send(frame(TEXT, b"an order") + frame(3, b"x"))
        assert await client.closed_with() == 1002
        assert log[0] == "batch"
        client.close()
    run(story)


REQUESTS = {
    "plain GET": (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"426"),
    "POST": (b"POST /ws HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", b"405"),
    "no key": (HANDSHAKE.replace(b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", b"") % b"/", b"400"),
    "wrong version": (HANDSHAKE.replace(b"Version: 13", b"Version: 8") % b"/", b"400"),
    "500 headers": (HANDSHAKE.replace(b"Host", b"A: b\r\n" * 500 + b"Host") % b"/", b"431"),
    "long header": (HANDSHAKE.replace(b"venue", b"v" * 2**20) % b"/", b"431"),
    "long path": (HANDSHAKE % (b"/" + b"a" * 10000), b"414"),
    "many full headers": (HANDSHAKE.replace(b"Host", b"A: %b\r\n" % (b"b" * 8000) * 20 + b"Host") % b"/", b"431"),
    "garbage": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b""),
}


@pytest.mark.parametrize(("data", "status"), REQUESTS.values(), ids=REQUESTS.keys())
def test_bad_handshakes(data, status):
    async def story(listener: Listener, log: list[object]) -> None:
        client = await RawClient.connect(listener.port)
        client.send(data)
        async with asyncio.timeout(SECONDS_MAX):
            answer = await client.reader.read()
        assert answer[9:12] == status
        client.close()
        await alive(listener)
        assert len(log) <= 3
    run(story)


@pytest.mark.parametrize("drip", [b"", b"GET / HTTP/1.1\r\nX: "], ids=["silent", "slowloris"])
def test_late_handshake_is_cut(drip):
    async def story(listener: Listener, log: list[object]) -> None:
        client = await RawClient.connect(listener.port)
        started = time.monotonic()
        client.send(drip)
        while listener.connections:
            client.send(b"a" if drip else b"")
            await asyncio.sleep(0.05)
        assert time.monotonic() - started > 0.4
        with suppress(ConnectionResetError):
            assert await client.reader.read() == b""
        client.close()
        await alive(listener)
    run(story, HASTY)


def test_peer_that_never_reads_is_cut():
    async def story(listener: Listener, log: list[object]) -> None:
        client = await RawClient.open(listener.port)
        client.writer.transport.pause_reading()
        connection = next(iter(listener.connections))
        most, sent = 0, 0
        while connection in listener.connections and sent < 2**30:
            connection.send(b"z" * 4096)
            sent += 4096
            most = max(most, connection.write_buffer_bytes)
            if sent % 65536 == 0:
                await asyncio.sleep(0)
        assert connection not in listener.connections
        assert most <= 2 * 64 * 1024 + 8192
        assert log[-1] == "closed"
        client.close()
        await alive(listener)
    run(story, replace(LIMITS, write_buffer_bytes_max=64 * 1024, socket_send_bytes=16 * 1024))


@pytest.mark.parametrize(("asked", "count", "answer"), [(b"q" * 4096, 2000, b"q" * 4096), (b"big", 40, bytes(100_000))])
def test_peer_that_asks_before_it_reads_is_waited_for(asked, count, answer):
    cap = 256 * 1024

    async def story(listener: Listener, log: list[object]) -> None:
        client = await RawClient.open(listener.port)
        client.writer.transport.pause_reading()
        connection = next(iter(listener.connections))
        data = frame(TEXT, asked)
        for _ in range(count):
            client.send(data)
            await asyncio.sleep(0)
            assert connection.write_buffer_bytes <= cap
        client.writer.transport.resume_reading()
        for _ in range(count):
            assert await client.read() == (TEXT, answer)
            assert connection.write_buffer_bytes <= cap
        client.close()
        await alive(listener)
    run(story, replace(LIMITS, write_buffer_bytes_max=cap, socket_send_bytes=16 * 1024))


def test_handler_that_has_enough_is_left_alone():
    async def story(listener: Listener, log: list[object]) -> None:
        client = await RawClient.open(listener.port)
        connection = next(iter(listener.connections))
        client.send(frame(TEXT, b"one") + frame(TEXT, b"hold") + frame(TEXT, b"two") + frame(TEXT, b"three"))
        assert [await client.read(), await client.read()] == [(TEXT, b"one"), (TEXT, b"hold")]
        client.send(frame(TEXT, b"four"))
        await asyncio.sleep(0.05)
        assert log.count("batch") == 1
        connection.hold(False)
        assert [(await client.read())[1] for _ in range(3)] == [b"two", b"three", b"four"]
        client.close()
    run(story)


def test_ping_and_cut_without_pong():
    async def story(listener: Listener, log: list[object]) -> None:
        polite, rude = await RawClient.open(listener.port), await RawClient.open(listener.port)
        started = time.monotonic()

        async def answer_pings() -> None:
            while True:
                opcode, payload = await polite.read()
                assert opcode == PING
                polite.send(frame(PONG, payload))
        answering = asyncio.create_task(answer_pings())
        assert await rude.closed_with() == 1008
        assert time.monotonic() - started > 1.9
        await asyncio.sleep(0.5)
        assert len(listener.connections) >= 1 and not answering.done()
        answering.cancel()
        polite.close()
        rude.close()
    run(story, replace(LIMITS, ping_seconds=0.3, pong_seconds_max=2.0))


def test_house_full():
    async def story(listener: Listener, log: list[object]) -> None:
        first = await RawClient.open(listener.port)
        second = await RawClient.connect(listener.port)
        assert (await second.head()).startswith(b"HTTP/1.1 503")
        first.close()
        await until(lambda: not listener.connections)
        await alive(listener)
        second.close()
    run(story, replace(LIMITS, connections_max=1))


def test_shutdown_says_1001():
    async def story(listener: Listener, log: list[object]) -> None:
        silent, client = await RawClient.connect(listener.port), await RawClient.open(listener.port)
        assert len(listener.connections) == 2
        listener.close()
        assert await client.closed_with() == 1001
        assert await silent.reader.read() == b""
        client.send(frame(CLOSE, (1001).to_bytes(2, "big")))
        async with asyncio.timeout(LIMITS.close_seconds_max / 2):
            await listener.wait_closed()
        client.close()
        silent.close()
    run(story)


def test_port_in_use_names_the_remedy():
    async def story(listener: Listener, log: list[object]) -> None:
        with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1:{listener.port}"):
            await listen(lambda: Echo(log), "127.0.0.1", listener.port, LIMITS)
    run(story)


def test_reset_by_peer():
    async def story(listener: Listener, log: list[object]) -> None:
        client = await RawClient.open(listener.port)
        sock = client.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        client.send(frame(TEXT, b"x"))
        client.close()
        await until(lambda: "closed" in log)
        await alive(listener)
    run(story)
