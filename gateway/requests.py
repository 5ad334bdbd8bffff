"""Reading a request of the WebSocket API: {"id", "method", "params"} to a method name and parameter texts.

Parameters become texts whatever their JSON type: the signature is over their text, and 1, "1" and 1.50 mean what they
say. null and "" both become "". Nothing here knows a method. Refused, each with its code, and with the id when it can
be read: what is not JSON or not an object, wrong types, a name that appears twice in an object, nesting beyond the
decoder's limit.
"""
import json
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw, Struct

from gateway.refusals import (
    DUPLICATE_PARAMETER,
    INVALID_JSON,
    INVALID_PARAMETER,
    MANDATORY,
    Refusal,
    Terms,
)

PATH = "/ws-api/v3"
NULL_ID = b"null"
Params = dict[str, str]


_NO_ID = Raw(NULL_ID)


class _Envelope(Struct, gc=False):
    id: Raw = _NO_ID
    method: str = ""
    params: dict[str, Any] = {}


class _OnlyId(Struct, gc=False):
    id: Raw = _NO_ID


class Request(Struct, gc=False):
    """A request whose shape is right. `id` is JSON, to be echoed as it is."""

    id: bytes
    method: str
    params: Params


class BadRequest(Refusal):
    """A refusal that knows which request it answers."""

    def __init__(self, request_id: bytes, terms: Terms, *args: object) -> None:
        super().__init__(terms, *args)
        self.id = request_id


_decode = msgspec.json.Decoder(_Envelope, float_hook=str).decode   # float_hook: keep the text of 1.50
_decode_id = msgspec.json.Decoder(_OnlyId).decode


def read_request(data: bytes) -> Request:
    """Decode one message. Raises BadRequest."""
    try:
        envelope = _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _explain(data) from None
    request_id = bytes(envelope.id)
    params = envelope.params
    if not _is_id(request_id):
        raise BadRequest(NULL_ID, INVALID_PARAMETER, "id")
    names = len(params) + (envelope.id is not _NO_ID) + (envelope.method != "") + (len(params) > 0)
    if data.count(b":") != names:   # each name has its colon: as many colons as different names, then none came twice
        _check_names(data, request_id)
    if not envelope.method:
        raise BadRequest(request_id, MANDATORY, "method")
    try:
        texts = {name: value if type(value) is str else param_text(value) for name, value in params.items()}
    except ValueError:
        raise BadRequest(request_id, INVALID_PARAMETER, "params") from None
    return Request(request_id, envelope.method, texts)


def param_text(value: Any) -> str:
    """A JSON value as the text that is signed and parsed. Raises ValueError for a number of thousands of digits."""
    if value is None:
        return ""
    if value is True:
        return "true"
    if value is False:
        return "false"
    return str(value) if isinstance(value, int | str) else msgspec.json.encode(value).decode()


def _is_id(raw: bytes) -> bool:
    """Whether this JSON value is a text, an integer or null."""
    return raw[:1] == b'"' or raw.isdigit() or raw == NULL_ID or (raw[:1] == b"-" and raw[1:].isdigit())


def _explain(data: bytes) -> BadRequest:
    """Why the decoder refused: not JSON at all, or a field of the wrong type."""
    try:
        request_id = bytes(_decode_id(data).id)
        fields = json.loads(data, parse_int=float)
    except (ValueError, RecursionError, msgspec.ValidationError):
        return BadRequest(NULL_ID, INVALID_JSON)
    request_id = request_id if _is_id(request_id) else NULL_ID
    wrong = "params" if isinstance(fields.get("method", ""), str) else "method"
    return BadRequest(request_id, INVALID_PARAMETER, wrong)


def _check_names(data: bytes, request_id: bytes) -> None:
    """Raise BadRequest if any object of this JSON text names a member twice."""
    try:
        json.loads(data, parse_int=str, parse_float=str, object_pairs_hook=_unique)
    except _Twice:
        raise BadRequest(request_id, DUPLICATE_PARAMETER) from None
    except (ValueError, RecursionError):
        raise BadRequest(NULL_ID, INVALID_JSON) from None


class _Twice(Exception):
    """A name appears twice in one object."""


def _unique(pairs: list[tuple[str, Any]]) -> None:
    if len(pairs) != len(dict(pairs)):
        raise _Twice


def signed_payload(params: Mapping[str, str]) -> bytes:
    """The bytes a WebSocket request's signature is over: all parameters but it, sorted by name, as name=value&..."""
    return "&".join([f"{name}={params[name]}" for name in sorted(params) if name != "signature"]).encode()
