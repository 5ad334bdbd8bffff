"""The AsyncAPI document: complete, sound, and kept by what the venue says.

Every Client checks the replies and events it gets; the tests of the market-data worker check each text of a stream.
"""
import json
from typing import Any

import jsonschema_rs
import pytest

from engine.intervals import INTERVALS
from engine.market_channels import Kind
from gateway.describe import errors, market_streams
from gateway.describe.asyncapi import asyncapi
from gateway.describe.messages import ERRORS
from gateway.describe.methods import methods
from gateway.describe.openapi import ASYNC_PATH
from gateway.feed_control import METHODS, decode_request
from gateway.feed_names import ALL_STREAMS, KINDS, Target, parse_path, parse_stream
from gateway.feed_shapes import SHAPES
from gateway.questions import QUESTIONS
from gateway.requests import PATH, read_request
from gateway.sessions import Session
from tests.gateway.described import check_message, check_reply
from tests.gateway.rest_kit import RestClient
from tests.gateway.running import Client, Running
from tests.gateway.test_openapi import refs_in
from tests.gateway.test_rest import run
from tests.gateway.test_sessions import story

PAGE = asyncapi()


def methods_of(venue: Running) -> set[str]:
    """Those that the tables of a running exchange know."""
    parts, session = venue.server.venue, Session(venue.server.venue)
    tables = (parts.commands, parts.placing, parts.groups, parts.private, parts.public, parts.keyed,
              session._session_methods, session._stream_methods, QUESTIONS)
    return set().union(*tables)


@story
async def test_every_method_is_described_and_every_described_one_is_known(
        venue: Running, alice: Client, carol: Client) -> None:
    received = {name for name, operation in PAGE["operations"].items() if operation["action"] == "receive"}
    described = received - set(METHODS)
    assert described >= methods_of(venue)
    assert described == {method.name for method in methods()}
    for name in sorted(described):
        answer = await alice.call(name, signed=False)
        assert answer["status"] == 200 or answer["error"]["code"] != -1020, name
    assert (await alice.error("order.surprise", signed=False))[1] == -1020


def test_every_reference_leads_somewhere():
    for ref in refs_in(PAGE):
        node = PAGE
        for part in ref.removeprefix("#/").split("/"):
            node = node[part]
    schemas = {f"#/components/schemas/{name}" for name in PAGE["components"]["schemas"]}
    assert schemas <= refs_in(PAGE), schemas - refs_in(PAGE)


def test_every_example_is_right():
    count = 0
    for channel, described in PAGE["channels"].items():
        for name, message in described["messages"].items():
            message = PAGE["components"]["messages"]["refused"] if "$ref" in message else message
            for example in message["examples"]:
                check_message(channel, name, example["payload"])
                count += 1
    assert count > 2 * len(methods()) + len(errors.TERMS)
    with pytest.raises(jsonschema_rs.ValidationError):
        check_reply("time", {"id": 1, "status": 200, "result": {"serverTime": "now"}})
    with pytest.raises(jsonschema_rs.ValidationError):
        check_reply("time", {"id": 1, "status": 400, "error": {"code": 7, "msg": "no such code"}})


def test_every_example_of_a_request_is_read():
    for name, message in PAGE["channels"]["orders"]["messages"].items():
        if name.endswith(".request"):
            example = message["examples"][0]["payload"]
            asked = read_request(json.dumps(example).encode())
            assert asked.method == example["method"] and set(asked.params) == set(example["params"])
    for channel in ("raw", "combined"):
        for name in METHODS:
            example = PAGE["channels"][channel]["messages"][name]["examples"][0]["payload"]
            assert decode_request(json.dumps(example).encode()).method == name


def test_every_refusal_is_described():
    shown = {example["name"]: (example["payload"]["status"], example["payload"]["error"]["code"])
             for example in PAGE["components"]["messages"]["refused"]["examples"]}
    assert shown == {name: (terms.status, terms.code) for name, terms in errors.TERMS.items() if terms.status in ERRORS}


def expanded(channel: dict[str, Any]) -> list[str]:
    """The addresses of a channel, for one symbol."""
    address = channel["address"].replace("{symbol}", "btcusdt")
    if "{interval}" not in address:
        return [address]
    return [address.replace("{interval}", name) for name in channel["parameters"]["interval"]["enum"]]


def test_every_stream_is_described_by_its_own_shape():
    found = {}
    for name, channel in PAGE["channels"].items():
        if name in ("orders", "raw", "combined", "private"):
            continue
        for address in expanded(channel):
            target = parse_path(address, "")
            assert target and len(target.names) == 1, address
            found[target.names[0].removeprefix("btcusdt@")] = channel["messages"]["event"]["payload"]
    assert set(found) == set(KINDS) | set(ALL_STREAMS) and len(found) > len(INTERVALS)
    for name, payload in found.items():
        _, stream = parse_stream(name if name in ALL_STREAMS else f"btcusdt@{name}") or ("", None)
        assert stream and payload == market_streams.schema_of(SHAPES[stream.kind])
    assert set(SHAPES) == set(Kind)
    assert PAGE["channels"]["orders"]["address"] == PATH
    key = PAGE["channels"]["private"]["parameters"]["listenKey"]["examples"][0]
    assert parse_path(f"/ws/{key}", "") == Target(False, [key])


def test_it_is_served(tmp_path):
    async def story(venue: Running, alice: RestClient, bob: RestClient) -> None:
        assert await alice.ok("GET", ASYNC_PATH, public=True) == PAGE
    run(tmp_path, story)
