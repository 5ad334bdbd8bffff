"""The simpler way to take orders: `websockets.serve`, json, an acknowledgement at once; nothing is checked or kept.

    python -m bench.gateway_peer      prints one JSON line with its URL when it is ready
"""
import asyncio
import json
import time
from contextlib import suppress

import uvloop
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from engine.ready import announce


async def acknowledge(connection: ServerConnection) -> None:
    """Answer every order with an ACK."""
    order_id = 0
    with suppress(ConnectionClosed):
        async for message in connection:
            request = json.loads(message)
            order_id += 1
            await connection.send(json.dumps({"id": request["id"], "status": 200, "result": {
                "symbol": request["params"]["symbol"], "orderId": order_id, "orderListId": -1,
                "clientOrderId": request["params"]["newClientOrderId"], "transactTime": time.time_ns() // 10**6},
                "rateLimits": []}))


async def main() -> None:
    """Serve until killed."""
    async with serve(acknowledge, "127.0.0.1", 0, compression=None) as server:
        announce("peer", url=f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/ws-api/v3")
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    uvloop.run(main())
