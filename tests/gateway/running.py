"""A running exchange for tests: real engine, real listeners on free ports, in the test's own loop; and its clients."""
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection, connect

from engine.config import load_config
from gateway.auth import sign
from gateway.door_client import DoorClient
from gateway.exchange import ExchangeServer
from gateway.key_file import Kind
from gateway.keys import NewKey, make_key
from tests.gateway.described import check_event, check_reply

ALICE, BOB, CAROL = 2, 3, 4
KEY_KINDS: dict[int, Kind] = {ALICE: "hmac", BOB: "hmac", CAROL: "ed25519"}


class Running:
    """The server, a door client, and one key per account, CAROL's Ed25519."""

    def __init__(self, server: ExchangeServer, door: DoorClient, keys: dict[int, NewKey]) -> None:
        self.server, self.door, self.keys = server, door, keys
        self.core = server.venue.engine.core

    async def call(self, account: int, method: str, /, **params: Any) -> tuple[int, Any]:
        """Through the door."""
        status, body = await self.door.call(account, method, params)
        return status, msgspec.json.decode(body)

    async def ok(self, account: int, method: str, /, **params: Any) -> Any:
        """Through the door; it must succeed."""
        status, body = await self.call(account, method, **params)
        assert status == 200, (status, body)
        return body

    @asynccontextmanager
    async def client(self, account: int, query: str = "") -> AsyncIterator["Client"]:
        """A WebSocket client that signs as this account."""
        async with connect(self.server.url + query, compression=None, max_size=None) as socket:
            yield Client(socket, self.keys[account])


class Client:
    """Speaks the WebSocket API with signed requests."""

    def __init__(self, socket: ClientConnection, key: NewKey) -> None:
        self.socket, self.key = socket, key
        self.events: list[dict[str, Any]] = []
        self._last_id = 0
        self._methods: dict[object, str] = {}

    async def send(self, method: str, signed: bool = True, **params: Any) -> int:
        """Send one request; its id."""
        self._last_id += 1
        self._methods[self._last_id] = method
        await self.socket.send(json.dumps(
            {"id": self._last_id, "method": method, "params": signed_params(self.key, params) if signed else params}))
        return self._last_id

    async def reply(self) -> dict[str, Any]:
        """The next reply; events that come before it are kept in `events`. All must be as described."""
        while True:
            message = json.loads(await self.socket.recv())
            if "event" not in message:
                if method := self._methods.pop(message["id"], None):
                    check_reply(method, message)
                return message
            check_event(message)
            self.events.append(message)

    async def call(self, method: str, signed: bool = True, **params: Any) -> dict[str, Any]:
        """One request and its reply."""
        number = await self.send(method, signed, **params)
        message = await self.reply()
        assert message["id"] == number
        return message

    async def ok(self, method: str, signed: bool = True, **params: Any) -> Any:
        """The result of a request that must succeed."""
        message = await self.call(method, signed, **params)
        assert message["status"] == 200, message
        return message["result"]

    async def error(self, method: str, signed: bool = True, **params: Any) -> tuple[int, int, str]:
        """(status, code, msg) of a request that must be refused."""
        message = await self.call(method, signed, **params)
        assert message["status"] != 200, message
        return message["status"], message["error"]["code"], message["error"]["msg"]

    async def settle(self) -> list[dict[str, Any]]:
        """All events that were on their way; they are taken out of `events`."""
        await self.call("ping", signed=False)
        await self.call("ping", signed=False)
        events, self.events = self.events, []
        return events


def signed_params(key: NewKey, params: dict[str, Any]) -> dict[str, Any]:
    """The parameters with apiKey, timestamp and signature, as a client library makes them."""
    params = {"timestamp": int(time.time() * 1000), **params, "apiKey": key.api_key}
    texts = {name: json.dumps(value) if isinstance(value, bool) else str(value) for name, value in params.items()}
    payload = "&".join(f"{name}={texts[name]}" for name in sorted(texts))
    return {**params, "signature": sign(key.secret, payload.encode())}


@asynccontextmanager
async def running(folder: Path, **overrides: Any) -> AsyncIterator[Running]:
    """Start on an empty or a used folder, stop at the end."""
    overrides = {"journal": {"segment_bytes": 2**20}, **overrides}
    overrides["limits"] = {"shutdown_notice_seconds": 0} | overrides.get("limits", {})
    config = load_config(None, data_dir=str(folder), exchange={"port": 0}, **overrides)
    keys = {}
    if not config.paths.keys.exists():
        keys = {account: make_key(config.paths.keys, account, kind) for account, kind in KEY_KINDS.items()}
    server = await ExchangeServer.start(config)
    try:
        door = await DoorClient.connect(config.paths.door)
        try:
            yield Running(server, door, keys)
        finally:
            await door.close()
    finally:
        await server.stop()


async def furnish(venue: Running, maker_fee_ppm: int = 0, taker_fee_ppm: int = 0) -> None:
    """BTCUSDT: tick 0.01, lot 0.0001, at least 10 USDT an order; 10 BTC and 1,000,000 USDT for each account."""
    await venue.ok(0, "admin.asset", asset=1, code="BTC", scale=8)
    await venue.ok(0, "admin.asset", asset=2, code="USDT", scale=8)
    await venue.ok(0, "admin.instrument", instrument=1, symbol="BTCUSDT", base_asset="BTC", quote_asset="USDT",
                   lot_value=10_000, tick_value=100, min_lots=1, max_lots=10**8, max_ticks=10**9,
                   min_notional=10 * 10**8, maker_fee_ppm=maker_fee_ppm, taker_fee_ppm=taker_fee_ppm)
    for account in (ALICE, BOB, CAROL):
        await venue.ok(0, "admin.account", account=account, label=f"account {account}")
        await venue.ok(0, "admin.credit", account=account, asset="BTC", amount="10", reference="gift")
        await venue.ok(0, "admin.credit", account=account, asset="USDT", amount="1000000", reference="gift")


def limit(side: str, price: str, quantity: str, **more: Any) -> dict[str, Any]:
    """Parameters of a limit order for BTCUSDT."""
    return {"symbol": "BTCUSDT", "side": side, "type": "LIMIT", "timeInForce": "GTC", "price": price,
            "quantity": quantity, **more}
