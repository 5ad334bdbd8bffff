"""The replay's parts that need no venue: its signatures, its keys, and how it reads the ledger's delay."""
import asyncio
import hmac
import json
from pathlib import Path

import pytest

from buttonwood.lobster import Action, Step
from buttonwood.replay_proof import lag_ms_max
from buttonwood.replay_venue import (
    ACCOUNTS_MAX,
    keys_of_file,
    keys_of_venue,
    private_config,
    private_keys,
    private_venue,
)
from buttonwood.replay_wire import Key, Requests, lots_of, price_text, ticks_of
from engine.errors import VenueError
from gateway.auth import rest_payload, ws_payload
from gateway.requests import read_request

KEYS = [Key("first", "secret one"), Key("second", "secret two")]
STEPS = [
    Step(Action.PLACE, 1, "1000", 0, True, 58533, 18), Step(Action.TAKE, 2, "x2", 1, False, 5, 300, "1000"),
    Step(Action.REDUCE, 3, "1000", 0, qty_lots=7), Step(Action.CANCEL, 4, "1000", 1)]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.action.value)
def test_requests_are_signed_as_the_venue_reads_them(step: Step):
    requests = Requests("STOCKUSD", KEYS)
    for data in (requests.step(9, step, 1700000000000), requests.status(9, step, 1700000000000)):
        request = read_request(data)
        assert request.id == b"9"
        assert request.params["apiKey"] == KEYS[step.trader].api_key
        secret = KEYS[step.trader].secret.encode()
        assert request.params["signature"] == hmac.digest(secret, ws_payload(request.params), "sha256").hex()


def test_each_step_asks_for_what_it_says():
    read = [read_request(Requests("STOCKUSD", KEYS).step(0, step, 1700000000000)) for step in STEPS]
    assert [request.method for request in read] == [
        "order.place", "order.place", "order.amend.keepPriority", "order.cancel"]
    wanted = [{"side": "BUY", "timeInForce": "GTC", "price": "585.33", "quantity": "18", "newClientOrderId": "1000"},
              {"side": "SELL", "timeInForce": "IOC", "price": "0.05", "quantity": "300", "newClientOrderId": "x2"},
              {"newQty": "7", "origClientOrderId": "1000"}, {"origClientOrderId": "1000"}]
    for request, params in zip(read, wanted, strict=True):
        assert params.items() <= request.params.items()
        assert request.params["symbol"] == "STOCKUSD"


def test_subscriptions_and_queries_are_signed_too():
    requests = Requests("STOCKUSD", KEYS)
    request = read_request(requests.subscribe(1, 1, 1700000000000))
    assert request.params["signature"] == hmac.digest(b"secret two", ws_payload(request.params), "sha256").hex()
    query, headers = requests.query(0, 1700000000000, orderId=5)
    payload, signature = rest_payload(query.encode(), b"")
    assert signature == hmac.digest(b"secret one", payload, "sha256").hex()
    assert headers == {"X-MBX-APIKEY": "first"}
    assert b"orderId=5" in payload


@pytest.mark.parametrize("text", ['A"B', "", "a b", "x" * 129])
def test_symbols_and_keys_that_would_need_escaping_are_refused(text: str):
    with pytest.raises(VenueError, match="letters"):
        Requests(text, KEYS)
    with pytest.raises(VenueError, match="letters"):
        Requests("STOCKUSD", [Key(text, "secret")])


def test_numbers_go_to_texts_and_back():
    for ticks in (1, 9, 10, 99, 100, 58533):
        assert ticks_of(price_text(ticks)) == ticks_of(price_text(ticks) + "000000") == ticks
    assert lots_of("18.00000000") == 18
    for text in ("1.5", "-1", "abc", ""):
        with pytest.raises(VenueError, match=r"tick of 0\.01"):
            lots_of(text)


def test_the_ledgers_delay_is_the_age_of_the_oldest_order_it_lacks():
    ids, times_ms = [10, 20, 30], [1000, 1100, 1200]
    assert lag_ms_max([(1_150_000_000, 10)], ids, times_ms) == 50
    assert lag_ms_max([(1_150_000_000, 9), (1_250_000_000, 19)], ids, times_ms) == 150
    assert lag_ms_max([(9_000_000_000, 30), (9_000_000_000, 31)], ids, times_ms) == 0
    assert lag_ms_max([(900_000_000, 9)], ids, times_ms) == 0
    assert lag_ms_max([(900_000_000, 9)], [], []) == 0


def test_keys_come_from_a_file_or_from_the_venue(tmp_path: Path):
    path = tmp_path / "keys.json"
    path.write_text(json.dumps([{"apiKey": "a", "secret": "b"}]))
    assert keys_of_file(path) == [Key("a", "b")]
    config = private_config(tmp_path / "data")
    keys = private_keys(config, 3)
    assert keys_of_venue(config) == keys
    assert len({key.api_key for key in keys}) == 3


@pytest.mark.parametrize("text", [
    "[]", "{", '[{"apiKey": "a"}]', json.dumps([{"apiKey": "a", "secret": "b"}] * (ACCOUNTS_MAX + 1))])
def test_unusable_key_files_are_refused_by_name(tmp_path: Path, text: str):
    path = tmp_path / "keys.json"
    path.write_text(text)
    with pytest.raises(VenueError, match=r"keys\.json"):
        keys_of_file(path)


def test_a_private_venue_never_takes_over_a_folder_with_data(tmp_path: Path):
    private_keys(private_config(tmp_path), 1)

    async def run() -> None:
        async with private_venue(tmp_path):
            raise AssertionError("it was started")

    with pytest.raises(VenueError, match="new folder"):
        asyncio.run(run())
