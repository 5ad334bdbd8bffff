"""Malformed and hostile messages at a real exchange process: each is answered with the venue's code or a clean close.

After every one the same or another connection is served; at the end the process is the same one, its memory has not
grown, and the hash of the whole state (book, orders, balances, sequence) is what it was before.
"""
import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import psutil
import uvloop

from engine.config import load_config
from gateway.auth import sign
from gateway.door_client import DoorClient
from gateway.keys import NewKey, make_key
from tests.gateway.raw_websocket import BINARY, CONT, PING, TEXT, RawClient, frame
from tests.gateway.running import ALICE, Running, furnish, limit
from tests.support.waiting import SECONDS_MAX
from tests.system.processes import Part, part

PATH = b"/ws-api/v3"
MESSAGE_BYTES_MAX = 64 * 1024
MEMORY_GROWTH_MAX = 64 * 2**20
SETTINGS = """
data_dir = "{folder}"
exchange.port = 0
journal.segment_bytes = 4194304
limits.handshake_seconds_max = 2.0
limits.ws_message_bytes_max = 65536
"""
NOT_JSON, TWICE, MISSING, WRONG, ILLEGAL, PRECISION, FILTER, MARKET = (
    -1135, -1101, -1102, -1130, -1100, -1111, -1013, -2010)


class Target:
    """The venue under attack, a connection to it, and a key that signs for ALICE."""

    def __init__(self, exchange: Part, venue: Running, key: NewKey, client: RawClient) -> None:
        self.exchange, self.venue, self.key, self.client = exchange, venue, key, client

    async def connect(self) -> RawClient:
        return await RawClient.open(self.exchange.port, PATH)

    async def answer(self, message: bytes) -> dict[str, Any]:
        """The reply to one text message on the standing connection."""
        self.client.send(frame(TEXT, message))
        opcode, payload = await self.client.read()
        assert opcode == TEXT, (message[:100], opcode, payload)
        return json.loads(payload)

    async def refused(self, message: bytes, code: int) -> dict[str, Any]:
        """It is refused with this code, and the connection still serves."""
        reply = await self.answer(message)
        assert reply["status"] >= 400 and reply["error"]["code"] == code, (message[:200], reply)
        assert (await self.answer(b'{"id":"still","method":"ping"}'))["id"] == "still"
        return reply

    async def closed(self, data: bytes, code: int | None) -> None:
        """A fresh connection is closed with this code (None: cut), and the standing one still serves."""
        with closing(await self.connect()) as client:
            client.send(data)
            assert await client.closed_with() == code, data[:100]
        assert (await self.answer(b'{"id":"still","method":"ping"}'))["id"] == "still"

    def order(self, **raw: str) -> bytes:
        """A correctly signed order.place whose parameters are given as JSON text; None leaves one out."""
        values = {name: json.dumps(value) for name, value in limit("BUY", "100", "1").items()}
        values |= {"timestamp": str(int(time.time() * 1000)), "apiKey": json.dumps(self.key.api_key)} | raw
        values = {name: value for name, value in values.items() if value != "absent"}
        texts = {name: signed_text(value) for name, value in values.items()}
        payload = "&".join(f"{name}={texts[name]}" for name in sorted(texts))
        values["signature"] = json.dumps(sign(self.key.secret, payload.encode()))
        members = ",".join(f'"{name}":{value}' for name, value in values.items())
        return f'{{"id":1,"method":"order.place","params":{{{members}}}}}'.encode()


def signed_text(value: str) -> str:
    """The text of a JSON value as it is signed."""
    if value == "null":
        return ""
    return str(json.loads(value)) if value.startswith('"') else value


