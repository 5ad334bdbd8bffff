"""What an order asks for, read from request parameters into ticks, lots and minor units; every refusal names its cause.

Checked here is what needs no state: presence, spelling, precision, the instrument's filters. The rest (balance,
crossing, duplicate ids, market status) is the core's to decide, at the order's place in the sequence.
"""
import re
from collections.abc import Mapping
from typing import NamedTuple

from engine.core.codes import PPM, OrderType, Side, TimeInForce
from engine.core.decimals import parse_decimal
from engine.instruments import PLACES, Instrument
from gateway.protocol import STP_MODES, TIMES_IN_FORCE
from gateway.refusals import (
    BAD_COMBINATION,
    EMPTY_PARAMETER,
    FILTER_FAILURE,
    ILLEGAL_CHARACTERS,
    INVALID_ORDER_TYPE,
    INVALID_PARAMETER,
    INVALID_SIDE,
    INVALID_SYMBOL,
    INVALID_TIME_IN_FORCE,
    MANDATORY,
    NO_STP_MODE,
    NOT_REQUIRED,
    ONE_OF_TWO,
    TOO_MUCH_PRECISION,
    UNREAD_PARAMETERS,
    Refusal,
)

Params = Mapping[str, str]

SECURITY_PARAMS = frozenset(("apiKey", "signature", "timestamp", "recvWindow", "returnRateLimits"))
PLACE_PARAMS = SECURITY_PARAMS | frozenset((
    "symbol", "side", "type", "timeInForce", "quantity", "quoteOrderQty", "price", "newClientOrderId",
    "newOrderRespType", "selfTradePreventionMode", "strategyId", "strategyType", "stopPrice", "icebergQty",
    "trailingDelta", "goodTillDate", "idempotent"))

CLIENT_ORDER_ID = re.compile(r"[a-zA-Z0-9_-]{1,36}")
DECIMAL_RANGE = r"^([0-9]{1,20})(\.[0-9]{1,20})?$"
ORDER_ID_RANGE = "^[0-9]{1,20}$"
INT64_MAX = 2**63 - 1
_TOO_GREAT = -3   # of parse_decimal: beyond int64
_BUY, _SELL = int(Side.BUY), int(Side.SELL)
_LIMIT, _LIMIT_MAKER, _MARKET = int(OrderType.LIMIT), int(OrderType.LIMIT_MAKER), int(OrderType.MARKET)
_GTC = int(TimeInForce.GTC)
_SIDES = {"BUY": _BUY, "SELL": _SELL}
_TIMES = {name: number for number, name in enumerate(TIMES_IN_FORCE)}
MICROSECONDS_FROM = 10**14
_STP = {name: number for number, name in enumerate(STP_MODES)}

# What ccxt.pro sends beside its own translation into our names, and the name that must be there for that.
_ECHOES = {"postOnly": "type", "cost": "quoteOrderQty", "clientOrderId": "newClientOrderId",
           "selfTradePrevention": "selfTradePreventionMode",
           "stopLossPrice": "stopPrice", "takeProfitPrice": "stopPrice", "triggerPrice": "stopPrice",
           "trailingPercent": "trailingDelta", "trailingTriggerPrice": "stopPrice", "stopLossOrTakeProfit": "type"}

TRAILING_BPS_MIN, TRAILING_BPS_MAX = 10, 2000   # of trailingDelta, as Binance has them for most symbols
ICEBERG_PARTS_MAX = 100   # the core's


class OrderTerms(NamedTuple):
    """Arguments of Batch.place by their names; the account and the client order id come to them."""

    instrument: int
    side: int
    order_type: int
    time_in_force: int
    price_ticks: int
    qty_lots: int
    amount: int
    stp: int
    trigger_ticks: int = 0
    expires_ns: int = 0
    trailing_bps: int = 0
    display_lots: int = 0
    once: bool = False


class Shape(NamedTuple):
    """What an order type needs."""

    number: int      # an OrderType
    timed: bool      # a time in force
    priced: bool     # a price
    stop: bool       # a trigger


_SHAPES = {
    "LIMIT": Shape(_LIMIT, True, True, False), "LIMIT_MAKER": Shape(_LIMIT_MAKER, False, True, False),
    "MARKET": Shape(_MARKET, False, False, False),
    "STOP_LOSS": Shape(OrderType.STOP_LOSS, False, False, True),
    "STOP_LOSS_LIMIT": Shape(OrderType.STOP_LOSS_LIMIT, True, True, True),
    "TAKE_PROFIT": Shape(OrderType.TAKE_PROFIT, False, False, True),
    "TAKE_PROFIT_LIMIT": Shape(OrderType.TAKE_PROFIT_LIMIT, True, True, True)}


