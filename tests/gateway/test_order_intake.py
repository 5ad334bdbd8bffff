"""The native way of orders against its slow twin, the general path: the same command, the same reply, byte for byte.

Whatever the native way takes, the general path must take and read the same; what it leaves, it must leave untouched.
"""
import hmac
import itertools
import json
import random
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from engine.core.batch import Batch
from engine.core.exchange import Exchange
from engine.core.unpack import unpack_events
from engine.instruments import Catalog
from gateway.answers import AnswerWriter, Desk
from gateway.auth import authenticate, check_timing
from gateway.frames import text_frame
from gateway.keys import KeyStore, make_key
from gateway.order_intake import OrderIntake
from gateway.order_lists import OrderLists
from gateway.order_replies import EXPIRY_REASONS
from gateway.order_store import OrderStore
from gateway.orders import OrderDesk
from gateway.protocol import reply
from gateway.refusals import Refusal
from gateway.requests import read_request, signed_payload
from gateway.user_events import UserStreams
from gateway.venue import Tag

ALICE, BOB = 2, 3
MADE_BY_US = "made-by-us"
DIRECT_BYTES_MAX = 64 * 1024
SYMBOLS = {   # scale of base, scale of quote, lot, tick
    "BTCUSDT": (8, 8, 10_000, 100), "ABCUSD": (4, 5, 10, 1), "BIGTOK": (0, 12, 1, 10**12), "EURUSD": (2, 2, 1, 1)}


class House:
    """One core and both ways into it; ALICE is logged on, both have HMAC keys."""

    def __init__(self, folder: Path, unit_ns: int = 1_000_000, show_limits: bool = True) -> None:
        self.unit_ns, self.show_limits = unit_ns, show_limits
        self.keys = {account: make_key(folder / "keys.json", account) for account in (ALICE, BOB)}
        self.key_store = KeyStore(folder / "keys.json", 1000.0)
        self.core, self.batch, self.twin_batch = Exchange(), Batch(), Batch()
        self._furnish()
        catalog, streams = Catalog.of(self.core), UserStreams()
        self.store = OrderStore(1000)
        lists = OrderLists(self.store, 10, streams.list_changed)
        self.desk = OrderDesk(self.core, catalog, self.store, lists, streams)
        self.desk.new_id = lambda: MADE_BY_US
        self.answers: list[Any] = []
        self.intake = OrderIntake(
            Desk(catalog, self.store, streams, Tag, EXPIRY_REASONS), self.batch, SimpleNamespace(orders_refused=False),
            self.key_store, lambda: MADE_BY_US, self.answers.append)
        self.intake.opened(unit_ns, show_limits)
        self.intake.logged_on(ALICE, self.keys[ALICE].api_key)
        self.writer = AnswerWriter()

    def _furnish(self) -> None:
        for number, (symbol, terms) in enumerate(SYMBOLS.items()):
            base, quote = 2 * number + 1, 2 * number + 2
            self.batch.asset(base, terms[0], symbol[:3])
            self.batch.asset(quote, terms[1], symbol[3:] + str(number))
            self.batch.instrument(number + 1, text=symbol, base_asset=base, quote_asset=quote, lot_value=terms[2],
                                  tick_value=terms[3], max_lots=10**7, taker_fee_ppm=1000, maker_fee_ppm=500)
            for account in (ALICE, BOB):
                self.batch.account(account)
                self.batch.credit(account, base, 10**15)
                self.batch.credit(account, quote, 10**18)
        self._apply(self.batch)

    def _apply(self, batch: Batch) -> list[Any]:
        batch.stamp(self.core.seq + 1, 1_700_000_000_123_456_789 + self.core.seq)
        return unpack_events(self.core.apply(batch))

    def take(self, data: bytes) -> bool:
        """Read the message both ways and compare; what became a command is carried out and answered."""
        self.batch.clear()
        self.answers.clear()
        self.intake.read_end()
        if not self.intake.take(data):
            assert len(self.batch) == 0 and not self.answers, data
            return False
        request_id, finish = self._general(data)
        assert bytes(self.batch) == bytes(self.twin_batch), data
        events = self._apply(self.batch)
        self.store.apply(events)
        self._compare(request_id, finish, events)
        return True

    def _general(self, data: bytes) -> tuple[bytes, Any]:
        request, now_us = read_request(data), time.time_ns() // 1000
        params = request.params
        if "apiKey" in params:
            account = authenticate(
                self.key_store, params["apiKey"], signed_payload(params), params.get("signature"),
                params.get("timestamp"), params.get("recvWindow"), now_us).account
        else:
            check_timing(params.get("timestamp"), params.get("recvWindow"), now_us)
            account = ALICE
        self.twin_batch.clear()
        method = {"order.place": self.desk.place, "order.cancel": self.desk.cancel}[request.method]
        return request.id, method(self.twin_batch, account, params, self.unit_ns)

    def _compare(self, request_id: bytes, finish: Any, events: list[Any]) -> None:
        answer = self.answers[0]
        assert answer.tag == Tag(request_id, self.show_limits)
        index, begin = self.writer.write(self.answers, 0, events, 0)
        try:
            body = finish(events)
        except Refusal as refusal:
            assert (index, begin, self.writer.taken()) == (0, 0, b"")
            with pytest.raises(Refusal) as caught:
                answer.body(events)
            assert caught.value.body() == refusal.body()
            return
        self.frame, self.native = text_frame(reply(request_id, body, self.show_limits)), len(body) <= DIRECT_BYTES_MAX
        written = (1, len(events), self.frame) if self.native else (0, 0, b"")
        assert (index, begin, self.writer.taken()) == written
        assert answer.body(events) == body


