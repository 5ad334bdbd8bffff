"""The OpenAPI document: complete, sound, and kept by the venue's answers (every RestClient checks those it gets)."""
import re
from pathlib import Path
from typing import Any, get_args, get_origin

import jsonschema_rs
import msgspec
import pytest

from engine.config import load_config
from gateway import refusals
from gateway.describe import errors, openapi
from gateway.describe.examples import EXAMPLES
from gateway.describe.methods import HTTP_ONLY
from gateway.describe.parameters import PARAMETERS, ROLES, names_of, parameter
from gateway.describe.shapes import structs_in
from gateway.door_client import DoorClient
from gateway.rest.app import App
from gateway.rest.gateway import Gateway
from gateway.rest.market_routes import MARKET_ROUTES
from gateway.rest.routes import ROUTES, Route
from tests.gateway.described import check_answer, check_type
from tests.gateway.rest_kit import RestClient
from tests.gateway.running import Running, limit
from tests.gateway.test_rest import run

ALL_ROUTES = (*ROUTES, *MARKET_ROUTES)
PAGE = openapi.openapi()


def refs_in(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*(refs_in(value) for value in node.values()))
    return set().union(*(refs_in(value) for value in node)) if isinstance(node, list) else set()


def test_every_route_of_the_router_is_described(tmp_path):
    door = DoorClient(tmp_path / "door", calls_max=1, reply_seconds_max=1)
    app = App(Gateway(load_config(None, data_dir=str(tmp_path)), door), 1000)
    served = {(path.decode(), verb) for path, verbs in app.paths.items() for verb in verbs}
    described = {(path, verb.upper()) for path, verbs in PAGE["paths"].items() for verb in verbs}
    assert served == described and len(served) > len(ALL_ROUTES)


def test_references_lead_somewhere():
    refs = refs_in(PAGE)
    for ref in refs:
        node = PAGE
        for part in ref.removeprefix("#/").split("/"):
            node = node[part]
    unused = {f"#/components/schemas/{name}" for name in PAGE["components"]["schemas"]} - refs
    assert not unused, unused


def test_every_schema_is_a_schema():
    for schema in PAGE["components"]["schemas"].values():
        assert jsonschema_rs.meta.is_valid({**schema, "$schema": "https://json-schema.org/draft/2020-12/schema"})
    with pytest.raises(jsonschema_rs.ValidationError):
        check_type("PriceTicker", {"symbol": "BTCUSDT", "price": 1})
    with pytest.raises(jsonschema_rs.ValidationError):
        check_type("PriceTicker", {"symbol": "BTCUSDT", "price": "1", "surprise": 1})


def test_every_refusal_is_described_once_under_its_status():
    listed = {name: (int(status), example["value"]["code"])
              for status, answer in PAGE["components"]["responses"].items()
              for name, example in answer["content"]["application/json"]["examples"].items()}
    assert listed == {name: (terms.status, terms.code) for name, terms in errors.TERMS.items()}
    for status, answer in PAGE["components"]["responses"].items():
        codes = set(answer["content"]["application/json"]["schema"]["properties"]["code"]["enum"])
        assert codes == {code for known, code in listed.values() if known == int(status)}
    for _, (terms, _) in sorted(refusals.REFUSALS_OF_CORE.items()):
        assert terms in errors.TERMS.values()


def test_no_refusal_of_a_client_hides_in_another_module():
    """holds and admin are the operator's; replies makes terms of what the exchange said."""
    allowed = {"refusals.py", "holds.py", "admin.py", "rest/replies.py"}
    folder = Path(refusals.__file__).parent
    found = {str(path.relative_to(folder)) for path in folder.rglob("*.py")
             if re.search(r"(?<![A-Za-z])Terms\(", path.read_text())}
    assert found == allowed


def test_every_parameter_is_explained_and_every_explanation_used():
    used = {name for route in ALL_ROUTES for name, _ in names_of(route.parameters)}
    sessions = {"timestamp", "recvWindow", "signature", "apiKey", "token", "mode", "subscriptionId", "resumeFrom",
                "returnRateLimits"}
    legs = {name for name in used if name not in PARAMETERS}
    assert all(name.startswith(ROLES) for name in legs) and legs
    assert set(PARAMETERS) == (used - legs) | sessions
    with pytest.raises(KeyError):
        parameter("order.place", "surprise")


def test_every_example_of_a_parameter_is_right():
    for name, found in PARAMETERS.items():
        assert jsonschema_rs.is_valid(found.schema, found.example), name


def results(route: Route) -> list[Any]:
    return list(get_args(route.result)) if get_origin(route.result) is not list and get_args(route.result) else [
        route.result]


def test_every_example_decodes_as_its_type():
    shapes = set().union(*(structs_in(route.result) for route in ALL_ROUTES))
    for shape in shapes:
        text = msgspec.json.encode(EXAMPLES[shape])
        assert msgspec.json.encode(msgspec.json.decode(text, type=shape)) == text
        check_type(shape.__name__, msgspec.json.decode(text))
    for route in ALL_ROUTES:
        if any(kind == list[Any] for kind in results(route)):
            continue
        operation = PAGE["paths"][route.path][route.verb.lower()]
        check_answer(route.verb, route.path, 200, {}, operation["responses"]["200"]["content"]["application/json"][
            "example"])


