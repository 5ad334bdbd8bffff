"""What each parameter of a request is, by its name: the schema of its text, its meaning, an example.

The tables of routes and methods name their parameters; here each name is explained once, from the constants that the
code reads it with. A parameter that means something else to one method stands under (method, name).
"""
from typing import Any, NamedTuple

from engine.intervals import INTERVALS
from gateway.disconnects import MODES
from gateway.exchange_info import STATUSES
from gateway.order_terms import CLIENT_ORDER_ID, INT64_MAX, TRAILING_BPS_MAX, TRAILING_BPS_MIN
from gateway.orders import ACK, COUNTDOWN_MS_MAX, FULL, RESULT
from gateway.protocol import ORDER_TYPES, SIDES, STP_MODES, TIMES_IN_FORCE
from gateway.queries import DEPTH_LIMIT, DEPTH_LIMIT_MAX
from gateway.ranges import LIMIT, LIMIT_MAX

Schema = dict[str, Any]
ROLES = ("pendingAbove", "pendingBelow", "above", "below", "working", "pending")   # of the legs of an order list


class Parameter(NamedTuple):
    """A name's meaning. The schema is that of the text in a query; over WebSocket it may be the JSON value."""

    schema: Schema
    text: str
    example: str | int | bool


def _one_of(values: tuple[str, ...], text: str, usual: str | None = None) -> Parameter:
    schema: Schema = {"type": "string", "enum": list(values)}
    return Parameter(schema if usual is None else {**schema, "default": usual}, text, values[0])


def _decimal(text: str, example: str) -> Parameter:
    return Parameter({"type": "string", "pattern": r"^[0-9]{1,20}(\.[0-9]{1,8})?$"}, text, example)


def _number(text: str, example: int, least: int = 0, most: int = INT64_MAX) -> Parameter:
    return Parameter({"type": "integer", "format": "int64", "minimum": least, "maximum": most}, text, example)


def _limit(usual: int, most: int) -> Parameter:
    schema: Schema = {"type": "integer", "minimum": 1, "default": usual}
    return Parameter(schema, f"How many at most; more than {most} counts as {most}", 10)


def _text(text: str, example: str, **schema: Any) -> Parameter:
    return Parameter({"type": "string", **schema}, text, example)


def _client_id(text: str, example: str = "my-order-1") -> Parameter:
    return Parameter({"type": "string", "pattern": f"^{CLIENT_ORDER_ID.pattern}$"}, text, example)