@asynccontextmanager
async def target(folder: Path, refused_in_sequence: int = 0) -> AsyncIterator[Target]:
    """One process with an order in its book; afterwards it lives, is no larger, and its state is the same.

    refused_in_sequence: commands that reach the core and are refused there; they are counted, and nothing else moves.
    """
    settings = folder / "venue.toml"
    settings.write_text(SETTINGS.format(folder=folder / "data"))
    config = load_config(settings)
    key = make_key(config.paths.keys, ALICE)
    with part(settings, "exchange") as exchange:
        door = await DoorClient.connect(config.paths.door)
        venue = Running.__new__(Running)
        venue.door = door
        await furnish(venue)
        await venue.ok(ALICE, "order.place", **limit("BUY", "90", "1", newClientOrderId="rests"))
        with closing(await RawClient.open(exchange.port, PATH)) as client:
            before = await state(venue)
            memory = psutil.Process(exchange.pid).memory_info().rss
            yield Target(exchange, venue, key, client)
        assert exchange.alive
        after = await state(venue)
        if refused_in_sequence:
            assert after.pop("seq") == before.pop("seq") + refused_in_sequence
            del after["stateHash"], before["stateHash"]
        assert after == before
        assert psutil.Process(exchange.pid).memory_info().rss - memory < MEMORY_GROWTH_MAX
        await door.close()


async def state(venue: Running) -> dict[str, Any]:
    """The engine's position and hash, and what a customer sees of the state."""
    engine = await venue.ok(0, "engine.status")
    account = await venue.ok(ALICE, "account.status")
    return {"seq": engine["seq"], "stateHash": engine["stateHash"], "balances": account["balances"],
            "depth": await venue.ok(0, "depth", symbol="BTCUSDT"), "open": await venue.ok(ALICE, "openOrders.status")}


def attack(story):
    def test(tmp_path: Path) -> None:
        async def run() -> None:
            async with target(tmp_path) as venue:
                await story(venue)
        uvloop.run(run())
    test.__doc__ = story.__doc__
    return test


AMOUNTS = {
    '"-1"': ILLEGAL, '"0"': FILTER, '"-0"': ILLEGAL, '"NaN"': ILLEGAL, '"Infinity"': ILLEGAL, '"1e3"': ILLEGAL,
    "1e3": ILLEGAL, '"0x1"': ILLEGAL, '"1_000"': ILLEGAL, '" 1"': ILLEGAL, '"1\\n"': ILLEGAL, '"１"': ILLEGAL,
    '"\\u0661"': ILLEGAL, '""': MISSING, "null": MISSING, "true": ILLEGAL, "[]": ILLEGAL, "[1]": ILLEGAL,
    '{"a":1}': ILLEGAL, "1.123456789": PRECISION, '"1.123456789"': PRECISION, '"0.000000001"': PRECISION,
    "9007199254740992": FILTER, "9223372036854775807": FILTER, "9223372036854775808": FILTER,
    "-9223372036854775809": ILLEGAL, "1" + "0" * 40: ILLEGAL, '"' + "9" * 41 + '"': ILLEGAL, '"1,5"': ILLEGAL,
    '"1\\u0000"': ILLEGAL, '"١"': ILLEGAL, '"²"': ILLEGAL, '"1."': ILLEGAL, '".5"': ILLEGAL, '"+1"': ILLEGAL,
}


@attack
async def test_amounts(venue: Target) -> None:
    """Every field that holds a price or an amount, every way of writing one wrongly."""
    market = {"type": '"MARKET"', "price": "absent", "timeInForce": "absent", "quantity": "absent"}
    for value, code in AMOUNTS.items():
        for name in ("price", "quantity"):
            reply = await venue.refused(venue.order(**{name: value}), code)
            assert reply["id"] == 1
        if code != FILTER or value == '"0"':
            await venue.refused(venue.order(quoteOrderQty=value, **market), code)
    await venue.refused(venue.order(price='"100.005"'), FILTER)
    await venue.refused(venue.order(quantity='"1.00005"'), FILTER)
    await venue.refused(venue.order(price='"10000000.01"'), FILTER)


