"""The table of the WebSocket API's methods: those that are routes of the HTTP interface, and those of sessions."""
from typing import Any, NamedTuple

from gateway.protocol import SessionState
from gateway.rest.market_routes import MARKET_ROUTES
from gateway.rest.routes import ROUTES
from gateway.small_shapes import DisconnectMode, Empty, Subscription
from gateway.weights import SESSION_WEIGHT

SIGNATURE = "apiKey! timestamp! recvWindow signature!"
KEY = "apiKey"


class Method(NamedTuple):
    """Parameters and result as in a Route; `parameters` has those of the signature."""

    name: str
    parameters: str
    result: Any
    summary: str
    weight: int
    signed: bool


HTTP_ONLY = frozenset(("asset.tradeFee", "system.status", "nothing.list", "nothing.symbols"))


def _session(name: str, parameters: str, result: Any, summary: str, signed: bool = False) -> Method:
    return Method(name, f"{parameters} {SIGNATURE if signed else ''}", result, summary, SESSION_WEIGHT, signed)


_SESSIONS = (
    _session("session.logon", "apiKey timestamp recvWindow signature token", SessionState,
             "Speak for an account from now on: with an Ed25519 key, or (ours) a token"),
    _session("session.status", "", SessionState, "Who is speaking"),
    _session("session.logout", "", SessionState, "Speak for nobody"),
    _session("session.subscriptions", "", list[Subscription], "Subscriptions of this connection"),
    _session("session.cancelOnDisconnect", "mode!", DisconnectMode,
             "Cancel orders when this connection is gone: ours", signed=True),
    _session("userDataStream.subscribe", "resumeFrom", Subscription,
             "Private events of the account that is logged on"),
    _session("userDataStream.subscribe.signature", "resumeFrom", Subscription, "Private events of the key's account",
             signed=True),
    _session("userDataStream.unsubscribe", "subscriptionId", Empty, "End one subscription, or all"),
)


def methods() -> list[Method]:
    """All of them; a method of several routes once."""
    found = {route.call: Method(
        route.call, f"{route.parameters} {SIGNATURE if route.signed else KEY if route.keyed else ''}", route.result,
        route.summary, route.weight, route.signed)
        for route in (*ROUTES, *MARKET_ROUTES) if route.call not in HTTP_ONLY}
    return [*found.values(), *_SESSIONS]
