"""Control messages of market streams: what a client may ask on the socket, and how the answers look.

{"method": M, "params": [...], "id": I} is answered by {"result": R, "id": I}; anything wrong by
{"error": {"code": 2, "msg": "Invalid request: ..."}, "id": I} where the text names the mistake. An id is an integer, a
text or null and comes back as the same JSON type. A request is carried out as a whole or not at all.
"""
from typing import Any

import msgspec

from gateway.feed_names import is_ours
from gateway.feed_shapes import ControlError, ControlProblem, ControlResult

METHODS = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")
INVALID_REQUEST = 2
_SHOWN_MAX = 64   # characters of a client's own text in our answer

RequestId = int | str | None


class Request(msgspec.Struct):
    """A request whose shape is right."""

    method: str
    params: list[Any] = []
    id: RequestId = None


class InvalidRequest(Exception):
    """The text goes to the client, behind "Invalid request: "; `id` is the request's when it could be read."""

    def __init__(self, text: str, request_id: RequestId = None) -> None:
        super().__init__(text)
        self.id = request_id


_decode_request = msgspec.json.Decoder(Request).decode


def decode_request(data: bytes) -> Request:
    """Raises InvalidRequest."""
    try:
        request = _decode_request(data)
    except msgspec.ValidationError as error:
        raise InvalidRequest(_small(str(error)), _id_of(data)) from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidRequest(_small(str(error))) from None
    if request.method not in METHODS:
        wanted = ", ".join(f"`{method}`" for method in METHODS)
        raise InvalidRequest(f"unknown variant `{request.method[:_SHOWN_MAX]}`, expected one of {wanted}", request.id)
    return request


def stream_names(request: Request) -> list[str]:
    """The params of SUBSCRIBE and UNSUBSCRIBE. Raises InvalidRequest unless each names a stream of ours."""
    if not request.params:
        raise InvalidRequest("params must be a list of stream names", request.id)
    for name in request.params:
        if not isinstance(name, str) or not is_ours(name):
            shown = str(name)[:_SHOWN_MAX]
            raise InvalidRequest(f"`{shown}` is no stream; write symbol@trade, symbol@bookTicker, symbol@kline_1m, "
                                 "symbol@depth@100ms, ... with the symbol in small letters", request.id)
    return list(dict.fromkeys(request.params))


def combined_property(request: Request) -> bool | None:
    """The new value of the property "combined", None when it is only asked for. Raises InvalidRequest."""
    setting = request.method == "SET_PROPERTY"
    if request.params[:1] != ["combined"] or len(request.params) != 1 + setting:
        raise InvalidRequest('params must be ["combined", true or false]' if setting else 'params must be ["combined"]',
                             request.id)
    value = request.params[1] if setting else None
    if setting and not isinstance(value, bool):
        raise InvalidRequest("the value of combined must be true or false", request.id)
    return value


def result_json(request: Request, result: object) -> bytes:
    """The answer to a request that was carried out."""
    return msgspec.json.encode(ControlResult(result, request.id))


def error_json(error: InvalidRequest) -> bytes:
    """The answer to a request that was not."""
    problem = ControlProblem(INVALID_REQUEST, f"Invalid request: {error}")
    return msgspec.json.encode(ControlError(problem, error.id))


def _id_of(data: bytes) -> RequestId:
    """The id of a request that is otherwise wrong, when it has a usable one."""
    try:
        whole = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError):
        return None
    found = whole.get("id") if isinstance(whole, dict) else None
    return found if isinstance(found, int | str) and not isinstance(found, bool) else None


def _small(text: str) -> str:
    return text[:1].lower() + text[1:]
