"""Malformed and hostile HTTP at a venue of two real processes: each request gets the venue's code, both processes live,
nobody is held up, and at the end the book, the balances and the open orders are what they were.
"""
import asyncio
import gzip
import json
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import uvloop

from engine.config import load_config
from gateway.auth import sign
from gateway.door_client import DoorClient
from gateway.keys import NewKey, make_key
from tests.gateway.rest_kit import RestClient, signed
from tests.gateway.running import ALICE, furnish, limit
from tests.support.waiting import SECONDS_MAX, STORY_SECONDS_MAX, until_answer
from tests.system.processes import part

MEMORY_GROWTH_MAX = 150 * 2**20
LOG_BYTES_MAX = 4096
LATE_SECONDS, PATIENT_SECONDS = 0.5, 60.0       # how long a request may take
SETTINGS = """
data_dir = "{folder}"
exchange.port = 0
rest.port = 0
journal.segment_bytes = 4194304
limits.handshake_seconds_max = {late_seconds}
limits.connections_max = 200
"""
FORM_HEADER = b"Content-Type: application/x-www-form-urlencoded\r\n"


class Operator:
    """Furnishes the venue through its door."""

    def __init__(self, door: DoorClient) -> None:
        self.door = door

    async def ok(self, account: int, method: str, /, **params: Any) -> None:
        status, body = await self.door.call(account, method, params)
        assert status == 200, bytes(body)


class Target:
    """The venue under attack, and a well-behaved customer."""

    def __init__(self, port: int, door: DoorClient, key: NewKey) -> None:
        self.port, self.door, self.key = port, door, key
        self.client = RestClient(port, key)

    async def state(self) -> list[Any]:
        """Everything that an accepted request would have changed."""
        depth = await self.client.ok("GET", "depth", public=True, symbol="BTCUSDT")
        account = await self.client.ok("GET", "account")
        return [depth, account["balances"], await self.client.ok("GET", "openOrders")]

    async def raw(self, data: bytes, enough: bytes = b"never") -> bytes:
        """Write bytes to a fresh connection; what comes back until it is closed, or ends with what is enough."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        answer = b""
        try:
            writer.write(data)
            async with asyncio.timeout(SECONDS_MAX):
                while not answer.endswith(enough) and (chunk := await reader.read(65536)):
                    answer += chunk
        except (TimeoutError, ConnectionError):
            pass
        finally:
            writer.transport.abort()
        return answer

    async def post(self, body: bytes, headers: bytes = FORM_HEADER, query: str = "") -> bytes:
        """POST order with these bytes."""
        return await self.raw(
            b"POST /api/v3/order%b HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-MBX-APIKEY: %b\r\n%bContent-Length: %d"
            b"\r\n\r\n%b" % (query.encode(), self.key.api_key.encode(), headers, len(body), body))

    def order(self, **changed: Any) -> bytes:
        """A signed form of a good limit order, with changes."""
        return signed(self.key, limit("BUY", "50", "1") | changed).encode()


@asynccontextmanager
async def target(folder: Path, late_seconds: float = PATIENT_SECONDS) -> AsyncIterator[Target]:
    """Two processes, one book with two orders; afterwards both must be alive and the state the same."""
    settings = folder / "venue.toml"
    settings.write_text(SETTINGS.format(folder=folder / "data", late_seconds=late_seconds))
    config = load_config(settings)
    key = make_key(config.paths.keys, ALICE)
    with part(settings, "exchange") as exchange, part(settings, "rest") as rest:
        door = await DoorClient.connect(config.paths.door)
        await furnish(Operator(door))
        venue = Target(rest.port, door, key)
        async with venue.client:
            await venue.client.ok("POST", "order", **limit("BUY", "100", "1"))
            await venue.client.ok("POST", "order", **limit("SELL", "200", "1", newClientOrderId="mine"))
            before, memory = await venue.state(), psutil.Process(rest.pid).memory_info().rss
            yield venue
            assert rest.alive and exchange.alive
            assert await venue.state() == before
            assert psutil.Process(rest.pid).memory_info().rss - memory < MEMORY_GROWTH_MAX
        await door.close()
    log = settings.with_suffix(".rest.log").read_text()
    assert "Traceback" not in log and len(log) < LOG_BYTES_MAX, log[:2000]


def attack(folder: Path, story: Callable[[Target], Awaitable[None]], late_seconds: float = PATIENT_SECONDS) -> None:
    async def main() -> None:
        async with target(folder, late_seconds) as venue, asyncio.timeout(STORY_SECONDS_MAX):
            await story(venue)
    uvloop.run(main())


def outcome(answer: bytes) -> tuple[int, int]:
    """(HTTP status, code); the body must be JSON and say so."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/json" in head.lower(), answer[:500]
    return int(answer[9:12]), json.loads(body).get("code", 0)


