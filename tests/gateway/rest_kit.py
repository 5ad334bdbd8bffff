"""A running REST process' worth of code on a free port, in the test's own loop, and clients that sign."""
import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from engine.config import Config
from gateway.auth import sign
from gateway.door_client import DoorClient
from gateway.keys import NewKey
from gateway.rest.app import App
from gateway.rest.gateway import Gateway
from gateway.rest.question_door import QuestionDoor
from gateway.rest.server import serve_http
from tests.gateway.described import check_answer

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@contextlib.asynccontextmanager
async def rest(config: Config, exchange_runs: bool = True) -> AsyncIterator[int]:
    """Serve REST for the venue of this configuration; its port."""
    door = await DoorClient.connect(config.paths.door, timeout_s=10 if exchange_runs else None)
    gateway = Gateway(config, door)
    questions = QuestionDoor(gateway.local)
    await questions.open(config.paths.questions)
    ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(serve_http(
        App(gateway, config.limits.http_body_bytes_max), "127.0.0.1", 0, config.limits, ready.set_result,
        config.tls))
    try:
        yield await ready
    finally:
        serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await serving
        await questions.close()
        await gateway.close()


def signed(key: NewKey, params: dict[str, Any]) -> str:
    """Parameters as a form with timestamp and signature, as client libraries write it."""
    form = urlencode({**params, "timestamp": int(time.time() * 1000)})
    return f"{form}&signature={quote(sign(key.secret, form.encode()), safe='')}"


class RestClient:
    """One account's HTTP client."""

    def __init__(self, port: int, key: NewKey) -> None:
        self.key = key
        self.http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20)

    async def __aenter__(self) -> "RestClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()

    async def call(self, verb: str, path: str, public: bool = False, headers: dict[str, str] | None = None,
                   **params: Any) -> httpx.Response:
        """GET and DELETE put parameters into the query, POST and PUT into the body; any answer must be as described."""
        path = path if path.startswith("/") else f"/api/v3/{path}"
        answer = await self._send(verb, path, public, headers, params)
        check_answer(verb, path, answer.status_code, answer.headers, answer.json())
        return answer

    async def _send(self, verb: str, path: str, public: bool, headers: dict[str, str] | None,
                    params: dict[str, Any]) -> httpx.Response:
        form = urlencode(params) if public else signed(self.key, params)
        headers = {"X-MBX-APIKEY": self.key.api_key, **(headers or {})}
        if verb in ("GET", "DELETE"):
            return await self.http.request(verb, f"{path}?{form}", headers=headers)
        return await self.http.request(verb, path, content=form, headers=headers | FORM)

    async def ok(self, verb: str, path: str, /, **params: Any) -> Any:
        """The JSON of a request that must succeed."""
        answer = await self.call(verb, path, **params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def error(self, verb: str, path: str, /, **params: Any) -> tuple[int, int, str]:
        """(status, code, msg) of a request that must be refused."""
        answer = await self.call(verb, path, **params)
        assert answer.status_code >= 400, answer.text
        assert answer.headers["content-type"] == "application/json"
        return answer.status_code, answer.json()["code"], answer.json()["msg"]
