"""What the exchange answered, for routes that need to look into it instead of passing it on."""
from typing import TypeVar

import msgspec

from gateway.door_client import Reply
from gateway.refusals import Refusal, Terms
from gateway.rest.shapes import ErrorBody

T = TypeVar("T")


def result_of(reply: Reply, kind: type[T]) -> T:
    """The result of a call. Raises the Refusal that came instead of it."""
    status, raw = reply
    if status == 200:
        return msgspec.json.decode(raw, type=kind)
    error = msgspec.json.decode(raw, type=ErrorBody)
    raise Refusal(Terms(status, error.code, error.msg))