MALFORMED = ("-1", "-0", "NaN", "Infinity", "1e3", "0x1", "1_000", " 1", "1\n", "１", "true", "null", "[]", "1,5", "+1",
             ".", "1.", ".5", "1.5.5", "1\x00", "²", str(10**40), "9" * 500, "0.1 ", "1/2", "⅕", "")
REFUSED_AMOUNTS = {
    **{text: {-1100, -1102} for text in MALFORMED},
    "0": {-1013}, "0.00000000": {-1013}, "0.123456789": {-1111}, "0.00001": {-1013},
    str(2**53): {-1013}, str(2**63 - 1): {-1013}, str(2**63): {-1013}, str(2**64 - 1): {-1013},
}


def test_amounts(tmp_path):
    async def story(venue: Target) -> None:
        for name in ("quantity", "price"):
            for text, codes in REFUSED_AMOUNTS.items():
                status, code = outcome(await venue.post(venue.order(**{name: text})))
                assert status == 400 and code in codes, (name, text, code)
        for params in ({"quantity": "1", "price": str(2**53 - 1)}, {"quantity": "10000", "price": "9999999.99"}):
            assert outcome(await venue.post(venue.order(**params)))[0] == 400, params
    attack(tmp_path, story)


def compressed(kind: bytes, data: bytes) -> tuple[bytes, bytes]:
    return gzip.compress(data), FORM_HEADER + b"Content-Encoding: " + kind + b"\r\n"


def test_bodies(tmp_path):
    async def story(venue: Target) -> None:
        order = venue.order
        cases = {
            "one byte too long": (venue.post(order() + b"&x=" + b"y" * (65536 + 1 - len(order()) - 3)), 413, -1020),
            "gzip": (venue.post(*compressed(b"gzip", order())), 415, -1020),
            "gzip bomb": (venue.post(*compressed(b"gzip", b"a=" + bytes(30 * 2**20))), 415, -1020),
            "br": (venue.post(*compressed(b"br", order())), 415, -1020),
            "json": (venue.post(b'{"symbol":"BTCUSDT"}', b"Content-Type: application/json\r\n"), 415, -1020),
            "multipart": (venue.post(b"--x", b"Content-Type: multipart/form-data; boundary=x\r\n"), 415, -1020),
            "no type": (venue.post(order(), b""), 415, -1020),
            "empty": (venue.post(b""), 400, -1102),
            "not utf-8": (venue.post(b"symbol=\xff\xfe"), 400, -1100),
            "escaped not utf-8": (venue.post(b"symbol=%ff"), 400, -1100),
            "surrogate": (venue.post(b"symbol=%ed%a0%80"), 400, -1100),
            "broken escape": (venue.post(b"symbol=%zz"), 400, -1100),
            "cut escape": (venue.post(b"symbol=%e"), 400, -1100),
            "byte order mark": (venue.post(b"\xef\xbb\xbf" + order()), 400, -1022),
            "duplicate": (venue.post(b"quantity=1&" + order()), 400, -1101),
            "duplicate by escape": (venue.post(b"%71uantity=1&" + order()), 400, -1101),
            "duplicate signature": (venue.post(order() + b"&signature=x"), 400, -1101),
            "65 parameters": (venue.post(b"&".join(b"p%d=1" % number for number in range(65))), 400, -1101),
            "60000 ampersands": (venue.post(b"&" * 60000), 400, -1101),
            "nameless": (venue.post(b"=1&" + order()), 400, -1022),
            "appended": (venue.post(order() + b"&price=1"), 400, -1101),
            "nul name": (venue.post(b"a%00b=1&" + order()), 400, -1022),
            "unknown parameter": (venue.post(order(surprise="1")), 400, -1104),
            "sql": (venue.post(order(symbol="BTCUSDT'; DROP TABLE trade --")), 400, -1121),
            "html": (venue.post(order(newClientOrderId="<script>")), 400, -1100),
            "long client id": (venue.post(order(newClientOrderId="x" * 37)), 400, -1100),
            "taken client id": (venue.post(order(newClientOrderId="mine")), 400, -2010),
            "replayed from long ago": (venue.post(replayed(venue.key)), 400, -1021),
        }
        await expect(cases)
    attack(tmp_path, story)


def replayed(key: NewKey) -> bytes:
    form = f"symbol=BTCUSDT&side=BUY&type=LIMIT&timestamp={int(time.time() * 1000) - 3_600_000}"
    return f"{form}&signature={sign(key.secret, form.encode())}".encode()


async def expect(cases: dict[str, tuple[Awaitable[bytes], int, int]]) -> None:
    wrong = {}
    for name, (asked, *expected) in cases.items():
        found = outcome(await asked)
        if list(found) != expected:
            wrong[name] = found
    assert not wrong, wrong


