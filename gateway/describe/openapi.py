"""The OpenAPI 3.1 document of the REST interface, made of the table of routes, the structs and the table of refusals.

Parameters stand in the query here; those of other methods than GET may as well stand in a form (see PROTOCOL.md).
"""
from typing import Any

import msgspec

from gateway.describe import errors
from gateway.describe.examples import example_of
from gateway.describe.methods import HTTP_ONLY
from gateway.describe.parameters import names_of, parameter
from gateway.describe.shapes import REF, components, schema_of
from gateway.protocol import CancelReplaced
from gateway.rates import Wait
from gateway.rest.market_routes import MARKET_ROUTES
from gateway.rest.parameters import FORM
from gateway.rest.routes import ROUTES, SIGNED_PARAMETERS, Route
from gateway.small_shapes import PlacedBefore

PATH = "/openapi.json"
ASYNC_PATH = "/asyncapi.json"
VERSION = "v3"
Json = dict[str, Any]
_COUNT = {"schema": {"type": "integer", "minimum": 0}}
_HEADERS: Json = {
    "UsedWeight": {"description": "Request weight of this address in this minute", **_COUNT},
    "OrderCount10s": {"description": "Orders of this account in these ten seconds", **_COUNT},
    "OrderCount1d": {"description": "Orders of this account in this day", **_COUNT},
    "RetryAfter": {"description": "Seconds to wait", "schema": {"type": "integer", "minimum": 1}}}
_ABOUT = (
    "The HTTP interface of a Buttonwood venue. It speaks the Binance Spot protocol, is compatible with it and not "
    "affiliated to anybody. Signed requests carry X-MBX-APIKEY, timestamp and a signature over the query and the body.")


def openapi() -> Json:
    """The document as plain objects, ready for JSON."""
    routes = (*ROUTES, *MARKET_ROUTES)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Buttonwood", "version": VERSION, "description": _ABOUT,
                 "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "servers": [{"url": "/", "description": "The venue that serves this document"}],
        "paths": _paths(routes),
        "components": {
            "schemas": components([*(route.result for route in routes), CancelReplaced, PlacedBefore, Wait]),
            "responses": {str(status): _refused(status) for status in errors.statuses()},
            "headers": _HEADERS,
            "parameters": {"TimeUnit": {
                "name": "X-MBX-TIME-UNIT", "in": "header", "description": "The unit of times in the reply",
                "schema": {"type": "string", "enum": ["MILLISECOND", "MICROSECOND"], "default": "MILLISECOND"}}},
            "securitySchemes": {
                "ApiKey": {"type": "apiKey", "in": "header", "name": "X-MBX-APIKEY"},
                "Signature": {"type": "apiKey", "in": "query", "name": "signature",
                              "description": parameter("", "signature").text}}}}


def document() -> bytes:
    """As it is served."""
    return msgspec.json.encode(openapi())


def _paths(routes: tuple[Route, ...]) -> Json:
    paths: Json = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.verb.lower()] = _operation(route)
    for path, text in ((PATH, "This document"), (ASYNC_PATH, "The WebSocket interfaces, as AsyncAPI 3.0")):
        paths[path] = {"get": {
            "operationId": f"get{path.replace('.', '_').replace('/', '_')}", "summary": text, "responses": {
                "200": {"description": text, "content": {"application/json": {"schema": {"type": "object"}}}}}}}
    return paths


def _operation(route: Route) -> Json:
    operation: Json = {
        "operationId": f"{route.verb.lower()}_{route.path.strip('/').replace('/', '_')}",
        "summary": route.summary,
        "description": _about(route),
        "tags": ["signed" if route.signed else "keyed" if route.keyed else "public"],
        "parameters": [*_parameters(route), {"$ref": "#/components/parameters/TimeUnit"}],
        "responses": _responses(route),
        "x-weight": route.weight,
        "x-method": route.call}
    if route.verb != "GET":
        operation["requestBody"] = {
            "description": "Any of the parameters; what stands in the query as well, counts there", "content": {
                FORM: {"schema": {"type": "object", "additionalProperties": {"type": "string"}}}}}
    if route.signed:
        operation["security"] = [{"ApiKey": [], "Signature": []}]
    elif route.keyed:
        operation["security"] = [{"ApiKey": []}]
    return operation


def _about(route: Route) -> str:
    more = ", or more by its parameters" if route.weigh else ""
    method = "" if route.call in HTTP_ONLY else f" Method `{route.call}` of the WebSocket API."
    return f"Weight {route.weight}{more}.{method}"


def _parameters(route: Route) -> list[Json]:
    table = f"{route.parameters} {SIGNED_PARAMETERS if route.signed else ''}"
    rows = []
    for name, needed in names_of(table):
        if name == "signature":
            continue   # a security scheme
        meaning = parameter(route.call, name)
        rows.append({"name": name, "in": "query", "required": needed, "description": meaning.text,
                     "schema": meaning.schema, "example": meaning.example})
    return rows


def _responses(route: Route) -> Json:
    headers = {"X-MBX-USED-WEIGHT-1M": {"$ref": "#/components/headers/UsedWeight"}}
    if route.counts_order:
        headers |= {"X-MBX-ORDER-COUNT-10S": {"$ref": "#/components/headers/OrderCount10s"},
                    "X-MBX-ORDER-COUNT-1D": {"$ref": "#/components/headers/OrderCount1d"}}
    done = {"description": route.summary, "headers": headers, "content": {"application/json": {
        "schema": schema_of(route.result), "example": example_of(route.result)}}}
    refused = {*errors.ALWAYS, *([401] if route.signed or route.keyed else []),
               *([] if route.verb == "GET" else [413, 415]),
               *([409] if route.call == "order.cancelReplace" else [])}
    return {"200": done, **{str(status): {"$ref": f"#/components/responses/{status}"} for status in sorted(refused)}}


def _refused(status: int) -> Json:
    answer: Json = {
        "description": errors.STATUS_TEXTS[status],
        "content": {"application/json": {
            "schema": errors.schema_of(status, REF), "examples": errors.examples_of(status)}}}
    if status in (418, 429):
        answer["headers"] = {"Retry-After": {"$ref": "#/components/headers/RetryAfter"}}
    return answer