_TIME = "milliseconds since 1970 (or microseconds)"
_FLAGS = ("true", "false")
_KINDS = _one_of(("FULL", "MINI"), "All statistics, or the short ones", "FULL")
PARAMETERS: dict[str, Parameter] = {
    "symbol": _text("An instrument's name in capitals", "BTCUSDT"),
    "symbols": _text("Instruments as a JSON list", '["BTCUSDT"]'),
    "permissions": _text("A permission, or a JSON list of them; instruments have SPOT", "SPOT"),
    "symbolStatus": _one_of(tuple(STATUSES.values()), "Only instruments in this state"),
    "limit": _limit(LIMIT, LIMIT_MAX),
    "side": _one_of(SIDES, "Buy or sell"),
    "type": _one_of(ORDER_TYPES, "Kind of order"),
    "timeInForce": _one_of(TIMES_IN_FORCE, "How long the order stays; GTD needs goodTillDate"),
    "quantity": _decimal("In the base asset", "0.5"),
    "quoteOrderQty": _decimal("In the quote asset, of a market order", "1000"),
    "price": _decimal("In the quote asset for one of the base asset", "65000.00"),
    "stopPrice": _decimal("The last price that sets the order off; with trailingDelta, makes it follow", "64000.00"),
    "icebergQty": _decimal("What the order shows at most at a time; GTC orders with a price", "0.1"),
    "trailingDelta": _number("How far behind the best price a trailing stop follows, in 1/10,000", 100,
                             TRAILING_BPS_MIN, TRAILING_BPS_MAX),
    "goodTillDate": _number(f"When a GTD order ends: {_TIME}", 1_900_000_000_000, 1),
    "idempotent": _one_of(_FLAGS, "Whether newClientOrderId may place one order only, also after that ended", "false"),
    "newClientOrderId": _client_id("The order's name, or of a cancel its own"),
    "newOrderRespType": _one_of((ACK, RESULT, FULL), "How much the reply tells"),
    "selfTradePreventionMode": _one_of(STP_MODES, "What happens when the order meets one of its own account", "NONE"),
    "strategyId": _number("Accepted, not kept", 1),
    "strategyType": _number("Accepted, not kept", 1_000_000),
    "computeCommissionRates": _one_of(_FLAGS, "Whether to answer with the fees", "false"),
    "cancelReplaceMode": _one_of(("STOP_ON_FAILURE", "ALLOW_FAILURE"), "Whether to place when the cancel failed"),
    "cancelNewClientOrderId": _client_id("The cancel's own name", "my-cancel-1"),
    "cancelOrigClientOrderId": _client_id("The name of the order to cancel"),
    "cancelOrderId": _number("The order to cancel", 1, 0),
    "cancelRestrictions": _one_of(("ONLY_NEW", "ONLY_PARTIALLY_FILLED"), "Leave an order in another state alone"),
    "orderRateLimitExceededMode": _one_of(("DO_NOTHING", "CANCEL_ONLY"), "What one too many does"),
    "listClientOrderId": _client_id("The list's name", "my-list-1"),
    "orderId": _number("An order", 1),
    "origClientOrderId": _client_id("The order's name"),
    "newQty": _decimal("The whole quantity, what was executed included", "0.4"),
    "omitZeroBalances": _one_of(_FLAGS, "Leave empty wallets out", "false"),
    "countdownTime": _number("In this many milliseconds; 0 takes the timer away", 60_000, 0, COUNTDOWN_MS_MAX),
    "stopLimitPrice": _decimal("Price of the stop-loss leg, which is a limit order then", "63900.00"),
    "stopLimitTimeInForce": _one_of(TIMES_IN_FORCE, "How long that leg stays"),
    "limitClientOrderId": _client_id("Name of the limit leg", "my-leg-1"),
    "stopClientOrderId": _client_id("Name of the stop-loss leg", "my-leg-2"),
    "orderListId": _number("An order list", 1),
    "fromId": _number("The first one wanted", 1),
    "orders": _text("Orders as a JSON list of objects with the parameters of the single request",
                    '[{"symbol":"BTCUSDT","side":"BUY","type":"MARKET","quantity":"0.5"}]'),
    "preventedMatchId": _number("A match that was prevented", 1),
    "fromExecutionId": _number("The first one wanted", 1),
    "fromAllocationId": _number("The first one wanted", 1),
    "showPermissionSets": _one_of(_FLAGS, "Whether to fill permissionSets", "true"),
    "fromPreventedMatchId": _number("The first one wanted", 1),
    "startTime": _number(f"From here on: {_TIME}", 1_795_000_000_000),
    "endTime": _number(f"Up to here: {_TIME}", 1_795_003_600_000),
    "interval": _one_of(tuple(interval.name for interval in INTERVALS), "Length of a candle"),
    "timeZone": _text("Hours from UTC whose midnight days, weeks and months begin at; quarters of an hour", "05:45"),
    "windowSize": _text("1m to 59m, 1h to 23h, 1d to 7d", "1d", pattern="^[1-9][0-9]?[mhd]$", default="1d"),
    "timestamp": _number(f"Now: {_TIME}", 1_795_000_000_000, 1),
    "recvWindow": Parameter({"type": "number", "exclusiveMinimum": 0, "maximum": 60_000, "default": 5000},
                            "Milliseconds for which the request is good, up to 3 decimals", 5000),
    "mode": _one_of(MODES, "Which orders a lost connection cancels"),
    "listenKey": _text("Of a private stream on the listener of market streams", 64 * "0", pattern="^[0-9a-f]{64}$"),
    "resumeFrom": _number("Execution id (I) of the last event that came; 0: of none, keep events from now on", 0),
    "subscriptionId": _number("A subscription (all if not sent)", 0),
    "token": _text("A JWT of `buttonwood keys token`, in place of a signature", "header.claims.signature"),
    "apiKey": _text("The key's name", "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"),
    "signature": _text(
        "Over all that is sent beside it: HMAC-SHA256 in hex, or Ed25519 or RSA in base64",
        "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"),
    "returnRateLimits": _one_of(_FLAGS, "Whether the reply has rateLimits", "true"),
}
SPECIAL: dict[tuple[str, str], Parameter] = {
    ("depth", "limit"): _limit(DEPTH_LIMIT, DEPTH_LIMIT_MAX),
    ("depth.l3", "limit"): _limit(DEPTH_LIMIT, DEPTH_LIMIT_MAX),
    ("ticker", "type"): _KINDS, ("ticker.24hr", "type"): _KINDS, ("ticker.tradingDay", "type"): _KINDS,
}


def parameter(method: str, name: str) -> Parameter:
    """What `name` is to this method. Raises KeyError for a name that nobody explained."""
    if found := SPECIAL.get((method, name)) or PARAMETERS.get(name):
        return found
    for role in ROLES:
        if name.startswith(role):
            rest = name.removeprefix(role)
            own = PARAMETERS["newClientOrderId" if rest == "ClientOrderId" else rest[0].lower() + rest[1:]]
            return own._replace(text=f"Of the {role} leg: {own.text[0].lower()}{own.text[1:]}")
    raise KeyError(f"{name} of {method}: explain it in gateway/describe/parameters.py")


def names_of(table: str) -> list[tuple[str, bool]]:
    """(name, whether it must be sent) of a table's text "symbol! limit"."""
    return [(name.rstrip("!"), name.endswith("!")) for name in table.split()]