def test_documents_are_served(tmp_path):
    async def story(venue: Running, alice: RestClient, bob: RestClient) -> None:
        assert await alice.ok("GET", openapi.PATH, public=True) == PAGE
    run(tmp_path, story)


# Each of these routes, with parameters that are accepted; the others need Postgres and have tests of their own, where
# their answers are checked in the same way.
PAIR = {"symbol": "BTCUSDT", "side": "SELL", "quantity": "1", "aboveType": "LIMIT_MAKER", "abovePrice": "120",
        "belowType": "STOP_LOSS", "belowStopPrice": "80"}
OLD_PAIR = {"symbol": "BTCUSDT", "side": "SELL", "quantity": "1", "price": "120", "stopPrice": "80"}
WORKING = {"symbol": "BTCUSDT", "workingType": "LIMIT", "workingSide": "BUY", "workingPrice": "50",
           "workingQuantity": "1", "workingTimeInForce": "GTC"}
PENDING = {"pendingType": "LIMIT", "pendingSide": "SELL", "pendingPrice": "150", "pendingQuantity": "1",
           "pendingTimeInForce": "GTC"}
PENDING_PAIR = {"pendingSide": "SELL", "pendingQuantity": "1", **{
    f"pending{name[0].upper()}{name[1:]}": text for name, text in PAIR.items() if name.startswith(("above", "below"))}}
ORDERS = '[{"symbol":"BTCUSDT","side":"BUY","type":"LIMIT","timeInForce":"GTC","price":"60","quantity":"1"},{}]'
MADE_OF_TRADES = {"trades", "myTrades", "allOrders", "ticker/price", *(
    route.path.removeprefix("/api/v3/") for route in MARKET_ROUTES)}


async def place(client: RestClient, **more: Any) -> int:
    return int((await client.ok("POST", "order", **(limit("BUY", "55", "1") | more)))["orderId"])


def test_every_route_answers_as_described(tmp_path):
    async def story(venue: Running, alice: RestClient, bob: RestClient) -> None:
        await bob.ok("POST", "order", **limit("SELL", "100", "2"))
        await alice.ok("POST", "order", **limit("BUY", "100", "1"))
        done: set[tuple[str, str]] = {("POST", "order")}

        async def ok(verb: str, path: str, **params: Any) -> Any:
            done.add((verb, path))
            public = not any(route.signed for route in ALL_ROUTES if route.path.endswith(path))
            return await alice.ok(verb, path, public=public, **params)
        for kind in ("ACK", "RESULT", "FULL"):
            await ok("POST", "order", **limit("BUY", "100", "0.1", newOrderRespType=kind))
        for path in ("ping", "time", "exchangeInfo", "ticker/bookTicker"):
            await ok("GET", path)
        for path in ("depth", "depth/l3"):
            await ok("GET", path, symbol="BTCUSDT")
        for more in ({}, {"computeCommissionRates": "true"}):
            await ok("POST", "order/test", **limit("BUY", "55", "1"), **more)
        await ok("GET", "order", symbol="BTCUSDT", orderId=await place(alice))
        await ok("POST", "order/cancelReplace", **limit("BUY", "56", "1"), cancelReplaceMode="STOP_ON_FAILURE",
                 cancelOrderId=await place(alice))
        status, _, _ = await alice.error("POST", "order/cancelReplace", **limit("BUY", "56", "1"), cancelOrderId=1,
                                         cancelReplaceMode="ALLOW_FAILURE")
        assert status == 409
        await ok("PUT", "order/amend/keepPriority", symbol="BTCUSDT", orderId=await place(alice), newQty="0.5")
        await ok("DELETE", "order", symbol="BTCUSDT", orderId=await place(alice))
        await ok("POST", "orderList/oco", **PAIR, listClientOrderId="first")
        await ok("POST", "order/oco", **OLD_PAIR)
        await ok("POST", "orderList/oto", **WORKING, **PENDING)
        await ok("POST", "orderList/otoco", **WORKING, **PENDING_PAIR)
        await ok("GET", "orderList", origClientOrderId="first")
        for path in ("openOrderList", "allOrderList", "openOrders", "account", "rateLimit/order"):
            await ok("GET", path)
        await ok("DELETE", "orderList", symbol="BTCUSDT", listClientOrderId="first")
        await ok("POST", "openOrders/cancelAllAfter", countdownTime=60_000, symbol="BTCUSDT")
        await ok("POST", "order/batch", orders=ORDERS)
        await ok("DELETE", "order/batch", orders='[{"symbol":"BTCUSDT","orderId":1},{}]')
        key = (await ok("POST", "userDataStream"))["listenKey"]
        await ok("PUT", "userDataStream", listenKey=key)
        await ok("DELETE", "userDataStream", listenKey=key)
        canceled = await ok("DELETE", "openOrders", symbol="BTCUSDT")
        assert {row["type"] for row in canceled} >= {"LIMIT_MAKER", "STOP_LOSS"}   # legs of lists among them
        for path in ("account/commission", "myPreventedMatches", "order/amendments", "myAllocations"):
            await ok("GET", path, symbol="BTCUSDT", **({} if "commission" in path else {"orderId": 1}))
        for route in ALL_ROUTES:
            if route.call in HTTP_ONLY:
                await ok("GET", route.path)
        left = {(route.verb, route.path.removeprefix("/api/v3/")) for route in ALL_ROUTES} - done
        assert {path for _, path in left} == MADE_OF_TRADES
    run(tmp_path, story)
