"""The REST process: HTTP in front, the exchange's door and the ledger's Postgres behind; stateless, as many as wanted.

A plain ASGI application, as the table of routes is all the routing there is: a path as it is written, then the method.
Litestar around the same handlers cost 34 us more a request. Orders that must be fast go over WebSocket.
"""
from collections.abc import Awaitable, Callable

from engine.config import Config
from engine.ready import announce
from gateway.describe import asyncapi, openapi
from gateway.door_client import DoorClient
from gateway.refusals import METHOD_NOT_ALLOWED, NO_SUCH_ROUTE, Refusal
from gateway.rest.gateway import Gateway
from gateway.rest.http_request import Gone, HttpRequest, Message, Receive
from gateway.rest.market_routes import MARKET_ROUTES
from gateway.rest.question_door import QuestionDoor
from gateway.rest.routes import ROUTES, Route
from gateway.rest.server import serve_http
from gateway.tls import scheme

Answer = tuple[int, bytes, dict[str, str]]   # status, JSON, further headers
DOOR_SECONDS_MAX = 5.0


async def serve(config: Config) -> None:
    """Run until cancelled. Raises ConfigError when the address or the key file cannot be used."""
    config.paths.prepare()
    door = await _door(config)
    gateway = Gateway(config, door)
    host = config.rest.host

    def ready(port: int) -> None:
        announce("rest", url=f"{scheme('http', config.tls)}://{host}:{port}")
    app = App(gateway, config.limits.http_body_bytes_max)
    questions = QuestionDoor(gateway.local)
    try:
        await questions.open(config.paths.questions)
        await serve_http(app, host, config.rest.port, config.limits, ready, config.tls)
    finally:
        await questions.close()
        await gateway.close()


async def _door(config: Config) -> DoorClient:
    """The way to the exchange. If that takes its time, REST starts all the same and answers 503 until it is there."""
    path, calls_max = config.paths.door, config.limits.requests_pending_max
    try:
        return await DoorClient.connect(path, timeout_s=DOOR_SECONDS_MAX, calls_max=calls_max)
    except ConnectionError:
        return await DoorClient.connect(path, timeout_s=None, calls_max=calls_max)


class App:
    """paths: by path as it is written the route of each method; what is no Route is a page's text."""

    def __init__(self, gateway: Gateway, body_bytes_max: int) -> None:
        self._gateway, self._body_bytes_max = gateway, body_bytes_max
        self.paths: dict[bytes, dict[str, Route | bytes]] = {
            path.encode(): {"GET": page} for path, page in (
                (openapi.PATH, openapi.document()), (openapi.ASYNC_PATH, asyncapi.document()))}
        for route in (*ROUTES, *MARKET_ROUTES):
            self.paths.setdefault(route.path.encode(), {})[route.verb] = route

    async def __call__(
            self, scope: Message, receive: Receive, send: Callable[[Message], Awaitable[None]]) -> None:
        """One request."""
        try:
            status, body, more = await self._answer(HttpRequest(scope, receive, self._body_bytes_max))
        except Gone:
            return
        headers = [(name.encode(), value.encode()) for name, value in more.items()]
        if body:
            headers += [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, request: HttpRequest) -> Answer:
        methods = self.paths.get(request.path)
        if methods is None:
            return _refused(Refusal(NO_SUCH_ROUTE), {})
        found = methods.get(request.verb)
        if isinstance(found, Route):
            return await self._gateway.answer(found, request)
        if found is not None:
            return 200, found, {}
        allowed = {"Allow": ", ".join(sorted(methods.keys() | {"OPTIONS"}))}
        return (204, b"", allowed) if request.verb == "OPTIONS" else _refused(Refusal(METHOD_NOT_ALLOWED), allowed)


def _refused(refusal: Refusal, headers: dict[str, str]) -> Answer:
    return refusal.status, refusal.body(), headers
