"""A customer of the market streams while processes are killed: nothing may be missing silently, nothing come twice.

Within one connection each difference of depth continues the one before; where the feed cannot promise that it must
close the connection. Trade numbers rise for ever, over all connections.
"""
import asyncio
import json
from typing import Any

import websockets
from websockets.exceptions import WebSocketException

from tests.system.fault_traders import SYMBOLS


class Watcher:
    """Depth and trades of all instruments on one connection, reconnecting for ever."""

    def __init__(self, url: str) -> None:
        self._url = url.removesuffix("/ws")
        self.heard = self.parted = 0        # messages; connections that ended
        self.wrong: list[str] = []          # holes and repetitions
        self._last_trade: dict[str, int] = {}

    async def run(self) -> None:
        """Listen until cancelled."""
        while True:
            try:
                async with websockets.connect(self._url, compression=None, open_timeout=2) as socket:
                    try:
                        await self._listen(socket)
                    finally:
                        self.parted += 1
            except (OSError, TimeoutError, WebSocketException):
                await asyncio.sleep(0.05)

    async def _listen(self, socket: websockets.ClientConnection) -> None:
        names = [f"{symbol.lower()}@{kind}" for symbol in SYMBOLS for kind in ("depth@100ms", "trade")]
        await socket.send(json.dumps({"method": "SUBSCRIBE", "params": names, "id": 1}))
        last_ids: dict[str, int] = {}
        async for text in socket:
            message = json.loads(text)
            if "s" in message.get("data", ()):      # else an answer, or the news that the feed shuts down
                self.heard += 1
                self._judge(message["stream"].partition("@")[2], message["data"], last_ids)

    def _judge(self, kind: str, data: dict[str, Any], last_ids: dict[str, int]) -> None:
        symbol = data["s"]
        if kind == "trade":
            if data["t"] <= self._last_trade.get(symbol, 0):
                self.wrong.append(f"{symbol}: trade {data['t']} after trade {self._last_trade[symbol]}")
            self._last_trade[symbol] = data["t"]
            return
        if symbol in last_ids and data["U"] != last_ids[symbol] + 1:
            self.wrong.append(f"{symbol}: depth {data['U']}..{data['u']} after {last_ids[symbol]}, not told")
        last_ids[symbol] = data["u"]