def order(**changes: Any) -> dict[str, Any]:
    params = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "price": "50000.00",
              "quantity": "0.0010", "timestamp": int(time.time() * 1000), "recvWindow": 60000, **changes}
    return {name: value for name, value in params.items() if value is not None}


def message(params: dict[str, Any], method: str = "order.place", number: Any = 1, **style: Any) -> bytes:
    return json.dumps({"id": number, "method": method, "params": params}, **style).encode()


def signed(key: Any, params: dict[str, Any]) -> dict[str, Any]:
    params = params | {"apiKey": key.api_key}
    payload = "&".join(f"{name}={params[name]}" for name in sorted(params))
    return params | {"signature": hmac.digest(key.secret.encode(), payload.encode(), "sha256").hex()}


def cancel(**changes: Any) -> dict[str, Any]:
    usual = {"side": None, "type": None, "timeInForce": None, "price": None, "quantity": None}
    return order(**usual | changes)


def test_ordinary_requests_are_taken(tmp_path):
    house = House(tmp_path)
    for style in ({}, {"separators": (",", ":")}, {"indent": 1}):
        assert house.take(message(order(), **style))
        assert house.take(message(signed(house.keys[BOB], order(side="SELL", newClientOrderId="b")), **style))
        assert house.take(message(order(price=50000.25, quantity=1, newOrderRespType="RESULT"), number="x-1", **style))
        assert house.take(message(order(type="LIMIT_MAKER", timeInForce=None, price="1", side="BUY"), **style))
        assert house.take(message(order(type="MARKET", timeInForce=None, price=None), **style))
        assert house.take(message(order(timeInForce="IOC", selfTradePreventionMode="NONE"), **style))
        assert house.take(message(order(timeInForce="FOK", quantity="100"), **style))
    assert house.take(message(order(newClientOrderId="mine", price="1"), number="q"))
    assert house.take(message(cancel(origClientOrderId="mine", newClientOrderId="bye"), "order.cancel"))
    assert house.take(message(cancel(origClientOrderId="mine"), "order.cancel"))     # refused by the core
    for open_order in [found for found in house.store.open.values() if found.account == ALICE]:
        assert house.take(message(cancel(orderId=open_order.id), "order.cancel"))