@attack
async def test_other_fields(venue: Target) -> None:
    for raw, code in (
            ({"side": '"buy"'}, -1117), ({"side": "1"}, -1117), ({"side": "null"}, MISSING), ({"side": "[]"}, -1117),
            ({"type": '"STOP"'}, -1116), ({"type": '"STOP_LOSS"'}, -1106), ({"type": "true"}, -1116),
            ({"timeInForce": '"GTX"'}, -1115), ({"symbol": '"btcusdt"'}, -1121),
            ({"symbol": '"BTCUSDT\\u0000"'}, -1121), ({"symbol": '"' + "A" * 30_000 + '"'}, -1121),
            ({"symbol": "null"}, MISSING),
            ({"newClientOrderId": '"' + "a" * 37 + '"'}, ILLEGAL), ({"newClientOrderId": '"ä"'}, ILLEGAL),
            ({"newClientOrderId": '"a b"'}, ILLEGAL), ({"newClientOrderId": '""'}, -1105),
            ({"newClientOrderId": '"a\\n"'}, ILLEGAL), ({"newClientOrderId": "[]"}, ILLEGAL),
            ({"newClientOrderId": '"\'; drop table orders --"'}, ILLEGAL), ({"newOrderRespType": '"X"'}, WRONG),
            ({"recvWindow": '"x"'}, ILLEGAL), ({"recvWindow": "60001"}, -1131), ({"recvWindow": "1e9"}, ILLEGAL),
            ({"timestamp": '"0"'}, -1021), ({"timestamp": "9" * 20}, -1021), ({"timestamp": "-1"}, ILLEGAL),
            ({"timestamp": "absent"}, MISSING), ({"apiKey": '"\\n"'}, -2014), ({"apiKey": "absent"}, -2014),
            ({"apiKey": '"' + "k" * 64 + '"'}, -2015), ({"surprise": "1"}, -1104), ({"icebergQty": "2"}, FILTER),
            ({"returnRateLimits": "1"}, WRONG)):
        await venue.refused(venue.order(**raw), code)
    await venue.refused(venue.order().replace(b'"price":"100"', b'"price":"101"'), -1022)
    for method in ("admin.credit", "engine.status", "order.nothing", "", "v3/", "__class__"):
        message = json.dumps({"id": 1, "method": method, "params": {"account": 2, "asset": "BTC", "amount": "1"}})
        await venue.refused(message.encode(), -1020 if method else MISSING)
    for params in ({}, {"orderId": "1; --"}, {"orderId": -1}, {"orderId": True}, {"origClientOrderId": "%"}):
        asked = {"id": 1, "method": "order.status", "params": {"symbol": "BTCUSDT", **params}}
        await venue.refused(json.dumps(asked).encode(), -2014)


