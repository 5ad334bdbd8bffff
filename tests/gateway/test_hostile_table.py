"""The table of hostile inputs that WebSocket and HTTP servers are compared with, on our own three listeners.

Each row asks for the best that any of the servers compared does (websockets, picows, aiohttp, uvicorn, granian,
socketify): the right close code and then the end of the stream, 431, or a cut in time. Defaults are rows as well.
"""
import asyncio
import logging
import time
from urllib.parse import urlsplit

import pytest

from engine.config import Limits
from tests.gateway.raw_websocket import CLOSE, CONT, HANDSHAKE, PING, TEXT, RawClient, frame
from tests.gateway.running import ALICE
from tests.gateway.test_listen_keys import Kit, with_kit
from tests.support.waiting import SECONDS_MAX

LATE_SECONDS = 1.0
MESSAGE_BYTES_MAX = 4096
FRAMES = {
    "unmasked client frame": (frame(TEXT, b"{}", masked=False), 1002),
    "RSV1 without extension": (frame(TEXT, b"{}", rsv=4), 1002),
    "RSV2": (frame(TEXT, b"{}", rsv=2), 1002),
    "RSV3": (frame(TEXT, b"{}", rsv=1), 1002),
    "invalid UTF-8": (frame(TEXT, b'{"id":"\xff"}'), 1007),
    "invalid UTF-8 in fragments": (frame(TEXT, b"\xe2\x82", fin=False) + frame(CONT, b"\xff"), 1007),
    "a frame that claims 100 MB": (frame(TEXT, b"x", claimed=100 * 10**6), 1009),
    "a frame that claims 2^62": (frame(TEXT, b"x", claimed=2**62), 1009),
    "a frame that claims 2^63": (frame(TEXT, b"x", claimed=2**63), 1009),
    "endless fragments": (frame(TEXT, b"x", fin=False) + frame(CONT, b"y" * 1000, fin=False) * 1000, 1009),
    "endless empty fragments": (frame(TEXT, b"x", fin=False) + frame(CONT, fin=False) * 5000 + frame(TEXT), 1002),
    "ping of 126 bytes": (frame(PING, b"x" * 126), 1002),
    "bad opcode": (frame(3, b"x"), 1002),
    "bad control opcode": (frame(11, b"x"), 1002),
    "close code 1005": (frame(CLOSE, (1005).to_bytes(2, "big")), 1002),
    "close code 999": (frame(CLOSE, (999).to_bytes(2, "big")), 1002),
}
HEADS = {"500 headers": b"A: b\r\n" * 500, "a header of 1 MB": b"A: " + b"b" * 2**20 + b"\r\n"}
PLAIN = b"GET /api/v3/ping HTTP/1.1\r\nHost: x\r\n"
SLOW = {"connect, send nothing": b"", "slowloris": PLAIN}


def listeners(kit: Kit) -> dict[int, bytes]:
    """Port and path of the two WebSocket listeners."""
    found = [urlsplit(kit.venue.server.url), urlsplit(kit.feed_url + "/ws")]
    return {int(url.port or 0): url.path.encode() for url in found}


async def well(kit: Kit) -> None:
    """All three listeners answer well-behaved clients, at once."""
    async with asyncio.timeout(SECONDS_MAX), kit.rest(ALICE) as client, kit.feed("/ws") as feed:
        assert await client.ok("GET", "ping", public=True) == {}
        await feed.send('{"method":"LIST_SUBSCRIPTIONS","id":1}')
        assert await feed.recv() == '{"result":[],"id":1}'
        async with kit.venue.client(ALICE) as orders:
            assert await orders.ok("ping", signed=False) == {}


def test_frames(tmp_path, capsys):
    async def story(kit: Kit) -> None:
        wrong = {}
        for port, path in listeners(kit).items():
            for name, (data, code) in FRAMES.items():
                client = await RawClient.open(port, path)
                client.send(data)
                found = await client.closed_with()
                async with asyncio.timeout(SECONDS_MAX):
                    rest = await client.reader.read()
                client.close()
                if (found, rest) != (code, b""):
                    wrong[path, name] = found, rest
        assert not wrong, wrong
        await well(kit)
    with_kit(tmp_path, capsys, story, ws_message_bytes_max=MESSAGE_BYTES_MAX)


def test_heads_of_requests(tmp_path, capsys):
    """431 from all listeners, and nothing is waited for."""
    async def story(kit: Kit) -> None:
        for name, lines in HEADS.items():
            for port, path in listeners(kit).items():
                assert (await answer(port, HANDSHAKE.replace(b"Host", lines + b"Host") % path))[9:12] == b"431", name
            assert (await answer(kit.port, PLAIN + lines + b"\r\n"))[9:12] == b"431", name
        await well(kit)
    with_kit(tmp_path, capsys, story)


async def answer(port: int, data: bytes) -> bytes:
    """What comes back until the stream ends."""
    client = await RawClient.connect(port)
    client.send(data)
    try:
        async with asyncio.timeout(SECONDS_MAX):
            return await client.reader.read()
    finally:
        client.close()


@pytest.mark.parametrize("name", SLOW)
def test_late_and_silent_peers_are_cut(tmp_path, capsys, name):
    async def story(kit: Kit) -> None:
        async def cut(port: int) -> float:
            client, begun = await RawClient.connect(port), time.monotonic()
            try:
                client.send(SLOW[name])
                async with asyncio.timeout(SECONDS_MAX):
                    while not client.reader.at_eof() and not client.writer.is_closing():
                        client.send(b"a" if SLOW[name] else b"")
                        try:
                            async with asyncio.timeout(0.05):
                                await client.reader.read(100)
                        except TimeoutError:
                            continue
                        except ConnectionError:
                            break
            finally:
                client.close()
            return time.monotonic() - begun
        took = await asyncio.gather(*(cut(port) for port in (*listeners(kit), kit.port)))
        assert all(seconds >= LATE_SECONDS / 2 for seconds in took), took
        await well(kit)
    with_kit(tmp_path, capsys, story, handshake_seconds_max=LATE_SECONDS)


def test_an_exception_in_the_handler(tmp_path, capsys, caplog, monkeypatch):
    async def story(kit: Kit) -> None:
        def fails(*_: object) -> None:
            raise RuntimeError("a bug")
        monkeypatch.setattr("gateway.feed_session.decode_request", fails)
        monkeypatch.setattr("gateway.sessions.read_request", fails)
        for port, path in listeners(kit).items():
            client = await RawClient.open(port, path)
            client.send(frame(TEXT, b"{}"))
            assert await client.closed_with() == 1011
            client.close()
        monkeypatch.undo()
        await well(kit)
    caplog.set_level(logging.CRITICAL)
    with_kit(tmp_path, capsys, story)


def test_defaults():
    """Keepalive is on, messages are bounded, and who is late is cut, without anything in the settings."""
    limits = Limits()
    assert 0 < limits.ping_seconds <= 20 and 0 < limits.pong_seconds_max <= 60
    assert limits.ws_message_bytes_max <= 2**20 and limits.http_body_bytes_max <= 2**20
    assert 0 < limits.handshake_seconds_max <= 5