def test_queries(tmp_path):
    async def story(venue: Target) -> None:
        def get(path: str, headers: bytes = b"", verb: bytes = b"GET") -> Awaitable[bytes]:
            head = b"%b %b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" % (verb, path.encode())
            return venue.raw(head + headers + b"\r\n")
        cases = {
            "nested arrays": (get(f"/api/v3/exchangeInfo?symbols={'[' * 60000}"), 400, -1135),
            "nested arrays, escaped": (get(f"/api/v3/exchangeInfo?symbols={'%5B' * 20000}"), 400, -1135),
            "nested arrays, tickers": (get(f"/api/v3/ticker/bookTicker?symbols={'[' * 60000}"), 400, -1135),
            "long query": (get(f"/api/v3/ping?{'a' * 70000}"), 400, -1020),
            "not a list": (get("/api/v3/exchangeInfo?symbols=%7B%7D"), 400, -1135),
            "mixed list": (get('/api/v3/exchangeInfo?symbols=["BTCUSDT",1]'), 400, -1135),
            "twice in list": (get('/api/v3/exchangeInfo?symbols=["BTCUSDT","BTCUSDT"]'), 400, -1151),
            "unknown in list": (get('/api/v3/exchangeInfo?symbols=["BTCUSDT","X"]'), 400, -1121),
            "both": (get('/api/v3/ticker/bookTicker?symbol=BTCUSDT&symbols=["BTCUSDT"]'), 400, -1128),
            "duplicate": (get("/api/v3/depth?symbol=BTCUSDT&symbol=BTCUSDT"), 400, -1101),
            "limit 0": (get("/api/v3/depth?symbol=BTCUSDT&limit=0"), 400, -1130),
            "limit -1": (get("/api/v3/depth?symbol=BTCUSDT&limit=-1"), 400, -1130),
            "limit huge": (get("/api/v3/depth?symbol=BTCUSDT&limit=" + "9" * 5000), 400, -1130),
            "limit １": (get("/api/v3/depth?symbol=BTCUSDT&limit=%EF%BC%91"), 400, -1130),
            "time unit": (get("/api/v3/time", b"X-MBX-TIME-UNIT: FORTNIGHT\r\n"), 400, -1194),
            "unknown path": (get("/api/v3/admin"), 404, -1020),
            "up and out": (get("/api/v3/../../../etc/passwd"), 404, -1020),
            "escaped up and out": (get("/api/v3/%2e%2e/%2e%2e/etc/passwd"), 404, -1020),
            "upper case": (get("/API/V3/PING"), 404, -1020),
            "two slashes": (get("//api//v3//ping"), 404, -1020),
            "slash at the end": (get("/api/v3/ping/"), 404, -1020),
            "escaped letter": (get("/api/v3/%70ing"), 404, -1020),
            "method override": (get("/api/v3/openOrders", b"X-HTTP-Method-Override: DELETE\r\n"), 401, -2014),
            "wrong method": (get("/api/v3/depth", verb=b"DELETE"), 405, -1020),
            "cancel all by GET": (get("/api/v3/openOrders?symbol=BTCUSDT&_method=DELETE"), 401, -2014),
            "key with a newline": (get("/api/v3/account", b"X-MBX-APIKEY: a\r\n b\r\n"), 400, -1020),
        }
        await expect(cases)
    attack(tmp_path, story)


CHUNKED = b"Transfer-Encoding: chunked\r\n"


def post(headers: bytes, body: bytes = b"") -> bytes:
    return b"POST /api/v3/order HTTP/1.1\r\nHost: x\r\n" + FORM_HEADER + headers + b"\r\n" + body