def read_order(params: Params, instrument: Instrument, known: frozenset[str] = PLACE_PARAMS) -> OrderTerms:
    """The terms of a new order; `known`: parameters that may be there. Raises Refusal."""
    if not known.issuperset(params) and not all(name in known or _echoes(name, params) for name in params):
        raise unread(params, known)
    side = _SIDES.get(needed(params, "side"))
    if side is None:
        raise Refusal(INVALID_SIDE)
    shape = _SHAPES.get(needed(params, "type"))
    if shape is None:
        raise Refusal(INVALID_ORDER_TYPE)
    stp = _STP.get(params.get("selfTradePreventionMode", "NONE"))
    if stp is None:
        raise Refusal(NO_STP_MODE)
    terms = OrderTerms(
        instrument.id, side, shape.number, _time_in_force(params, shape), *_price_and_size(params, instrument, shape),
        stp)
    if shape.stop:
        trigger_ticks, trailing_bps = _trigger(params, instrument)
        terms = terms._replace(trigger_ticks=trigger_ticks, trailing_bps=trailing_bps)
    if "icebergQty" in params:
        terms = terms._replace(display_lots=_display_lots(params, shape, terms, instrument))
    return terms._replace(expires_ns=_expires_ns(params, terms.time_in_force), once=_once(params))


def _once(params: Params) -> bool:
    """Whether the client order id, which must be the client's then, may place one order only."""
    if params.get("idempotent", "false") == "false":
        return False
    if params["idempotent"] != "true":
        raise Refusal(INVALID_PARAMETER, "idempotent")
    needed(params, "newClientOrderId")
    return True


