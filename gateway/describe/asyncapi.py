"""The AsyncAPI 3.0 document of the two WebSocket interfaces, made of the table of methods, the structs, the names of
the streams and the table of refusals. An operation says what the venue does: it receives requests and sends events.
"""
from typing import Any

import msgspec

from engine.config import Exchange, Feed
from gateway.describe import errors, market_streams
from gateway.describe.examples import example_of
from gateway.describe.messages import ERRORS, message, refused, reply, request
from gateway.describe.methods import Method, methods
from gateway.describe.openapi import VERSION
from gateway.describe.parameters import parameter
from gateway.describe.shapes import REF, components
from gateway.feed_shapes import ServerShutdown
from gateway.protocol import CancelReplaced, UserEvent
from gateway.rates import Wait
from gateway.requests import PATH as API_PATH
from gateway.small_shapes import PlacedBefore

Json = dict[str, Any]
_ORDERS = {"$ref": "#/channels/orders"}
_ABOUT = (
    "The WebSocket interfaces of a Buttonwood venue: order entry with private events, and market streams. They speak "
    "the Binance Spot protocol, are compatible with it and not affiliated to anybody.")


def asyncapi() -> Json:
    """The document as plain objects, ready for JSON."""
    known = methods()
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Buttonwood", "version": VERSION, "description": _ABOUT, "license": {"name": "Apache-2.0"}},
        "defaultContentType": "application/json",
        "servers": {"orders": _server("Order entry", Exchange().port), "streams": _server("Market data", Feed().port)},
        "channels": {"orders": _orders(known), **market_streams.channels()},
        "operations": {**_operations(known), **market_streams.operations()},
        "components": {
            "messages": {"refused": refused()},
            "schemas": {
                **components([*(method.result for method in known), CancelReplaced, PlacedBefore, Wait, UserEvent,
                              ServerShutdown, *market_streams.SHAPES_SHOWN]),
                **{f"Error{status}": errors.schema_of(status, REF) for status in ERRORS}}}}


def document() -> bytes:
    """As it is served."""
    return msgspec.json.encode(asyncapi())


def _server(text: str, port: int) -> Json:
    return {"host": "{host}:{port}", "protocol": "ws", "description": text, "variables": {
        "host": {"default": "localhost"}, "port": {"default": str(port)}}}


def _orders(known: list[Method]) -> Json:
    """The channel of the WebSocket API."""
    shown = {f"{method.name}.request": request(method) for method in known}
    shown |= {f"{method.name}.reply": reply(method) for method in known}
    return {
        "address": API_PATH, "title": "WebSocket API", "servers": [{"$ref": "#/servers/orders"}],
        "description": "Requests and their replies in order; private events of the accounts subscribed to.",
        "bindings": {"ws": {"query": {"type": "object", "properties": {
            "returnRateLimits": parameter("", "returnRateLimits").schema,
            "timeUnit": {"type": "string", "enum": ["MILLISECOND", "MICROSECOND"]}}}}},
        "messages": {
            **shown, "refused": {"$ref": "#/components/messages/refused"},
            "userEvent": message("An event of an account", {"$ref": REF.format(name="UserEvent")},
                                 example_of(UserEvent)),
            "serverShutdown": message(
                "The process ends", {"type": "object", "required": ["event"], "properties": {
                    "event": {"$ref": REF.format(name="ServerShutdown")}}}, {"event": example_of(ServerShutdown)})}}


def _operations(known: list[Method]) -> Json:
    found: Json = {}
    for method in known:
        found[method.name] = {
            "action": "receive", "channel": _ORDERS, "summary": method.summary,
            "description": f"Weight {method.weight}, or more by its parameters.",
            "messages": [_of_orders(f"{method.name}.request")],
            "reply": {"channel": _ORDERS, "messages": [_of_orders(f"{method.name}.reply"), _of_orders("refused")]}}
    for name, text in (("userEvent", "Private events"), ("serverShutdown", "Before the venue hangs up")):
        found[name] = {"action": "send", "channel": _ORDERS, "summary": text, "messages": [_of_orders(name)]}
    return found


def _of_orders(name: str) -> Json:
    return {"$ref": f"#/channels/orders/messages/{name}"}
