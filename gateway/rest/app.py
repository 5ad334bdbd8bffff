"""The REST process: HTTP in front, the exchange's door and the ledger's Postgres behind; stateless, as many as wanted.

Litestar under uvicorn costs 57 us a request where Starlette costs 32 and bare ASGI 24 (one process, uvloop, httptools,
measured with 50 connections); orders that must be fast go over WebSocket, and a process of its own
keeps those 57 us out of the way of order acks.
"""
from functools import partial
from typing import Any

from litestar import HttpMethod, Litestar, Request, Response
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler

from engine.config import Config
from engine.ready import announce
from gateway.describe import asyncapi, openapi
from gateway.door_client import DoorClient
from gateway.refusals import BODY_TOO_LARGE, METHOD_NOT_ALLOWED, NO_SUCH_ROUTE, UNKNOWN_ERROR, Refusal, Terms
from gateway.rest.gateway import Gateway, HttpRequest
from gateway.rest.market_routes import MARKET_ROUTES
from gateway.rest.question_door import QuestionDoor
from gateway.rest.routes import ROUTES, Route
from gateway.rest.server import serve_http
from gateway.tls import scheme

DOOR_SECONDS_MAX = 5.0


async def serve(config: Config) -> None:
    """Run until cancelled. Raises ConfigError when the address or the key file cannot be used."""
    door = await _door(config)
    gateway = Gateway(config, door)
    host = config.rest.host

    def ready(port: int) -> None:
        announce("rest", url=f"{scheme('http', config.tls)}://{host}:{port}")
    app = make_app(gateway, config.limits.http_body_bytes_max)
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


def make_app(gateway: Gateway, body_bytes_max: int) -> Litestar:
    """The ASGI application: one handler for each row of the table, the descriptions of them, and OPTIONS."""
    return Litestar(
        [*(_options(path) for path in _ALLOWED), *(_handler(route, gateway) for route in (*ROUTES, *MARKET_ROUTES)),
         _page(openapi.PATH, openapi.document()), _page(openapi.ASYNC_PATH, asyncapi.document())],
        request_max_body_size=body_bytes_max,
        exception_handlers={Exception: partial(_refused, body_bytes_max)},
        openapi_config=None,
        logging_config=None,
    )


def _handler(route: Route, gateway: Gateway) -> HTTPRouteHandler:
    async def handle(request: HttpRequest) -> Response[bytes]:
        return await gateway.answer(route, request)
    return HTTPRouteHandler(route.path, http_method=HttpMethod(route.verb), status_code=200)(handle)


def _page(path: str, text: bytes) -> HTTPRouteHandler:
    async def handle() -> Response[bytes]:
        return Response(text, media_type="application/json")
    return HTTPRouteHandler(path, http_method=HttpMethod.GET)(handle)


def _options(path: str) -> HTTPRouteHandler:
    """The framework's own answer names the method that was registered first."""
    async def handle() -> Response[None]:
        return Response(None, headers={"Allow": _ALLOWED[path]})
    return HTTPRouteHandler(path, http_method=HttpMethod.OPTIONS, status_code=204)(handle)


def _refused(body_bytes_max: int, request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Errors of the framework in the venue's words."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    terms, args = _FRAMEWORK.get(status, (UNKNOWN_ERROR, ()))
    if terms is BODY_TOO_LARGE:
        args = (body_bytes_max,)
    refusal = Refusal(terms, *args)
    allowed = _ALLOWED.get(request.scope["path"], "") if terms is METHOD_NOT_ALLOWED else ""
    return Response(refusal.body(), status_code=refusal.status, media_type="application/json",
                    headers={"Allow": allowed} if allowed else None)


def _allowed() -> dict[str, str]:
    """The methods of each path, as the header Allow has them."""
    verbs: dict[str, set[str]] = {openapi.PATH: {"GET"}, openapi.ASYNC_PATH: {"GET"}}
    for route in (*ROUTES, *MARKET_ROUTES):
        verbs.setdefault(route.path, set()).add(route.verb)
    return {path: ", ".join(sorted(found | {"OPTIONS"})) for path, found in verbs.items()}


_ALLOWED = _allowed()
_FRAMEWORK: dict[int, tuple[Terms, tuple[object, ...]]] = {
    404: (NO_SUCH_ROUTE, ()), 405: (METHOD_NOT_ALLOWED, ()), 413: (BODY_TOO_LARGE, ())}
