"""Checks answers and messages against the OpenAPI and the AsyncAPI document: what a venue really said.

Stricter than the documents: an object may have no member that its shape does not name, so that a field that the types
do not know is found here.
"""
import json
from functools import cache
from typing import Any

import jsonschema_rs

from gateway.describe.asyncapi import asyncapi
from gateway.describe.openapi import openapi

NOT_DESCRIBED = (404, 405)   # of paths and methods that are not in the document


@cache
def page() -> dict[str, Any]:
    """The document; objects are closed."""
    found = openapi()
    for schema in found["components"]["schemas"].values():
        schema["additionalProperties"] = False
    for answer in found["components"]["responses"].values():
        answer["content"]["application/json"]["schema"]["additionalProperties"] = False
    return found


@cache
def _validator(verb: str, path: str, status: int) -> jsonschema_rs.Draft202012Validator:
    responses = page()["paths"][path][verb]["responses"]
    assert str(status) in responses, f"{verb} {path} may not answer {status}"
    return _validator_of(json.dumps(_resolved(responses[str(status)])["content"]["application/json"]["schema"]))


@cache
def _validator_of(schema: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator({**json.loads(schema), "components": page()["components"]})


def _resolved(node: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in node:
        return node
    found: Any = page()
    for part in node["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return dict(found)


def check_answer(verb: str, path: str, status: int, headers: Any, body: Any) -> None:
    """Raise AssertionError or ValidationError unless the document allows this answer."""
    verb = verb.lower()
    if verb not in page()["paths"].get(path, {}):
        assert status in NOT_DESCRIBED, (verb, path, status)
        return
    _validator(verb, path, status).validate(body)
    operation = page()["paths"][path][verb]
    named = _resolved(operation["responses"][str(status)]).get("headers", {})
    for name in headers:
        if name.lower().startswith("x-mbx-") and status == 200:
            assert name.upper() in named, (verb, path, name)
    if status in (418, 429):
        assert int(headers["Retry-After"]) >= 1


@cache
def socket_page() -> dict[str, Any]:
    """The AsyncAPI document; objects are closed."""
    found = asyncapi()
    for schema in found["components"]["schemas"].values():
        schema["additionalProperties"] = False
    return found


@cache
def _message_validator(channel: str, name: str) -> jsonschema_rs.Draft202012Validator:
    found = socket_page()["channels"][channel]["messages"][name]
    if "$ref" in found:
        found = socket_page()["components"]["messages"][name]
    return jsonschema_rs.Draft202012Validator({
        **found["payload"], "components": {"schemas": socket_page()["components"]["schemas"]}})


def check_message(channel: str, name: str, body: Any) -> None:
    """Raise ValidationError unless this is such a message of the channel."""
    _message_validator(channel, name).validate(body)


def check_reply(method: str, body: Any) -> None:
    """Raise ValidationError unless the WebSocket API may answer this method so."""
    known = body["status"] == 200
    check_message("orders", f"{method.removeprefix('v3/')}.reply" if known else "refused", body)


def check_event(body: Any) -> None:
    """Raise ValidationError unless this is an event of the WebSocket API."""
    check_message("orders", "userEvent" if "subscriptionId" in body else "serverShutdown", body)


def check_type(kind: str, body: Any) -> None:
    """Raise ValidationError unless the body is of the component of this name."""
    _validator_of(json.dumps({"$ref": f"#/components/schemas/{kind}"})).validate(body)