HTTP = {
    "two lengths": (post(b"Content-Length: 3\r\nContent-Length: 4\r\n", b"a=1"), 400),
    "negative length": (post(b"Content-Length: -1\r\n"), 400),
    "length no number": (post(b"Content-Length: 3x\r\n", b"a=1"), 400),
    "length of 10^40": (post(b"Content-Length: 1" + b"0" * 40 + b"\r\n"), 400),
    "length of a terabyte": (post(b"Content-Length: 1099511627776\r\n", b"a=1"), 413),
    "length and chunked": (post(b"Content-Length: 3\r\n" + CHUNKED, b"3\r\na=1\r\n0\r\n\r\n"), 400),
    "chunk size no number": (post(CHUNKED, b"zz\r\na=1\r\n0\r\n\r\n"), 400),
    "chunk size of 2^70": (post(CHUNKED, b"400000000000000000\r\na"), 400),
    "chunks beyond the limit": (post(CHUNKED, (b"1000\r\n" + b"a" * 4096 + b"\r\n") * 17), 413),
    "unknown transfer encoding": (post(b"Transfer-Encoding: xchunked\r\n", b"a=1"), 400),
    "more than announced": (post(b"Content-Length: 3\r\nConnection: keep-alive\r\n", b"a=1" + b"\x00" * 5000), 400),
    "headers without end": (b"GET /api/v3/ping HTTP/1.1\r\n" + b"A: b\r\n" * 40000, 431),
    "one header without end": (b"GET /api/v3/ping HTTP/1.1\r\nA: " + b"b" * 100_000, 431),
    "path without end": (b"GET /" + b"a" * 100_000, 431),
    "tls": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500), 400),
    "http/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "version 9.9": (b"GET /api/v3/ping HTTP/9.9\r\n\r\n", 400),
    "ten thousand at once": (b"GET /api/v3/ping HTTP/1.1\r\nHost: x\r\n\r\n" * 10_000, 400),
    "unknown method": (b"STEAL /api/v3/ping HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "space in header name": (b"GET /api/v3/ping HTTP/1.1\r\nHost : x\r\n\r\n", 400),
    "nul in header": (b"GET /api/v3/ping HTTP/1.1\r\nHost: \x00\r\n\r\n", 400),
    "bare line feeds": (b"\n\n\n\nnothing", 400),
    "connect": (b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
}


def test_http_itself(tmp_path):
    async def story(venue: Target) -> None:
        wrong = {}
        for name, (data, status) in HTTP.items():
            answer = await venue.raw(data, enough=b"}")
            if not answer.startswith(b"HTTP/1.1 %d" % status) or b"application/json" not in answer:
                wrong[name] = answer[:300]
        assert not wrong, wrong
    attack(tmp_path, story)


def test_slow_and_silent_peers_are_cut_and_hold_nobody_up(tmp_path):
    async def story(venue: Target) -> None:
        starts = [b"", b"GET /api/v3/pi", b"GET /api/v3/ping HTTP/1.1\r\nA:", post(b"Content-Length: 100\r\n", b"a=1"),
                  post(CHUNKED, b"5\r\na")]
        slow = [await asyncio.open_connection("127.0.0.1", venue.port) for _ in range(100)]
        started, answered = time.monotonic(), 0
        for number, (_, writer) in enumerate(slow):
            writer.write(starts[number % len(starts)])
        open_still = set(range(len(slow)))
        while open_still:       # the story's time limit ends it
            await venue.client.ok("GET", "depth", public=True, symbol="BTCUSDT")
            answered += 1
            for number in list(open_still):
                reader, writer = slow[number]
                if reader.at_eof() or writer.is_closing():
                    open_still.discard(number)
                elif starts[number % len(starts)]:
                    writer.write(b"a")
            await asyncio.sleep(0.05)
        for _, writer in slow:
            writer.transport.abort()
        assert time.monotonic() - started >= LATE_SECONDS and answered > 1
    attack(tmp_path, story, LATE_SECONDS)


def test_more_connections_than_the_house_holds(tmp_path):
    async def story(venue: Target) -> None:
        crowd = [await asyncio.open_connection("127.0.0.1", venue.port) for _ in range(250)]
        answers = await asyncio.gather(*(reader.read() for reader, _ in crowd[210:]), return_exceptions=True)
        assert all(isinstance(answer, bytes) and answer.startswith(b"HTTP/1.1 503") for answer in answers)
        for _, writer in crowd:
            writer.transport.abort()

        async def room() -> bool:
            request = b"GET /api/v3/ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            return (await venue.raw(request)).startswith(b"HTTP/1.1 200")
        await until_answer(room)
    attack(tmp_path, story)


def test_peer_that_never_reads_is_cut(tmp_path):
    async def story(venue: Target) -> None:
        loop = asyncio.get_running_loop()
        with socket.socket() as peer:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            peer.setblocking(False)
            await loop.sock_connect(peer, ("127.0.0.1", venue.port))
            request = b"GET /api/v3/exchangeInfo HTTP/1.1\r\nHost: x\r\n\r\n"
            with pytest.raises(ConnectionError):
                while True:     # the story's time limit ends it
                    await loop.sock_sendall(peer, request * 50)
    attack(tmp_path, story, LATE_SECONDS)


def test_requests_cut_off_in_the_middle(tmp_path):
    async def story(venue: Target) -> None:
        key = f"X-MBX-APIKEY: {venue.key.api_key}\r\n".encode()
        body = venue.order()
        whole = post(key + b"Content-Length: %d\r\n" % (len(body) + 1), body)
        for end in range(1, len(whole), 23):
            _, writer = await asyncio.open_connection("127.0.0.1", venue.port)
            writer.write(whole[:end])
            await writer.drain()
            writer.transport.abort()
        await asyncio.sleep(0.2)
    attack(tmp_path, story)
