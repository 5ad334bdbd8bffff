"""The part of the AsyncAPI document about market streams: a channel for each kind of stream, and one for each wrapping,
where streams are subscribed to.
"""
from typing import Any

from engine.intervals import INTERVALS
from engine.market_channels import KLINES
from gateway.describe.examples import example_of
from gateway.describe.messages import message
from gateway.describe.parameters import parameter
from gateway.describe.shapes import PRIVATE_EVENTS, REF, schema_of
from gateway.feed_control import METHODS
from gateway.feed_names import ALL_STREAMS, EAST, KINDS
from gateway.feed_shapes import SHAPES, ControlError, ControlResult, ListenKeyExpired, ServerShutdown

Json = dict[str, Any]
_PRIVATE = PRIVATE_EVENTS | ListenKeyExpired
SHAPES_SHOWN = [*SHAPES.values(), _PRIVATE, ControlResult, ControlError]
_STREAMS = [{"$ref": "#/servers/streams"}]
_KLINE = "kline_"
_SYMBOL = {"description": "An instrument's name in small letters", "examples": ["btcusdt"]}
_EXAMPLES = {
    "SUBSCRIBE": ["btcusdt@trade"], "UNSUBSCRIBE": ["btcusdt@trade"], "LIST_SUBSCRIPTIONS": [],
    "SET_PROPERTY": ["combined", True], "GET_PROPERTY": ["combined"]}


def channels() -> Json:
    """One for each kind of stream; a connection to any of them takes control messages as well."""
    found: Json = {"raw": _control("/ws", "Each message as it is"), "combined": _control(
        "/stream", 'Each message as {"stream": name, "data": message}')}
    for name, stream in KINDS.items():
        if name.startswith(_KLINE):
            continue
        found[name] = _channel(f"{{symbol}}@{name}", SHAPES[stream.kind], {"symbol": _SYMBOL})
    intervals = [interval.name for interval in INTERVALS]
    for zone in ("", EAST):
        found[f"kline{zone}"] = _channel(f"{{symbol}}@{_KLINE}{{interval}}{zone}", SHAPES[KLINES[0]], {
            "symbol": _SYMBOL, "interval": {"description": "Length of a candle", "enum": intervals}})
    for name, stream in ALL_STREAMS.items():
        found[name] = _channel(name, SHAPES[stream.kind], {})
    found["private"] = _channel("{listenKey}", _PRIVATE, {"listenKey": {
        "description": parameter("", "listenKey").text, "examples": [parameter("", "listenKey").example]}})
    return found


def operations() -> Json:
    """Control messages are received, streams are sent."""
    found: Json = {}
    for name in METHODS:
        found[name] = {
            "action": "receive", "channel": {"$ref": "#/channels/raw"}, "messages": [_of("raw", name)],
            "reply": {"channel": {"$ref": "#/channels/raw"}, "messages": [_of("raw", "done"), _of("raw", "refused")]}}
    for name in channels():
        if name not in ("raw", "combined"):
            found[f"stream {name}"] = {
                "action": "send", "channel": {"$ref": f"#/channels/{name}"}, "messages": [_of(name, "event")]}
    found["streams end"] = {
        "action": "send", "channel": {"$ref": "#/channels/raw"}, "messages": [_of("raw", "serverShutdown")]}
    return found


def _of(channel: str, name: str) -> Json:
    return {"$ref": f"#/channels/{channel}/messages/{name}"}


def _channel(stream: str, shape: Any, parameters: Json) -> Json:
    return {"address": f"/ws/{stream}", "servers": _STREAMS, "parameters": parameters, "messages": {
        "event": message(stream, schema_of(shape), example_of(shape))}}


def _control(address: str, text: str) -> Json:
    asked = {name: message(name, {"type": "object", "required": ["method"], "properties": {
        "method": {"const": name}, "params": {"type": "array"}, "id": {"type": ["integer", "string", "null"]}}},
        {"method": name, "params": _EXAMPLES[name], "id": 1}) for name in METHODS}
    told = {name: message(name, {"$ref": REF.format(name=shape.__name__)}, example_of(shape)) for name, shape in (
        ("done", ControlResult), ("refused", ControlError), ("serverShutdown", ServerShutdown))}
    return {"address": address, "servers": _STREAMS, "description": text, "messages": {**asked, **told}}
