"""What is fuzzed: each target takes any bytes and raises an AssertionError when what reads them does not keep its word.

frames     the native WebSocket frame reader against its slow twin, cut into pieces anyhow
orders     the native way of orders against the general path: the same command, the same reply
requests   the reader of WebSocket API messages: a request or a refusal with a usable id, nothing else
control    control messages and addresses of market streams: an answer or a refusal that is JSON
forms      queries and forms of HTTP, and what of them is signed
"""
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from gateway.auth import rest_payload
from gateway.feed_control import (
    InvalidRequest,
    combined_property,
    decode_request,
    error_json,
    result_json,
    stream_names,
)
from gateway.feed_names import is_ours, parse_path
from gateway.refusals import Refusal
from gateway.requests import BadRequest, Request, read_request, signed_payload
from gateway.rest.parameters import PARAMETERS_MAX, read_parameters
from tests.gateway.test_frame_codec import MOST, expected, read
from tests.gateway.test_order_intake import House

Target = Callable[[bytes], None]
NOW = b"1700000000000"    # stands for the present time, so that inputs do not grow old
HOUSE_INPUTS = 5000       # a house is made anew after so many, as its book grows
PIECES_MAX = 4


def frames(data: bytes) -> None:
    """The first byte says into how many pieces; zeros follow, a frame that nobody may send."""
    count = data[0] % PIECES_MAX + 1 if data else 1
    size = len(data) // count + 1
    pieces = [*(data[begin:begin + size] for begin in range(1, len(data), size)), bytes(MOST + 20)]
    assert read(pieces) == expected(pieces)


def text_only(target: Target) -> Target:
    """The frame reader lets UTF-8 through only."""
    def checked(data: bytes) -> None:
        try:
            data.decode()
        except UnicodeDecodeError:
            return
        target(data)
    return checked


def requests(data: bytes) -> None:
    """A WebSocket message."""
    try:
        found = read_request(data)
    except BadRequest as bad:
        assert json.loads(bad.id) is None or isinstance(json.loads(bad.id), int | str)
        assert msgspec.json.decode(bad.body())["code"] == bad.code < 0
        return
    assert type(found) is Request and found.method
    assert all(type(name) is str and type(text) is str for name, text in found.params.items())
    assert isinstance(json.loads(found.id), int | str | None) and json.loads(data.decode())["method"] == found.method
    signed_payload(found.params)


class Orders:
    """Holds the house that the orders go to."""

    def __init__(self) -> None:
        self.taken = 0
        self._inputs = 0
        self._house: House | None = None

    def __call__(self, data: bytes) -> None:
        if self._house is None or self._inputs % HOUSE_INPUTS == 0:
            with tempfile.TemporaryDirectory() as folder:
                self._house = House(Path(folder))
                self._house.key_store.find("")   # read while the file is there
        self._inputs += 1
        self.taken += self._house.take(data.replace(NOW, b"%d" % (time.time_ns() // 1_000_000)))


def control(data: bytes) -> None:
    """A control message; its names, and the same bytes as an address."""
    try:
        asked = decode_request(data)
        if asked.method in ("SUBSCRIBE", "UNSUBSCRIBE"):
            assert all(is_ours(name) for name in stream_names(asked))
        elif asked.method != "LIST_SUBSCRIPTIONS":
            combined_property(asked)
        assert json.loads(result_json(asked, None))["id"] == asked.id
    except InvalidRequest as error:
        assert json.loads(error_json(error))["error"]["code"] == 2
    path, _, query = data.decode("latin-1").partition("?")
    target = parse_path(path, query)
    assert target is None or all(is_ours(name) for name in target.names)


def forms(data: bytes) -> None:
    """A query, a line feed, a body."""
    query, _, body = data.partition(b"\n")
    try:
        found = read_parameters(query, body)
        assert len(found) <= 2 * PARAMETERS_MAX
    except Refusal as refusal:
        assert refusal.status == 400
        return
    try:
        payload, _ = rest_payload(query, body)
        assert len(payload) <= len(query) + len(body)
    except Refusal as refusal:
        assert refusal.status in (400, 401)


_orders = Orders()


def orders_taken() -> int:
    """How many of the inputs so far were orders to the native way."""
    return _orders.taken


TARGETS: dict[str, Target] = {
    "frames": frames, "orders": text_only(_orders), "requests": text_only(requests), "control": text_only(control),
    "forms": forms}
