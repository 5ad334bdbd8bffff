"""Signed requests: what exactly is signed over REST and over WebSocket, when a request is too old, and whose it is.

Refused, looked at in this order: -2014 (no usable key name), -1102 (signature or timestamp missing), -1100 (not a
number), -1131 (recvWindow above 60000), -1021 (too old or in the future), -2015 (no such key), -1022 (bad signature).
Times are microseconds; the caller says what time it is.
"""
import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from msgspec import Raw

from gateway.keys import Key, KeyStore
from gateway.refusals import (
    AHEAD_OF_SERVER,
    BAD_API_KEY,
    BAD_RECV_WINDOW,
    ILLEGAL_CHARACTERS,
    INVALID_JSON,
    INVALID_SIGNATURE,
    MANDATORY,
    OUTSIDE_RECV_WINDOW,
    REJECTED_API_KEY,
    Refusal,
)
from gateway.tokens import make_token, read_token

__all__ = [
    "authenticate", "check_timing", "make_token", "parameter_text", "read_token", "rest_payload", "sign", "ws_payload"]

AHEAD_US_MAX = 1_000_000
RECV_WINDOW_US = 5_000_000
RECV_WINDOW_US_MAX = 60_000_000
MICROSECONDS_FROM = 10**14   # a timestamp this great is in microseconds: as milliseconds it would be the year 5138
_API_KEY = re.compile(r"[A-Za-z0-9_-]{1,128}")
_TIMESTAMP = re.compile(r"[0-9]{1,20}")
_RECV_WINDOW = re.compile(r"([0-9]{1,20})(?:\.([0-9]{1,3}))?")
_unquote = msgspec.json.Decoder(str).decode


def authenticate(
        keys: KeyStore, api_key: str | None, payload: bytes, signature: str | None,
        timestamp: str | None, recv_window: str | None, now_us: int) -> Key:
    """The key that signed this request. Raises Refusal, see the module's text."""
    if not api_key or not _API_KEY.fullmatch(api_key):
        raise Refusal(BAD_API_KEY)
    if not signature:
        raise Refusal(MANDATORY, "signature")
    check_timing(timestamp, recv_window, now_us)
    key = named_key(keys, api_key)
    if not key.verify(payload, signature):
        raise Refusal(INVALID_SIGNATURE)
    return key


def named_key(keys: KeyStore, api_key: str | None) -> Key:
    """The key of that name, for requests that need no signature. Raises Refusal."""
    if not api_key or not _API_KEY.fullmatch(api_key):
        raise Refusal(BAD_API_KEY)
    key = keys.find(api_key)
    if key is None:
        raise Refusal(REJECTED_API_KEY)
    return key


def check_timing(timestamp: str | None, recv_window: str | None, now_us: int) -> None:
    """Refuse what is older than recvWindow or a second ahead. `timestamp` in ms or us, `recv_window` in ms."""
    if not timestamp:
        raise Refusal(MANDATORY, "timestamp")
    if not _TIMESTAMP.fullmatch(timestamp):
        raise Refusal(ILLEGAL_CHARACTERS, "timestamp", "^[0-9]{1,20}$")
    time_us = int(timestamp) if int(timestamp) >= MICROSECONDS_FROM else 1000 * int(timestamp)
    window_us = _recv_window_us(recv_window)
    if time_us >= now_us + AHEAD_US_MAX:
        raise Refusal(AHEAD_OF_SERVER)
    if now_us - time_us > window_us:
        raise Refusal(OUTSIDE_RECV_WINDOW)


def rest_payload(query: bytes, body: bytes) -> tuple[bytes, str | None]:
    """(signed bytes, signature) of an HTTP request, from the bytes as they came.

    Signed is the query without its signature parameter, then the body without it, with nothing in between.
    """
    query, first = _without_signature(query)
    body, second = _without_signature(body)
    found = first if first is not None else second
    if found is None:
        return query + body, None
    return query + body, unquote_to_bytes(found).decode("latin-1")


def ws_payload(params: Mapping[str, Raw | str]) -> bytes:
    """The signed bytes of a WebSocket request: all parameters but the signature, sorted by name, as name=value&...

    Values are JSON (decode params as dict[str, msgspec.Raw]) or texts already. Raises Refusal -1135 for broken JSON.
    """
    return "&".join(
        f"{name}={parameter_text(params[name])}" for name in sorted(params) if name != "signature").encode()


def parameter_text(value: Raw | str) -> str:
    """The text of one value as it is signed: strings without quotes, all other JSON as written (10000, 1.50, false)."""
    if isinstance(value, str):
        return value
    data = bytes(value)
    try:
        return _unquote(data) if data[:1] == b'"' else data.decode()
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Refusal(INVALID_JSON) from None


def sign(secret: str, payload: bytes) -> str:
    """A client's signature: base64 if `secret` is an Ed25519 or RSA private key in PEM, else HMAC-SHA256 in hex."""
    if not secret.startswith("-----BEGIN"):
        return hmac.new(secret.encode(), payload, hashlib.sha256).hexdigest()
    key = load_pem_private_key(secret.encode(), None)
    if isinstance(key, RSAPrivateKey):
        return base64.b64encode(key.sign(payload, PKCS1v15(), SHA256())).decode()
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("the private key is neither an Ed25519 nor an RSA key")
    return base64.b64encode(key.sign(payload)).decode()


def _recv_window_us(text: str | None) -> int:
    if not text:
        return RECV_WINDOW_US
    match = _RECV_WINDOW.fullmatch(text)
    if not match:
        raise Refusal(ILLEGAL_CHARACTERS, "recvWindow", "^[0-9]{1,20}(\\.[0-9]{1,3})?$")
    window_us = 1000 * int(match[1]) + int((match[2] or "").ljust(3, "0"))
    if window_us > RECV_WINDOW_US_MAX:
        raise Refusal(BAD_RECV_WINDOW)
    return window_us


def _without_signature(data: bytes) -> tuple[bytes, bytes | None]:
    if b"signature=" not in data:
        return data, None
    head, last, value = data.rpartition(b"&signature=")
    if last and b"&" not in value and b"signature=" not in head:   # as clients send it
        return head, value
    found = None
    kept = []
    for part in data.split(b"&"):
        if part.startswith(b"signature="):
            found = part[10:] if found is None else found
        else:
            kept.append(part)
    return b"&".join(kept), found