@attack
async def test_messages_that_are_no_request(venue: Target) -> None:
    ping = b'{"id":1,"method":"ping"}'
    deep = 30_000
    for message, code in (
            (b"", NOT_JSON), (b" ", NOT_JSON), (b"\0", NOT_JSON), (b"ping", NOT_JSON), (b"null", NOT_JSON),
            (b"[]", NOT_JSON), (b"[" + ping + b"]", NOT_JSON), (b'"ping"', NOT_JSON), (b"1e999", NOT_JSON),
            (b"{}", MISSING), (ping[:-1], NOT_JSON), (ping + ping, NOT_JSON), (ping + b"x", NOT_JSON),
            (b"\xef\xbb\xbf" + ping, NOT_JSON), (b'{"id":"\\ud800","method":"ping"}', NOT_JSON),
            (b'{"id":1,"method":"\\udc00\\ud800"}', NOT_JSON), (b"{'id':1,'method':'ping'}", NOT_JSON),
            (b'{"id":1,"method":"ping",}', NOT_JSON), (b'{"id":+1,"method":"ping"}', NOT_JSON),
            (b'{"id":NaN,"method":"ping"}', NOT_JSON), (b'{"id":1,"method":"pi\tng"}', NOT_JSON),
            (b'{"id":1,"id":2,"method":"ping"}', TWICE), (b'{"id":1,"method":"ping","method":"time"}', TWICE),
            (b'{"id":1,"method":"ping","params":{"a":1,"a":2}}', TWICE),
            (b'{"id":1,"method":"ping","params":{"a":1,"\\u0061":2}}', TWICE),
            (b'{"id":1,"method":"ping","params":[]}', WRONG), (b'{"id":1,"method":"ping","params":"a=1"}', WRONG),
            (b'{"id":1,"method":null}', WRONG), (b'{"id":1,"method":["ping"]}', WRONG),
            (b'{"id":[1],"method":"ping"}', WRONG), (b'{"id":1.5,"method":"ping"}', WRONG),
            (b'{"id":true,"method":"ping"}', WRONG), (b'{"id":{"id":1},"method":"ping"}', WRONG),
            (b'{"id":1,"method":"ping","params":{"a":%b}}' % (b"9" * 60_000), WRONG),
            (b"[" * deep + b"]" * deep, NOT_JSON), (b'{"a":' * (deep // 3) + b"1" + b"}" * (deep // 3), NOT_JSON),
            (b'{"id":1,"method":"ping","params":{"a":%b}}' % (b"[" * deep + b"]" * deep), NOT_JSON),
            (b'{"id":1,"method":"ping","other":%b}' % (b"[" * deep + b"]" * deep), NOT_JSON),
            (b'{"id":%b,"method":"ping"}' % (b"[" * deep + b"]" * deep), NOT_JSON)):
        await venue.refused(message, code)


@attack
async def test_frames_that_end_the_connection(venue: Target) -> None:
    ping = b'{"id":1,"method":"ping"}'
    for data, code in (
            (frame(TEXT, b'{"id":"\xff"}'), 1007), (frame(TEXT, b"\xed\xa0\x80"), 1007), (frame(BINARY, ping), 1003),
            (frame(TEXT, ping, masked=False), 1002), (frame(TEXT, ping, rsv=4), 1002), (frame(3, ping), 1002),
            (frame(PING, b"x" * 126), 1002), (frame(CONT, ping), 1002),
            (frame(TEXT, b" " * (MESSAGE_BYTES_MAX + 1)), 1009), (frame(TEXT, claimed=2**62), 1009),
            (frame(TEXT, b"[" * 200_000), 1009)):
        await venue.closed(data, code)
    assert (await venue.answer(b" " * (MESSAGE_BYTES_MAX - len(ping)) + ping))["status"] == 200


@attack
async def test_floods_and_silence(venue: Target) -> None:
    """Thousands of bad messages in one write, connections that send nothing or half a handshake, sudden ends."""
    with closing(await venue.connect()) as client:
        client.send(frame(TEXT, b"x") * 5000 + frame(TEXT, b'{"id":"last","method":"ping"}'))
        for _ in range(5000):
            assert json.loads((await client.read())[1])["error"]["code"] == NOT_JSON
        assert json.loads((await client.read())[1])["id"] == "last"
    silent = [await RawClient.connect(venue.exchange.port) for _ in range(50)]
    for number, client in enumerate(silent):
        client.send(b"GET /ws-api/v3 HTTP/1.1\r\nHost: x\r\n" * (number % 2))
    for _ in range(50):
        with closing(await venue.connect()) as sudden:
            sudden.send(frame(TEXT, venue.order(price='"x"')) + frame(TEXT, b"{")[:-1])
    for client in silent:
        async with asyncio.timeout(SECONDS_MAX):
            await client.reader.read()
        client.close()
    await venue.refused(b"x", NOT_JSON)


def test_orders_the_core_refuses_move_nothing(tmp_path):
    """Products beyond 64 bits, an id in use, too little value: refused at their place in the sequence."""
    async def run() -> None:
        async with target(tmp_path, refused_in_sequence=4) as venue:
            huge = {"price": '"9999999.99"', "quantity": '"9999.9999"'}
            for raw, code in (({"side": '"BUY"', **huge}, FILTER), ({"side": '"SELL"', **huge}, FILTER),
                              ({"newClientOrderId": '"rests"'}, MARKET), ({"price": '"0.01"'}, FILTER)):
                await venue.refused(venue.order(**raw), code)
    uvloop.run(run())