LEFT = {
    "bad signature": {"apiKey": "x", "signature": "y"}, "late": {"timestamp": 1}, "early": {"timestamp": 10**18},
    "no time": {"timestamp": None}, "window": {"recvWindow": 60001}, "window fraction": {"recvWindow": "10.5"},
    "unknown parameter": {"strategyId": 1}, "null": {"symbol": "BTCUSDT", "newClientOrderId": ""},
    "unknown symbol": {"symbol": "NOPE"}, "side": {"side": "buy"}, "type": {"type": "STOP_LOSS"},
    "tif of maker": {"type": "LIMIT_MAKER"}, "price of market": {"type": "MARKET", "timeInForce": None},
    "no tif": {"timeInForce": None}, "tif": {"timeInForce": "DAY"}, "price step": {"price": "1.001"},
    "price 0": {"price": "0"}, "sign": {"price": "-1"}, "exponent": {"price": "1e3"}, "lots": {"quantity": "0.00001"},
    "too many": {"quantity": "99999"}, "digits": {"price": "00000050000"}, "places": {"price": "1.000000000"},
    "id": {"newClientOrderId": "a b"}, "long id": {"newClientOrderId": "a" * 37}, "detail": {"newOrderRespType": "ALL"},
    "stp": {"selfTradePreventionMode": "EXPIRE_MAKER"}, "order id": {"orderId": 1}, "amount": {"quoteOrderQty": "5"},
    "true": {"price": True}, "text": {"symbol": "BTC\\u0055SDT"},
}


@pytest.mark.parametrize("changes", LEFT.values(), ids=LEFT.keys())
def test_what_is_not_plain_is_left(changes, tmp_path):
    assert not House(tmp_path).take(message(order(**changes)))


def test_answers_of_every_length(tmp_path):
    """Hundreds of fills: frames with either head, the longer also written natively, and answers too long for that."""
    house, heads = House(tmp_path), set()
    for fills, name in itertools.product((0, 300, *range(576, 586)), range(1, 37, 5)):
        house.batch.clear()
        for number in range(fills):
            house.batch.place(BOB, 1, 1, 0, 0, 10**6, 1, 0, b"maker-%d" % number)
        house.store.apply(house._apply(house.batch))
        taker = order(timeInForce="IOC", quantity=max(fills, 1) / 10**4, newClientOrderId="t" * name)
        assert house.take(message(taker))
        heads.add((house.frame[1], house.native))
    assert heads == {(126, True), (127, True), (127, False)}


def test_nobody_logged_on_or_no_room_for_orders(tmp_path):
    house = House(tmp_path)
    house.intake.logged_off()
    assert not house.take(message(order()))
    assert house.take(message(signed(house.keys[ALICE], order(newClientOrderId="a"))))


POOL: dict[str, tuple[Any, ...]] = {
    "symbol": (*SYMBOLS, *SYMBOLS, "NOPE", ""),
    "side": ("BUY", "SELL", "BUY", "SELL", "buy", None),
    "type": ("LIMIT", "LIMIT", "LIMIT", "LIMIT_MAKER", "MARKET", "MARKET", "STOP_LOSS"),
    "timeInForce": ("GTC", "GTC", "GTC", "IOC", "FOK", None, None, "DAY"),
    "price": (None, "1", "1.01", "0.99", 1.02, 2, "1.00000000", "0.5", "1.0000000", "10", ".5", "5.", "1e1", -1, 1.005),
    "quantity": ("1", "2", 1, 3, "0.5", "1.0010", "5000", "10.00000000", None, "0", 0, "9999999999", 0.001),
    "newClientOrderId": (None, None, "a", "b", "c" * 36, "d" * 37, "é", "x y"),
    "newOrderRespType": (None, "ACK", "RESULT", "FULL", "FULL", "NO"),
    "quoteOrderQty": (None,) * 12 + ("5",), "recvWindow": (None, 60000, "60000", 5000, 60001),
    "orderId": (None,) * 12 + (1,), "returnRateLimits": (None,) * 20 + (False,), "stopPrice": (None,) * 20 + ("1",),
    "selfTradePreventionMode": (None,) * 8 + ("NONE", "EXPIRE_BOTH"),
}


