"""Signatures, timing and tokens: the published test vectors, then what must be refused and with which code."""
import base64
import hmac
import time
from pathlib import Path

import jwt
import msgspec
import pytest
from msgspec import Raw

from engine.config import load_config
from gateway.auth import authenticate, check_timing, make_token, read_token, rest_payload, sign, ws_payload
from gateway.keys import KeyRecord, KeyStore, add_keys, make_key
from gateway.refusals import Refusal

API_KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
REST = b"symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559"
REST_SIGNATURE = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
WS_SIGNATURE = "aa1b5712c094bc4e57c05a1a5c1fd8d88dcd628338ea863fec7b88e59fe2db24"
NOW_US = 1_499_827_319_559_000


@pytest.fixture
def keys(tmp_path: Path) -> KeyStore:
    add_keys(tmp_path / "keys.json", [KeyRecord(api_key=API_KEY, kind="hmac", account=7, secret=SECRET)])
    return KeyStore(tmp_path / "keys.json")


def refused(code: int, msg: str | None = None):
    return pytest.raises(Refusal, match=f"^{code} " + (msg or ""))


def check(keys: KeyStore, **changed: str | bytes | None):
    given = {"api_key": API_KEY, "payload": REST, "signature": REST_SIGNATURE, "timestamp": "1499827319559",
             "recv_window": "5000", "now_us": NOW_US, **changed}
    return authenticate(keys, **given)


def test_rest_vector(keys):
    assert sign(SECRET, REST) == REST_SIGNATURE
    assert check(keys).account == 7
    assert check(keys, signature=REST_SIGNATURE.upper()).account == 7


@pytest.mark.parametrize(("query", "body"), [
    (REST + b"&signature=" + REST_SIGNATURE.encode(), b""),
    (b"", REST + b"&signature=" + REST_SIGNATURE.encode()),
    (b"signature=" + REST_SIGNATURE.encode() + b"&" + REST, b""),
    (REST, b"signature=" + REST_SIGNATURE.encode()),
    (REST[:40] + b"&signature=" + REST_SIGNATURE.encode(), REST[40:]),
])
def test_signature_may_stand_anywhere(keys, query, body):
    payload, signature = rest_payload(query, body)
    assert (payload, signature) == (REST, REST_SIGNATURE)


def test_rest_payload_is_the_bytes_as_received():
    query = b"symbol=%EF%BC%91&a=b%20c+d&&x"
    assert rest_payload(query, b"q=\xff") == (query + b"q=\xff", None)
    assert rest_payload(b"signature=a%2Fb%3D&x=1", b"")[1] == "a/b="
    assert rest_payload(b"signature=first&x=1", b"signature=second")[1] == "first"
    assert rest_payload(b"my_signature=1", b"") == (b"my_signature=1", None)


def test_ws_vector():
    params = (
        b'{"symbol":"BTCUSDT","side":"SELL","type":"LIMIT","timeInForce":"GTC","quantity":"0.01000000",'
        b'"price":"52000.00","recvWindow":100,"timestamp":1645423376532,"signature":"x",'
        b'"apiKey":"%b"}' % API_KEY.encode())
    payload = ws_payload(msgspec.json.decode(params, type=dict[str, Raw]))
    assert payload.startswith(b"apiKey=%b&price=52000.00&quantity=0.01000000&" % API_KEY.encode())
    assert sign(SECRET, payload) == WS_SIGNATURE


def test_ws_values_keep_their_text():
    params = b'{"z" : 10000, "a":1.50, "b": false,"c":true,' + \
        b'"d":1e3,"e":"\\u0041/\\"","f":[1, 2],"g":null,"h":12345678901234567890}'
    payload = ws_payload(msgspec.json.decode(params, type=dict[str, Raw]))
    assert payload == b'a=1.50&b=false&c=true&d=1e3&e=A/"&f=[1, 2]&g=null&h=12345678901234567890&z=10000'


@pytest.mark.parametrize("value", [b'"\\ud800"', b'"\\x"', b'"\xff"'])
def test_ws_text_that_is_no_text(value):
    with refused(-1135):
        ws_payload({"a": Raw(value)})