def _display_lots(params: Params, shape: Shape, terms: OrderTerms, instrument: Instrument) -> int:
    """What an iceberg shows; 0 when that is all of it, or icebergQty is zero."""
    if not shape.priced or terms.time_in_force != _GTC:
        raise Refusal(NOT_REQUIRED, "icebergQty")
    if _e8(needed(params, "icebergQty"), "icebergQty") == 0:
        return 0
    lots = read_lots(params, "icebergQty", instrument)
    if lots > terms.qty_lots or -(-terms.qty_lots // lots) > ICEBERG_PARTS_MAX:
        raise Refusal(FILTER_FAILURE, "ICEBERG_PARTS")
    return lots if lots < terms.qty_lots else 0


def _trigger(params: Params, instrument: Instrument) -> tuple[int, int]:
    """Stop price in ticks, 0 for one that trails at once; how far it trails, 0 for one that does not."""
    trailing_bps = order_id(params, "trailingDelta")
    if trailing_bps is None:
        if not params.get("stopPrice"):
            raise Refusal(ONE_OF_TWO, "stopPrice", "trailingDelta")
        return _ticks(params, "stopPrice", instrument), 0
    if not TRAILING_BPS_MIN <= trailing_bps <= TRAILING_BPS_MAX:
        raise Refusal(FILTER_FAILURE, "TRAILING_DELTA")
    return _ticks(params, "stopPrice", instrument) if "stopPrice" in params else 0, trailing_bps


def _expires_ns(params: Params, time_in_force: int) -> int:
    """goodTillDate, in milliseconds or microseconds, of an order that is good till a date; else 0."""
    if time_in_force != TimeInForce.GTD:
        if "goodTillDate" in params:
            raise Refusal(NOT_REQUIRED, "goodTillDate")
        return 0
    value = order_id({"goodTillDate": needed(params, "goodTillDate")}, "goodTillDate") or 0
    expires_ns = value * (1000 if value >= MICROSECONDS_FROM else 1_000_000)
    if not 0 < expires_ns <= INT64_MAX:
        raise Refusal(INVALID_PARAMETER, "goodTillDate")
    return expires_ns


def _time_in_force(params: Params, shape: Shape) -> int:
    """GTC, which this protocol shows, for a type that has none to choose."""
    if not shape.timed:
        if "timeInForce" in params:
            raise Refusal(NOT_REQUIRED, "timeInForce")
        return _GTC
    time_in_force = _TIMES.get(needed(params, "timeInForce"))
    if time_in_force is None:
        raise Refusal(INVALID_TIME_IN_FORCE)
    return time_in_force


def _price_and_size(params: Params, instrument: Instrument, shape: Shape) -> tuple[int, int, int]:
    """Ticks (0 without a price), lots and quote amount."""
    if not shape.stop and ("stopPrice" in params or "trailingDelta" in params):
        raise Refusal(NOT_REQUIRED, "stopPrice" if "stopPrice" in params else "trailingDelta")
    if shape.number == _MARKET:
        return 0, *_market_size(params, instrument)
    if "quoteOrderQty" in params:
        raise Refusal(NOT_REQUIRED, "quoteOrderQty")
    lots = read_lots(params, "quantity", instrument)
    if shape.priced:
        return _ticks(params, "price", instrument), lots, 0
    if "price" in params:
        raise Refusal(NOT_REQUIRED, "price")
    return 0, lots, 0


def client_order_id(params: Params, name: str) -> str | None:
    """The id the client chose, None if it left the choice to us. Raises Refusal."""
    text = params.get(name)
    if text is None:
        return None
    if not text:
        raise Refusal(EMPTY_PARAMETER, name)
    if not CLIENT_ORDER_ID.fullmatch(text):
        raise Refusal(ILLEGAL_CHARACTERS, name, "^[a-zA-Z0-9-_]{1,36}$")
    return text


def find_instrument(params: Params, by_symbol: Mapping[str, Instrument]) -> Instrument:
    """The instrument that the parameter `symbol` names. Raises Refusal."""
    instrument = by_symbol.get(needed(params, "symbol"))
    if instrument is None:
        raise Refusal(INVALID_SYMBOL)
    return instrument


def order_id(params: Params, name: str = "orderId") -> int | None:
    """The parameter of that name, None if it was not sent. Raises Refusal."""
    text = params.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise Refusal(ILLEGAL_CHARACTERS, name, ORDER_ID_RANGE) if text else Refusal(EMPTY_PARAMETER, name)
    value = int(text)
    if value > INT64_MAX:
        raise Refusal(INVALID_PARAMETER, name)
    return value


def needed(params: Params, name: str) -> str:
    """A parameter that must be there. Raises Refusal."""
    text = params.get(name)
    if not text:
        raise Refusal(MANDATORY, name)
    return text


def _echoes(name: str, params: Params) -> bool:
    """Whether this parameter only repeats, in ccxt's words, what another one says. `postOnly` does with LIMIT_MAKER."""
    if name == "postOnly" and params[name] == "true":
        return params.get("type") == "LIMIT_MAKER"
    return _ECHOES.get(name) in params


def unread(params: Params, known: frozenset[str]) -> Refusal:
    """The refusal of parameters that nobody would look at."""
    sent = len(params)
    return Refusal(UNREAD_PARAMETERS, sum(name in known for name in params), sent)


def read_lots(params: Params, name: str, instrument: Instrument) -> int:
    """A quantity in lots, within the instrument's limits. Raises Refusal."""
    lots, rest = divmod(_e8(needed(params, name), name), instrument.lot_e8)
    if rest or not instrument.min_lots <= lots <= instrument.max_lots or lots == 0:
        raise Refusal(FILTER_FAILURE, "LOT_SIZE")
    return lots


def _ticks(params: Params, name: str, instrument: Instrument) -> int:
    """A price in ticks, within the instrument's limits. Raises Refusal."""
    ticks, rest = divmod(_e8(needed(params, name), name), instrument.tick_e8)
    if rest or not 0 < ticks <= instrument.max_ticks:
        raise Refusal(FILTER_FAILURE, "PRICE_FILTER")
    return ticks


def _market_size(params: Params, instrument: Instrument) -> tuple[int, int]:
    """Lots, or the quote amount to spend or receive."""
    if "price" in params:
        raise Refusal(NOT_REQUIRED, "price")
    if "quoteOrderQty" not in params:
        if "quantity" not in params:
            raise Refusal(ONE_OF_TWO, "quantity", "quoteOrderQty")
        return read_lots(params, "quantity", instrument), 0
    if "quantity" in params:
        raise Refusal(BAD_COMBINATION)
    amount = parse_decimal(needed(params, "quoteOrderQty"), instrument.quote_scale)
    if amount in (0, _TOO_GREAT):
        raise Refusal(FILTER_FAILURE, "NOTIONAL")
    if amount < 0:
        raise _unreadable(amount, "quoteOrderQty")
    return 0, amount


def _e8(text: str, name: str) -> int:
    """The value in 1e-8; it may be beyond 64 bits, so that whatever ticks and lots allow can be written."""
    value = parse_decimal(text, PLACES)
    if value >= 0:
        return value
    if value != _TOO_GREAT:
        raise _unreadable(value, name)
    whole, _, fraction = text.partition(".")
    if fraction[PLACES:].strip("0"):
        raise Refusal(TOO_MUCH_PRECISION, name)
    return int(whole + fraction[:PLACES].ljust(PLACES, "0"))


def _unreadable(found: int, name: str) -> Refusal:
    """Why parse_decimal gave no value."""
    return Refusal(TOO_MUCH_PRECISION, name) if found == -2 else Refusal(ILLEGAL_CHARACTERS, name, DECIMAL_RANGE)


def check_filters(terms: OrderTerms, instrument: Instrument, last_ticks: int) -> None:
    """The core's rules about prices and amounts, in its order, for those who must know before. Raises Refusal."""
    middle = last_ticks or instrument.reference_ticks
    ticks = terms.price_ticks or middle
    notional = terms.amount or ticks * terms.qty_lots * instrument.tick_value
    if terms.price_ticks and notional > INT64_MAX:
        raise Refusal(FILTER_FAILURE, "LOT_SIZE")
    if terms.price_ticks and notional < instrument.min_notional:
        raise Refusal(FILTER_FAILURE, "NOTIONAL")
    up, down = (middle * ppm // PPM for ppm in (instrument.band_up_ppm, instrument.band_down_ppm))
    if terms.price_ticks and middle and (
            (instrument.band_up_ppm and ticks > middle + up) or (instrument.band_down_ppm and ticks < middle - down)):
        raise Refusal(FILTER_FAILURE, "PERCENT_PRICE_BY_SIDE")
    if instrument.max_notional and notional > instrument.max_notional:
        raise Refusal(FILTER_FAILURE, "NOTIONAL")