@pytest.mark.parametrize("seed", range(4))
def test_random_flow_agrees_with_the_general_path(seed, tmp_path):
    """All kinds of orders and cancels in four instruments, one journal: each frame of the native way is compared."""
    choose = random.Random(seed)
    house = House(tmp_path, 1000 if seed % 2 else 1_000_000, seed < 2)
    taken = 0
    for number in range(4000):
        target = choose.choice(list(house.store.open.values()) or [None])
        if target is not None and choose.random() < 0.2:
            params, method = some_cancel(choose, target), "order.cancel"
        else:
            params, method = some_order(choose), "order.place"
        if choose.random() < 0.4:
            params = signed(house.keys[choose.choice((ALICE, BOB, BOB))], params)
        taken += house.take(message(params, method, number))
    house.core.check()
    assert 1500 < taken < 3500
    assert {found.status for found in house.store.closed.values()} == {"FILLED", "CANCELED", "EXPIRED"}


def some_order(choose: random.Random) -> dict[str, Any]:
    """A good one in which nothing to three things are changed."""
    kind = choose.choice(({}, {}, {"timeInForce": "IOC"}, {"timeInForce": "FOK"}, {"timeInForce": None, "price": None,
                          "type": "MARKET"}, {"timeInForce": None, "type": "LIMIT_MAKER"}))
    usual = {"symbol": choose.choice([*SYMBOLS]), "side": choose.choice(("BUY", "SELL")),
             "quantity": choose.randint(1, 9), "price": choose.randint(95, 105),
             "newOrderRespType": choose.choice((None, "ACK", "RESULT", "FULL"))}
    changed = choose.sample([*POOL], choose.choice((0, 0, 1, 1, 2, 3)))
    return order(**usual | kind | {name: choose.choice(POOL[name]) for name in changed})


def some_cancel(choose: random.Random, target: Any) -> dict[str, Any]:
    """Of this order by id or by name, perhaps for the wrong account."""
    which = choose.choice(({"orderId": target.id}, {"origClientOrderId": target.text}))
    return cancel(symbol=[*SYMBOLS][target.instrument - 1], newClientOrderId=choose.choice((None, "bye")), **which)


@pytest.mark.parametrize("seed", range(4))
def test_mutated_messages_crash_nothing_and_are_never_read_otherwise(seed, tmp_path):
    """100,000 messages with bytes changed, dropped, doubled and moved; those still taken must mean the same to both."""
    choose = random.Random(100 + seed)
    house = House(tmp_path)
    plain = [message(order(price="1", newClientOrderId="abc"), separators=(",", ":")), message(order(price=1.5)),
             message(order(price=None, timeInForce=None, type="MARKET", side="SELL")),
             message(cancel(origClientOrderId="abc", newClientOrderId="n"), "order.cancel"),
             message(order(type="LIMIT_MAKER", timeInForce=None, price="0.01"), number="an id", indent=1)]
    letters = b'{}[]",:\\ \n\t0123456789.-+eEuntrfalsBUYSELMAKTG\x00\x7f\x80\xff\xc3\xa9'
    taken = 0
    for _ in range(100_000):
        data = bytearray(choose.choice(plain))
        for _ in range(choose.choice((1, 1, 1, 2, 4))):
            begin = choose.randrange(len(data))
            end = min(len(data), begin + choose.choice((0, 1, 1, 1, 2, 20)))
            data[begin:end] = choose.choice((b"", bytes((choose.choice(letters),)), bytes(data[begin:end] * 2)))
        taken += house.take(bytes(data))
    assert 1000 < taken < 90_000
    house.core.check()
