"""Reading requests: what is understood, what is refused with which code, and which id the refusal carries."""
import json

import pytest

from gateway.requests import BadRequest, read_request, signed_payload

NOT_JSON, TWICE, MISSING, WRONG = -1135, -1101, -1102, -1130


def refused(data: bytes) -> tuple[int, bytes]:
    with pytest.raises(BadRequest) as caught:
        read_request(data)
    return caught.value.code, caught.value.id


def test_values_become_the_texts_that_are_signed():
    request = read_request(
        b'{"id":7,"method":"order.place","params":{"price":1.50,"qty":10000,"flag":true,"off":false,"none":null,'
        b'"text":"a\\u0062\\/","list":["A","B"],"exp":1e3}}')
    assert request.params == {
        "price": "1.50", "qty": "10000", "flag": "true", "off": "false", "none": "", "text": "ab/",
        "list": '["A","B"]', "exp": "1e3"}
    assert signed_payload({"b": "2", "signature": "s", "a": "é"}) == "a=é&b=2".encode()


@pytest.mark.parametrize("request_id", [b"1", b"-5", b'"1"', b"null", b'"\xc3\xa9"', b'""', b"1" * 24])
def test_ids_come_back_as_they_are(request_id):
    assert read_request(b'{"id":%b,"method":"ping"}' % request_id).id == request_id


def test_id_and_params_may_be_missing():
    request = read_request(b'{"method":"ping"}')
    assert (request.id, request.method, request.params) == (b"null", "ping", {})


@pytest.mark.parametrize("spelling", [
    b'{"id":1,"method":"m","params":{"a":"1","b":2}}',
    b' { "id" : 1 , "method" : "m" , "params" : { "a" : "1" , "b" : 2 } } \n',
    b'{"id":1,"method":"m","params":{"a":"1","b":2},"other":"x:y"}',
])
def test_spelling_does_not_matter(spelling):
    assert read_request(spelling).params == {"a": "1", "b": "2"}


@pytest.mark.parametrize("data, expected", [
    (b"", (NOT_JSON, b"null")),
    (b"hello", (NOT_JSON, b"null")),
    (b"null", (NOT_JSON, b"null")),
    (b"[]", (NOT_JSON, b"null")),
    (b'"text"', (NOT_JSON, b"null")),
    (b'{"id":1,"method":"ping"', (NOT_JSON, b"null")),
    (b'{"id":1,"method":"ping"} {}', (NOT_JSON, b"null")),
    (b'\xef\xbb\xbf{"id":1,"method":"ping"}', (NOT_JSON, b"null")),
    (b'{"id":1,"method":"ping","params":{"a":"\\ud800"}}', (NOT_JSON, b"null")),
    (b'{"id":1,"method":"ping","params":{"a":NaN}}', (NOT_JSON, b"null")),
    (b'{"id":1,"method":"ping","params":{"a":01}}', (NOT_JSON, b"null")),
    (b'{"id":1,"method":"\xff"}', (NOT_JSON, b"null")),
    (b'{"id":1}', (MISSING, b"1")),
    (b'{"id":1,"method":""}', (MISSING, b"1")),
    (b'{"id":1,"method":5}', (WRONG, b"1")),
    (b'{"id":1,"method":"ping","params":[]}', (WRONG, b"1")),
    (b'{"id":1,"method":"ping","params":null}', (WRONG, b"1")),
    (b'{"id":1.5,"method":"ping"}', (WRONG, b"null")),
    (b'{"id":{},"method":"ping"}', (WRONG, b"null")),
    (b'{"id":true,"method":"ping"}', (WRONG, b"null")),
    (b'{"id":1,"method":"ping","params":{"a":%b}}' % (b"1" * 5000), (WRONG, b"1")),
])
def test_refused(data, expected):
    assert refused(data) == expected


@pytest.mark.parametrize("data", [
    b'{"id":1,"id":1,"method":"ping"}',
    b'{"id":1,"method":"ping","method":"ping"}',
    b'{"id":1,"method":"ping","params":{},"params":{}}',
    b'{"id":1,"method":"ping","params":{"qty":1,"qty":500}}',
    b'{"id":1,"method":"ping","params":{"qty" : 1, "qty":500}}',
    b'{"id":1,"method":"ping","params":{"q\\u0074y":1,"qty":500}}',
    b'{"id":1,"method":"ping","params":{"a":{"b":1,"b":2}}}',
    b'{"id":1,"method":"ping","params":{"a":[{"b":1,"b":2}]}}',
    b'{"id":1,"method":"ping","x":1,"x":2}',
    b'{"method":"ping","method":"ping"}',
])
def test_a_name_that_appears_twice(data):
    assert refused(data)[0] == TWICE


def test_colons_in_values_hide_no_duplicate():
    """Names are counted by their colons; a value full of them must not make up for a name that is missing."""
    for value in (":", "\\\":", "a:b:c"):
        for params in (f'"a":"{value}","b" :1,"b":2', f'"b":1,"b":2,"a":"{value}"', f'"b":"{value}","b":"{value}"'):
            assert refused(f'{{"id":1,"method":"m","params":{{{params}}}}}'.encode())[0] == TWICE
        honest = f'{{"id":1,"method":"m","params":{{"a":"{value}","b":1}}}}'
        assert read_request(honest.encode()).params == {"a": json.loads(f'"{value}"'), "b": "1"}


@pytest.mark.parametrize("depth", [30_000, 200_000])  # where the parser gives up differs by interpreter
@pytest.mark.parametrize("place", [b'{"id":1,"method":"ping","params":{"a":%b}}', b'{"id":1,"method":"ping","x":%b}',
                                   b'{"id":%b,"method":"ping"}', b"%b"])
def test_deep_nesting(depth, place):
    assert refused(place % (b"[" * depth + b"]" * depth))[0] == NOT_JSON
