"""What fuzzing begins with: good inputs of each target, and words that are worth putting into others."""
import json
from typing import Any

from gateway.describe.asyncapi import asyncapi
from gateway.describe.openapi import openapi
from tests.fuzz.targets import NOW
from tests.gateway.raw_websocket import BINARY, CLOSE, CONT, PING, PONG, TEXT, frame

_ORDER = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "price": "50000.00",
          "quantity": "0.0010", "timestamp": int(NOW), "recvWindow": 60000}


def _text(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def _order(method: str = "order.place", **changes: Any) -> bytes:
    params = {name: value for name, value in (_ORDER | changes).items() if value is not None}
    return _text({"id": 1, "method": method, "params": params})


def _examples(*channels: str) -> list[bytes]:
    page = asyncapi()["channels"]
    shown = [message["examples"][0]["payload"] for channel in channels
             for message in page[channel]["messages"].values() if "examples" in message]
    return [_text(example) for example in shown if "method" in example]


def _forms() -> list[bytes]:
    found = []
    for verbs in openapi()["paths"].values():
        for operation in verbs.values():
            rows = [row for row in operation.get("parameters", ()) if row.get("required")]
            form = "&".join(f"{row['name']}={row['example']}" for row in rows).encode()
            found += [form, b"\n" + form, form + b"&signature=%41b\nprice=1&symbol=X"]
    return found


def seeds() -> dict[str, list[bytes]]:
    """Good inputs by target."""
    hello = b'{"id":1,"method":"ping"}'
    cancel = {"side": None, "type": None, "timeInForce": None, "price": None, "quantity": None}
    return {
        "frames": [bytes([cut]) + joined for cut in range(3) for joined in (
            frame(TEXT, hello), frame(TEXT, b"a" * 130, fin=False) + frame(PING, b"x") + frame(CONT, b"b" * 170),
            frame(PONG, b""), frame(CLOSE, (1000).to_bytes(2, "big") + "bye €".encode()), frame(BINARY, b"x"),
            frame(TEXT, b"\xff"), frame(TEXT, b"x" * 300), frame(TEXT, b"", claimed=2**62))],
        "orders": [
            _order(), _order(type="MARKET", price=None, timeInForce=None), _order(newOrderRespType="ACK", side="SELL"),
            _order(type="LIMIT_MAKER", timeInForce=None, newClientOrderId="a-b"), _order(timeInForce="IOC", price="1"),
            _order("order.cancel", origClientOrderId="made-by-us", **cancel),
            _order("order.cancel", orderId=1, **cancel),
            _order(selfTradePreventionMode="EXPIRE_MAKER", symbol="EURUSD", price=100.25, quantity=3)],
        "requests": _examples("orders"),
        "control": [*_examples("raw"), b"/ws/btcusdt@trade/btcusdt@kline_1m", b"/stream?streams=btcusdt@depth@100ms/x",
                    b"/stream/ws/%62tcusdt@trade", b"/ws/" + b"0" * 64],
        "forms": _forms(),
    }


def words() -> list[bytes]:
    """Names and pieces that inputs are made of."""
    texts = set(_ORDER) | {
        "id", "method", "params", "order.place", "order.cancel", "SUBSCRIBE", "signature", "apiKey", "orderId", "null",
        "true", "1e5", "-0", '"', "\\u0000", "\\ud800", "{}", "[]", "[[[[", "0.00000001", "99999999999999999999", "%",
        "%00", "%ff", "&", "=", "+", "@depth@100ms", "/", "MARKET", "LIMIT", "BUY", "SELL", "1.", ".5", "\xef\xbb\xbf"}
    return [*sorted(text.encode("latin-1") for text in texts), NOW, b"\x81\xfe", b"\x01\x80", b"\x88\x82",
            b"\xed\xa0\x80"]
