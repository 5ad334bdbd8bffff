"""The replay's own view of the wire: signed requests as bytes, and the few fields of replies and events it reads.

Requests are put together as text, because the text that is signed and the text that is sent share their parts. Client
order ids, symbols and keys that could need escaping are refused at the start.
"""
import hmac
import re
from typing import Any
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from buttonwood.lobster import TICK_DECIMALS, Action, Step
from engine.core.decimals import parse_decimal
from engine.errors import VenueError

RECV_WINDOW_MS = 50_000     # a pipelined request may wait in buffers
_SAFE = re.compile(r"[A-Za-z0-9._-]{1,128}")


class Key(Struct, rename="camel"):
    """An HMAC key of one account."""

    api_key: str
    secret: str


class Fill(Struct, rename="camel"):
    """One fill of a reply, or one row of myTrades."""

    price: str
    qty: str
    trade_id: int = -1
    id: int = -1
    order_id: int = -1
    is_maker: bool = False


class Result(Struct, rename="camel"):
    """What is read of results of every kind; absent fields keep their defaults."""

    order_id: int = -1
    orig_qty: str = "0"
    executed_qty: str = "0"
    status: str = ""
    last_update_id: int = -1
    transact_time: int = 0
    fills: list[Fill] | None = None


class Problem(Struct):
    """An error reply."""

    code: int
    msg: str


class Reply(Struct):
    """A reply on the order socket."""

    id: int
    status: int
    result: Result | None = None
    error: Problem | None = None


class Report(Struct):
    """What is read of private events."""

    kind: str = msgspec.field(name="e")
    execution: str = msgspec.field(name="x", default="")
    client_id: str = msgspec.field(name="c", default="")
    trade_id: int = msgspec.field(name="t", default=-1)
    is_maker: bool = msgspec.field(name="m", default=False)


class PrivateMessage(Struct):
    """A message of the private socket: an event, or the reply to a subscription."""

    event: Report | None = None
    id: int = -1
    status: int = 0
    error: Problem | None = None


decode_reply = msgspec.json.Decoder(Reply).decode
decode_private = msgspec.json.Decoder(PrivateMessage).decode


def price_text(price_ticks: int) -> str:
    """Dollars and cents."""
    return f"{price_ticks // 10**TICK_DECIMALS}.{price_ticks % 10**TICK_DECIMALS:0{TICK_DECIMALS}}"


def ticks_of(text: str) -> int:
    """Price in ticks of a decimal text. Raises VenueError when it is none in whole ticks."""
    return _whole(text, TICK_DECIMALS)


def lots_of(text: str) -> int:
    """Shares of a decimal text. Raises VenueError when it is none in whole shares."""
    return _whole(text, 0)


def _whole(text: str, places: int) -> int:
    value = parse_decimal(text, places)
    if value < 0:
        raise VenueError(f"the venue says {text}: not a number with at most {places} decimal places; "
                         "replay on an instrument with a tick of 0.01 and lots of 1")
    return value


