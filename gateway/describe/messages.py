"""Messages of the WebSocket API as schemas with an example: requests, replies and refusals."""
from typing import Any

from gateway.describe import errors
from gateway.describe.examples import example_of
from gateway.describe.methods import Method
from gateway.describe.parameters import names_of, parameter
from gateway.describe.shapes import REF, schema_of
from gateway.symbol_shapes import RateLimit

Json = dict[str, Any]
_ID: Json = {"type": ["integer", "string", "null"], "description": "As in the request"}
_HTTP_ONLY = {404, 405, 413, 415, 431}
ERRORS = tuple(status for status in errors.statuses() if status not in _HTTP_ONLY)


def message(title: str, payload: Json, example: Any) -> Json:
    """An AsyncAPI message."""
    return {"title": title, "payload": payload, "examples": [{"payload": example}]}


def request(method: Method) -> Json:
    """What is asked with. A parameter may be sent as text or as the JSON value it stands for."""
    names = names_of(method.parameters)
    properties = {name: loose(method.name, name) for name, _ in names}
    needed = [name for name, must in names if must]
    params: Json = {"type": "object", "properties": properties}
    payload: Json = {"type": "object", "required": ["method"], "properties": {
        "id": _ID, "method": {"const": method.name}, "params": params}}
    if needed:
        payload["required"].append("params")
        params["required"] = needed
    example = {name: parameter(method.name, name).example for name, must in names if must}
    return message(method.summary, payload, {"id": 1, "method": method.name, "params": example})


def loose(method: str, name: str) -> Json:
    """The schema of a parameter's JSON value."""
    meaning = parameter(method, name)
    schema = {"description": meaning.text, **meaning.schema}
    if name in ("orders", "symbols", "permissions"):
        return {"description": meaning.text, "anyOf": [{"type": "string"}, {"type": "array"}]}
    if schema["type"] in ("integer", "number"):
        return {"description": meaning.text, "anyOf": [meaning.schema, {"type": "string"}]}
    if schema.get("enum") == ["true", "false"]:
        return {"description": meaning.text, "enum": ["true", "false", True, False]}
    if schema.get("pattern", "").startswith("^[0-9]"):
        return {"description": meaning.text, "anyOf": [meaning.schema, {"type": "number", "minimum": 0}]}
    return schema


def reply(method: Method) -> Json:
    """The answer to a request that was carried out."""
    payload: Json = {"type": "object", "required": ["id", "status", "result"], "properties": {
        "id": _ID, "status": {"const": 200}, "result": schema_of(method.result), "rateLimits": _limits()}}
    return message("Done", payload, {"id": 1, "status": 200, "result": example_of(method.result), "rateLimits": []})


def refused() -> Json:
    """The answer to a request that was refused."""
    each = [{"properties": {"status": {"const": status}, "error": {"$ref": REF.format(name=f"Error{status}")}}}
            for status in ERRORS]
    payload: Json = {"type": "object", "required": ["id", "status", "error"], "properties": {
        "id": _ID, "rateLimits": _limits()}, "oneOf": each}
    examples = [{"name": name, "payload": {"id": 1, "status": status, "error": example["value"], "rateLimits": []}}
                for status in ERRORS for name, example in errors.examples_of(status).items()]
    return {"title": "Refused", "payload": payload, "examples": examples}


def _limits() -> Json:
    return {"description": "Unless returnRateLimits is false", **schema_of(list[RateLimit])}
