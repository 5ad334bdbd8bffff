"""The simpler way to take orders: `websockets.serve`, json, an acknowledgement at once; nothing is checked or kept.

    python -m bench.gateway_peer         prints one JSON line with its URL when it is ready
    python -m bench.gateway_peer http    the same as a bare ASGI application on uvicorn
"""
import asyncio
import json
import socket
import sys
import time
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl

import uvicorn
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


async def post(scope: Any, receive: Any, send: Any) -> None:
    """Answer every POST with an ACK."""
    if scope["type"] != "http":
        return
    body = b""
    while (part := await receive()).get("more_body"):
        body += part["body"]
    params = dict(parse_qsl((body + part["body"]).decode()))
    answer = json.dumps({"symbol": params["symbol"], "orderId": 1, "orderListId": -1, "clientOrderId":
                         params["newClientOrderId"], "transactTime": time.time_ns() // 10**6}).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [
        (b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]})
    await send({"type": "http.response.body", "body": answer})


async def serve_http() -> None:
    """Serve until killed."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        announce("peer", url=f"http://127.0.0.1:{listener.getsockname()[1]}")
        await uvicorn.Server(uvicorn.Config(post, log_level="error", lifespan="off")).serve([listener])


if __name__ == "__main__":
    uvloop.run(serve_http() if sys.argv[1:] == ["http"] else main())
