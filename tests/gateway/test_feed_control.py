"""Control messages: ids come back with their JSON type, and every mistake is named."""
import msgspec
import pytest

from gateway.feed_control import (
    InvalidRequest,
    combined_property,
    decode_request,
    error_json,
    result_json,
    stream_names,
)


@pytest.mark.parametrize("identity", ["1", '"1"', "null", '"d1c3-uuid"', "-7", "123456789012345678901234567890"])
def test_an_id_comes_back_as_it_was_written(identity):
    request = decode_request(b'{"method":"LIST_SUBSCRIPTIONS","id":%b}' % identity.encode())
    assert result_json(request, []) == b'{"result":[],"id":%b}' % identity.encode()


def test_a_missing_id_is_null():
    request = decode_request(b'{"method":"SUBSCRIBE","params":["a@trade","a@trade","b@depth"]}')
    assert stream_names(request) == ["a@trade", "b@depth"]
    assert result_json(request, None) == b'{"result":null,"id":null}'


def refusal(data: bytes) -> dict:
    with pytest.raises(InvalidRequest) as caught:
        request = decode_request(data)
        if request.method in ("SET_PROPERTY", "GET_PROPERTY"):
            combined_property(request)
        else:
            stream_names(request)
    answer = msgspec.json.decode(error_json(caught.value))
    assert answer["error"]["code"] == 2
    assert answer["error"]["msg"].startswith("Invalid request: ")
    return answer


@pytest.mark.parametrize(("data", "identity", "named"), [
    (b"", None, ""),
    (b"hello", None, "malformed"),
    (b'{"method":"SUBSCRIBE"', None, "truncated"),
    (b"[]", None, "object"),
    (b"5", None, "object"),
    (b"{}", None, "method"),
    (b'{"id":3}', 3, "method"),
    (b'{"method":7,"id":"x"}', "x", "method"),
    (b'{"method":"subscribe","id":4}', 4, "unknown variant `subscribe`"),
    (b'{"method":"SUBSCRIBE","id":5}', 5, "params"),
    (b'{"method":"SUBSCRIBE","params":[],"id":5}', 5, "params"),
    (b'{"method":"SUBSCRIBE","params":"a@trade","id":6}', 6, "params"),
    (b'{"method":"SUBSCRIBE","params":[1],"id":6}', 6, "`1`"),
    (b'{"method":"SUBSCRIBE","params":[null],"id":6}', 6, "None"),
    (b'{"method":"SUBSCRIBE","params":["a@trade","A@trade"],"id":6}', 6, "`A@trade`"),
    (b'{"method":"UNSUBSCRIBE","params":["a@kline_7m"],"id":6}', 6, "`a@kline_7m`"),
    (b'{"method":"SUBSCRIBE","params":["a@trade"],"id":1.5}', None, "id"),
    (b'{"method":"SUBSCRIBE","params":["a@trade"],"id":true}', None, "id"),
    (b'{"method":"SUBSCRIBE","params":["a@trade"],"id":{}}', None, "id"),
    (b'{"method":"SET_PROPERTY","params":["combined"],"id":8}', 8, "params"),
    (b'{"method":"SET_PROPERTY","params":["combined",1],"id":8}', 8, "true or false"),
    (b'{"method":"SET_PROPERTY","params":["separate",true],"id":8}', 8, "params"),
    (b'{"method":"GET_PROPERTY","params":[],"id":8}', 8, "params"),
    (b'{"method":"SUBSCRIBE","params":["\\ud800"],"id":9}', None, "malformed"),
    (b'{"method":"SUBSCRIBE","params":' + b"[" * 30_000 + b"]" * 30_000 + b',"id":9}', None, "recursion"),
    (b'{"id":' + b"[" * 30_000 + b"]" * 30_000 + b'}', None, "id"),
])
def test_a_bad_request_is_answered_with_its_id_and_its_mistake(data, identity, named):
    answer = refusal(data)
    assert answer["id"] == identity
    assert named in answer["error"]["msg"]


def test_a_long_text_of_the_client_is_not_sent_back_whole():
    assert len(refusal(b'{"method":"' + b"x" * 5000 + b'"}')["error"]["msg"]) < 300
    assert len(refusal(b'{"method":"SUBSCRIBE","params":["' + b"x" * 5000 + b'"]}')["error"]["msg"]) < 300


def test_the_combined_property():
    assert combined_property(decode_request(b'{"method":"SET_PROPERTY","params":["combined",true]}')) is True
    assert combined_property(decode_request(b'{"method":"SET_PROPERTY","params":["combined",false]}')) is False
    assert combined_property(decode_request(b'{"method":"GET_PROPERTY","params":["combined"]}')) is None
