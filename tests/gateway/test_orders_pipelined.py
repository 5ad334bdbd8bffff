"""Requests sent behind each other without waiting: order of replies, what a query sees, one journal frame per read."""
import asyncio
import json
from pathlib import Path
from typing import Any

from websockets.frames import Frame, Opcode

from gateway.door_client import DoorClient
from tests.gateway.running import ALICE, BOB, Running, furnish, limit, running, signed_params

BTC = {"symbol": "BTCUSDT"}


class Raw:
    """A socket on which many WebSocket messages leave in one write, as a fast client sends them."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, url: str) -> "Raw":
        host, port = url[5:].split("/")[0].split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /ws-api/v3 HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        return cls(reader, writer)

    def send(self, requests: list[dict[str, Any]]) -> None:
        self.writer.write(b"".join(
            Frame(Opcode.TEXT, json.dumps(request).encode()).serialize(mask=True) for request in requests))

    async def receive(self, count: int) -> list[dict[str, Any]]:
        return [await self._message() for _ in range(count)]

    async def _message(self) -> dict[str, Any]:
        head = await self.reader.readexactly(2)
        size = head[1]
        if size == 126:
            size = int.from_bytes(await self.reader.readexactly(2), "big")
        return json.loads(await self.reader.readexactly(size))

    async def close(self) -> None:
        self.writer.close()
        await self.writer.wait_closed()


def story(test):
    def run_it(tmp_path: Path) -> None:
        async def run() -> None:
            async with running(tmp_path / "data", journal={"segment_bytes": 2**20, "frame_commands_max": 64}) as venue:
                await furnish(venue)
                raw = await Raw.open(venue.server.url)
                try:
                    await test(venue, raw)
                finally:
                    await raw.close()
        asyncio.run(run())
    return run_it


def request(venue: Running, number: int, method: str, account: int = ALICE, **params: Any) -> dict[str, Any]:
    return {"id": number, "method": method, "params": signed_params(venue.keys[account], params)}


@story
async def test_everything_in_one_read(venue: Running, raw: Raw) -> None:
    """An order, its status, its cancel, a refused order and public queries: answered in order, journalled together."""
    frames = []
    venue.server.venue.engine.listen(lambda frame, events: frames.append(frame.count))
    raw.send([
        {"id": 1, "method": "ping"},
        request(venue, 2, "order.status", **BTC, origClientOrderId="a"),
        request(venue, 3, "order.place", **limit("BUY", "50000", "0.5", newClientOrderId="a")),
        request(venue, 4, "order.status", **BTC, origClientOrderId="a"),
        request(venue, 5, "order.place", **limit("BUY", "50000", "nonsense")),
        request(venue, 6, "order.place", account=BOB, **limit("SELL", "50000", "0.2")),
        {"id": 7, "method": "depth", "params": BTC},
        {"id": 8, "method": 8},
        request(venue, 9, "order.amend.keepPriority", **BTC, origClientOrderId="a", newQty="0.4"),
        request(venue, 10, "order.cancel", **BTC, origClientOrderId="a"),
        request(venue, 11, "order.cancel", **BTC, origClientOrderId="a"),
        {"id": 12, "method": "time"},
    ])
    replies = await raw.receive(12)
    assert [reply["id"] for reply in replies] == list(range(1, 13))
    assert [reply["status"] for reply in replies] == [200, 400, 200, 200, 400, 200, 200, 400, 200, 200, 400, 200]
    assert frames == [5]
    placed, amended = replies[2]["result"], replies[8]["result"]["amendedOrder"]
    assert (placed["status"], placed["executedQty"]) == ("NEW", "0.00000000")       # as it was right after its command
    assert (amended["status"], amended["executedQty"], amended["cumulativeQuoteQty"]) == (
        "PARTIALLY_FILLED", "0.20000000", "10000.00000000")
    assert replies[3]["result"]["status"] == "CANCELED"                             # as it is when it is answered
    assert replies[6]["result"]["bids"] == []


@story
async def test_a_query_in_the_next_read_waits_for_the_order(venue: Running, raw: Raw) -> None:
    for round_number in range(20):
        name = f"r{round_number}"
        raw.send([request(venue, 1, "order.place", **limit("BUY", "50000", "0.01", newClientOrderId=name))])
        await asyncio.sleep(0)
        raw.send([request(venue, 2, "order.status", **BTC, origClientOrderId=name), {"id": 3, "method": "ping"}])
        replies = await raw.receive(3)
        assert [(reply["id"], reply["status"]) for reply in replies] == [(1, 200), (2, 200), (3, 200)]


@story
async def test_more_orders_than_a_frame_holds(venue: Running, raw: Raw) -> None:
    raw.send([request(venue, number, "order.place", **limit("BUY", "50000", "0.001", newOrderRespType="ACK"))
              for number in range(200)])
    replies = await raw.receive(200)
    assert [reply["id"] for reply in replies] == list(range(200))
    ids = [reply["result"]["orderId"] for reply in replies]
    assert ids == list(range(ids[0], ids[0] + 200))


def test_too_many_at_once_are_refused_in_their_place(tmp_path):
    """requests_pending_max commands may wait in the engine; a batch above it is refused as a whole, 503 and -1008."""
    async def run() -> None:
        async with running(tmp_path / "data") as venue:
            await furnish(venue)
            folder = tmp_path / "data"
        async with running(folder, limits={"requests_pending_max": 8}) as again:
            door = await DoorClient.connect(again.server.venue.config.paths.door)
            calls = [door.post(ALICE, "order.place", limit("BUY", "50000", "0.01")) for _ in range(8)]
            assert [status for status, _ in await asyncio.gather(*calls)] == [200] * 8
            calls = [door.post(ALICE, "order.place", limit("BUY", "50000", "0.01")) for _ in range(9)]
            answers = await asyncio.gather(*calls)
            assert {(status, json.loads(bytes(body))["code"]) for status, body in answers} == {(503, -1008)}
            assert await again.ok(ALICE, "ping") == {}
            await door.close()
    asyncio.run(run())


def test_a_connection_that_lets_too_much_wait_is_closed(tmp_path):
    """Twice requests_pending_max: an order and 16 queries behind it in one read."""
    async def run() -> None:
        async with running(tmp_path / "data", limits={"requests_pending_max": 8}) as venue:
            raw = await Raw.open(venue.server.url)
            raw.send([request(venue, 0, "openOrders.cancelAll", **BTC)])       # unknown symbol: refused at once
            raw.send([{"id": number, "method": "ping"} for number in range(1, 30)])
            assert len(await raw.receive(30)) == 30
            await furnish(venue)
            raw.send([request(venue, 0, "openOrders.cancelAll", **BTC),
                      *({"id": number, "method": "ping"} for number in range(1, 17))])
            rest = await raw.reader.read()
            assert rest[0] == 0x88 and int.from_bytes(rest[2:4], "big") == 1008
            await raw.close()
            assert await venue.ok(0, "ping") == {}
    asyncio.run(run())


def test_a_busy_engine_refuses_and_says_so(tmp_path):
    async def run() -> None:
        journal, limits = {"segment_bytes": 2**20, "frame_commands_max": 4}, {"requests_pending_max": 64}
        async with running(tmp_path / "data", journal=journal, limits=limits) as venue:
            await furnish(venue)
            clients = [await Raw.open(venue.server.url) for _ in range(8)]
            for client in clients:
                client.send([request(venue, number, "order.place", **limit("BUY", "50000", "0.001"))
                             for number in range(30)])
            replies = [reply for client in clients for reply in await client.receive(30)]
            refused = [reply["error"] for reply in replies if reply["status"] != 200]
            placed = len(replies) - len(refused)
            assert all(error["code"] == -1008 for error in refused)
            assert len(await venue.ok(ALICE, "openOrders.status")) == placed > 0
            for client in clients:
                await client.close()
    asyncio.run(run())
