"""The REST process: HTTP in front, the exchange's door and the ledger's Postgres behind; stateless, as many as wanted.

Why Litestar under uvicorn: it takes msgspec structs as they are and writes the OpenAPI page from them, so that the
shapes on the wire are stated once. It costs 57 us a request where Starlette costs 32 and bare ASGI 24 (one process,
uvloop, httptools, measured with 50 connections); orders that must be fast go over WebSocket, and a process of its own
keeps those 57 us out of the way of order acks.
"""
from functools import partial
from typing import Any, cast

from litestar import HttpMethod, Litestar, Request, Response
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Operation, Parameter, Schema
from litestar.openapi.spec.enums import OpenAPIType

from engine.config import Config
from engine.ready import announce
from gateway.door_client import DoorClient
from gateway.refusals import BODY_TOO_LARGE, METHOD_NOT_ALLOWED, NO_SUCH_ROUTE, UNKNOWN_ERROR, Refusal, Terms
from gateway.rest.gateway import Gateway, HttpRequest
from gateway.rest.market_routes import MARKET_ROUTES
from gateway.rest.question_door import QuestionDoor
from gateway.rest.routes import ROUTES, SIGNED_PARAMETERS, Route
from gateway.rest.server import serve_http
from gateway.rest.shapes import ErrorBody
from gateway.tls import scheme

VERSION = "v3"
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
    """The ASGI application: one handler for each row of the table, and the description of them at /openapi."""
    return Litestar(
        [_handler(route, gateway) for route in (*ROUTES, *MARKET_ROUTES)],
        request_max_body_size=body_bytes_max,
        exception_handlers={Exception: partial(_refused, body_bytes_max)},
        openapi_config=OpenAPIConfig(
            title="Buttonwood", version=VERSION, path="/openapi", render_plugins=[JsonRenderPlugin(path="/")]),
        logging_config=None,
    )


def _handler(route: Route, gateway: Gateway) -> HTTPRouteHandler:
    async def handle(request: HttpRequest) -> Response[bytes]:
        return await gateway.answer(route, request)
    handle.__annotations__["return"] = cast(Any, Response)[route.result]
    return HTTPRouteHandler(
        route.path, http_method=HttpMethod(route.verb), status_code=200, summary=route.summary,
        operation_id=f"{route.verb.lower()}_{route.path.strip('/').replace('/', '_')}",
        operation_class=cast(type[Operation], partial(_described, route)),
        responses={400: ResponseSpec(ErrorBody, generate_examples=False, description="Refused")},
    )(handle)


def _described(route: Route, **fields: Any) -> Operation:
    """The OpenAPI operation with the parameters of the table, which are read from the raw request."""
    names = f"{route.parameters} {SIGNED_PARAMETERS if route.signed else ''}".split()
    parameters = [
        Parameter(name=name.rstrip("!"), param_in="query", required=name.endswith("!"),
                  schema=Schema(type=OpenAPIType.STRING)) for name in names]
    if route.signed:
        parameters.append(Parameter(
            name="X-MBX-APIKEY", param_in="header", required=True, schema=Schema(type=OpenAPIType.STRING)))
    return Operation(**{**fields, "parameters": parameters or None})


def _refused(body_bytes_max: int, request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Errors of the framework in the venue's words."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    terms, args = _FRAMEWORK.get(status, (UNKNOWN_ERROR, ()))
    if terms is BODY_TOO_LARGE:
        args = (body_bytes_max,)
    refusal = Refusal(terms, *args)
    return Response(refusal.body(), status_code=refusal.status, media_type="application/json")


_FRAMEWORK: dict[int, tuple[Terms, tuple[object, ...]]] = {
    404: (NO_SUCH_ROUTE, ()), 405: (METHOD_NOT_ALLOWED, ()), 413: (BODY_TOO_LARGE, ())}