class Requests:
    """Makes the requests of all traders on one symbol; `number` is the request's id, times are in ms."""

    def __init__(self, symbol: str, keys: list[Key]) -> None:
        for text in (symbol, *(key.api_key for key in keys)):
            if not _SAFE.fullmatch(text):
                raise VenueError(f"{text!r}: symbols and API keys consist of letters, digits, dot, dash and underscore")
        self.symbol = symbol
        self._keys = [(key.api_key, key.secret.encode()) for key in keys]

    def step(self, number: int, step: Step, now_ms: int) -> bytes:
        """The order, cancel or reduction that a step asks for."""
        if step.action is Action.CANCEL:
            return self._of_order("order.cancel", number, step, now_ms)
        if step.action is Action.REDUCE:
            return self._reduce(number, step, now_ms)
        return self._place(number, step, now_ms)

    def status(self, number: int, step: Step, now_ms: int) -> bytes:
        """Asks what became of the order that a step names."""
        return self._of_order("order.status", number, step, now_ms)

    def depth(self, number: int) -> bytes:
        """Asks for the book, for the sake of its update id."""
        return b'{"id":%d,"method":"depth","params":{"symbol":"%b","limit":1}}' % (number, self.symbol.encode())

    def subscribe(self, number: int, trader: int, now_ms: int) -> bytes:
        """Asks for the private events of a trader's account."""
        api_key, secret = self._keys[trader]
        signature = _sign(secret, f"apiKey={api_key}&recvWindow={RECV_WINDOW_MS}&timestamp={now_ms}")
        return (f'{{"id":{number},"method":"userDataStream.subscribe.signature","params":{{"apiKey":"{api_key}",'
                f'"recvWindow":{RECV_WINDOW_MS},"timestamp":{now_ms},"signature":"{signature}"}}}}').encode()

    def query(self, trader: int, now_ms: int, **params: Any) -> tuple[str, dict[str, str]]:
        """(query string, headers) of a signed HTTP request."""
        api_key, secret = self._keys[trader]
        text = urlencode({"symbol": self.symbol, **params, "recvWindow": RECV_WINDOW_MS, "timestamp": now_ms})
        return f"{text}&signature={_sign(secret, text)}", {"X-MBX-APIKEY": api_key}

    # Signed text: the parameters in order of name. JSON: the same with their quotes.

    def _place(self, number: int, step: Step, now_ms: int) -> bytes:
        api_key, secret = self._keys[step.trader]
        side = "BUY" if step.buy else "SELL"
        force = "IOC" if step.action is Action.TAKE else "GTC"
        price = price_text(step.price_ticks)
        signature = _sign(secret, (
            f"apiKey={api_key}&newClientOrderId={step.client_id}&price={price}&quantity={step.qty_lots}"
            f"&recvWindow={RECV_WINDOW_MS}&side={side}&symbol={self.symbol}&timeInForce={force}&timestamp={now_ms}"
            "&type=LIMIT"))
        return (f'{{"id":{number},"method":"order.place","params":{{"apiKey":"{api_key}","newClientOrderId":'
                f'"{step.client_id}","price":"{price}","quantity":"{step.qty_lots}","recvWindow":{RECV_WINDOW_MS},'
                f'"side":"{side}","symbol":"{self.symbol}","timeInForce":"{force}","timestamp":{now_ms},'
                f'"type":"LIMIT","signature":"{signature}"}}}}').encode()

    def _reduce(self, number: int, step: Step, now_ms: int) -> bytes:
        api_key, secret = self._keys[step.trader]
        signature = _sign(secret, (
            f"apiKey={api_key}&newQty={step.qty_lots}&origClientOrderId={step.client_id}&recvWindow={RECV_WINDOW_MS}"
            f"&symbol={self.symbol}&timestamp={now_ms}"))
        return (f'{{"id":{number},"method":"order.amend.keepPriority","params":{{"apiKey":"{api_key}","newQty":'
                f'"{step.qty_lots}","origClientOrderId":"{step.client_id}","recvWindow":{RECV_WINDOW_MS},'
                f'"symbol":"{self.symbol}","timestamp":{now_ms},"signature":"{signature}"}}}}').encode()

    def _of_order(self, method: str, number: int, step: Step, now_ms: int) -> bytes:
        api_key, secret = self._keys[step.trader]
        signature = _sign(secret, (
            f"apiKey={api_key}&origClientOrderId={step.client_id}&recvWindow={RECV_WINDOW_MS}&symbol={self.symbol}"
            f"&timestamp={now_ms}"))
        return (f'{{"id":{number},"method":"{method}","params":{{"apiKey":"{api_key}","origClientOrderId":'
                f'"{step.client_id}","recvWindow":{RECV_WINDOW_MS},"symbol":"{self.symbol}","timestamp":{now_ms},'
                f'"signature":"{signature}"}}}}').encode()


def _sign(secret: bytes, text: str) -> str:
    return hmac.digest(secret, text.encode(), "sha256").hex()