@pytest.mark.parametrize(("changed", "code"), [
    ({"api_key": None}, -2014), ({"api_key": ""}, -2014), ({"api_key": "a b"}, -2014), ({"api_key": "x" * 129}, -2014),
    ({"api_key": API_KEY + "\n"}, -2014), ({"api_key": "é"}, -2014),
    ({"api_key": "x" * 64}, -2015), ({"api_key": API_KEY.lower()}, -2015),
    ({"signature": None}, -1102), ({"signature": ""}, -1102),
    ({"signature": REST_SIGNATURE[:-1]}, -1022), ({"signature": "0" * 64}, -1022), ({"signature": "é" * 64}, -1022),
    ({"signature": REST_SIGNATURE + " "}, -1022), ({"payload": REST + b"&"}, -1022), ({"payload": b""}, -1022),
    ({"timestamp": None}, -1102), ({"timestamp": ""}, -1102),
    ({"timestamp": "-1"}, -1100), ({"timestamp": "1e12"}, -1100), ({"timestamp": "1499827319559 "}, -1100),
    ({"timestamp": "１"}, -1100), ({"timestamp": "9" * 21}, -1100), ({"timestamp": "9" * 20}, -1021),
    ({"timestamp": "0"}, -1021),
    ({"recv_window": "60000.001"}, -1131), ({"recv_window": "60001"}, -1131), ({"recv_window": "9" * 20}, -1131),
    ({"recv_window": "-1"}, -1100), ({"recv_window": "1.2345"}, -1100), ({"recv_window": "."}, -1100),
    ({"recv_window": "5000\n"}, -1100), ({"recv_window": "NaN"}, -1100),
])
def test_refused(keys, changed, code):
    with refused(code):
        check(keys, **changed)


def test_status_of_refusals(keys):
    for changed, status in (({"api_key": None}, 401), ({"api_key": "x"}, 401), ({"signature": "0"}, 400)):
        with pytest.raises(Refusal) as caught:
            check(keys, **changed)
        assert caught.value.status == status


@pytest.mark.parametrize(("age_us", "window", "good"), [
    (0, None, True), (5_000_000, None, True), (5_001_000, None, False),
    (-999_000, None, True), (-1_000_000, None, False),
    (60_000_000, "60000", True), (60_001_000, "60000", False), (1_000, "0", False), (0, "0", True), (0, "", True),
    (1_000, "0.999", False), (1_000, "1.0", True), (1_000, "1", True),
])
def test_receive_window(age_us, window, good):
    timestamps = [str((NOW_US - age_us) // 1000), str(NOW_US - age_us)]
    for timestamp in timestamps:
        if good:
            check_timing(timestamp, window, NOW_US)
        else:
            with refused(-1021, "Timestamp for this request "):
                check_timing(timestamp, window, NOW_US)


def test_timing_texts():
    with refused(-1021, r"Timestamp for this request is outside of the recvWindow\.$"):
        check_timing("1499827310000", None, NOW_US)
    with refused(-1021, r"Timestamp for this request was 1000ms ahead of the server's time\.$"):
        check_timing("1499827320559", None, NOW_US)


def test_ed25519(tmp_path):
    new = make_key(tmp_path / "keys.json", 9, "ed25519", "maker")
    store = KeyStore(tmp_path / "keys.json")
    signature = sign(new.secret, REST)
    assert check(store, api_key=new.api_key, signature=signature).account == 9
    zeros, digest = base64.b64encode(bytes(64)).decode(), hmac.digest(b"", REST, "sha256").hex()
    for wrong in (signature.swapcase(), zeros, signature[:-4], signature + "\n", "é", digest):
        with refused(-1022):
            check(store, api_key=new.api_key, signature=wrong)


def test_tokens(tmp_path):
    config = load_config(data_dir=str(tmp_path))
    token = make_token(config, 5, 60)
    assert read_token(config, token) == 5
    assert config.paths.token_secret.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["token_secret"]
    secret = config.paths.token_secret.read_text()
    now = int(time.time())
    claims = {"iss": "buttonwood", "sub": "5", "iat": now, "exp": now + 60}
    assert read_token(config, jwt.encode(claims, secret, "HS256")) == 5
    bad = [
        token[:-2], token + "x", "", "a.b.c", "x" * 5000,
        jwt.encode({**claims, "exp": now - 1}, secret, "HS256"),
        jwt.encode({**claims, "iss": "other"}, secret, "HS256"),
        jwt.encode({**claims, "sub": "x"}, secret, "HS256"),
        jwt.encode({key: claims[key] for key in ("iss", "sub", "iat")}, secret, "HS256"),
        jwt.encode(claims, "y" * 64, "HS256"), jwt.encode(claims, None, "none"), jwt.encode(claims, "z" * 64, "HS512"),
    ]
    for wrong in bad:
        with refused(-2015):
            read_token(config, wrong)
    for ttl in (0, -1, 31 * 86400):
        with pytest.raises(ValueError, match="ttl_seconds"):
            make_token(config, 5, ttl)
