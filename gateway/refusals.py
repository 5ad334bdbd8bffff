"""What is said when a request is refused: HTTP status, the venue's code and its exact text, which clients match on.

Raise `Refusal(TERMS, ...)`; the arguments fill the %s of the text. REFUSALS_OF_CORE names the terms of each refusal
code of the matching core. Codes and texts are the protocol's: to change one is to break the clients that match on it.
"""
from typing import Any, NamedTuple

import msgspec

from engine.core.codes import Code
from gateway.small_shapes import PlacedBefore


class Terms(NamedTuple):
    """HTTP status, code and text of one kind of refusal."""

    status: int
    code: int
    msg: str


class Refusal(Exception):
    """A request that is answered with an error; nothing of it was done. `data` goes beside code and msg if not None."""

    def __init__(self, terms: Terms, *args: object, data: Any = None) -> None:
        self.status, self.code = terms.status, terms.code
        self.msg = terms.msg % args if args else terms.msg
        self.data = data
        super().__init__(f"{self.code} {self.msg}")

    def body(self) -> bytes:
        """JSON {"code", "msg"[, "data"]}."""
        return body(self.code, self.msg, self.data)


def body(code: int, msg: str, data: Any = None) -> bytes:
    """JSON of an error."""
    return msgspec.json.encode({"code": code, "msg": msg} if data is None else {"code": code, "msg": msg, "data": data})


UNKNOWN_ERROR = Terms(500, -1000, "An unknown error occurred while processing the request.")
DISCONNECTED = Terms(503, -1001, "Internal error; unable to process your request. Please try again.")
SHUTTING_DOWN = Terms(503, -1001, "The server is shutting down; your request was not carried out. Please try again.")
UNAUTHORIZED = Terms(401, -1002, "You are not authorized to execute this request.")
TOO_MANY_REQUESTS = Terms(429, -1003, "Too many requests queued.")
TOO_MUCH_WEIGHT = Terms(
    429, -1003, "Too much request weight used; current limit is %s request weight per %s. "
    "Please use WebSocket Streams for live updates to avoid polling the API.")
BANNED = Terms(
    418, -1003, "Way too much request weight used; IP banned until %s. "
    "Please use WebSocket Streams for live updates to avoid bans.")
ANSWER_TOO_LARGE = Terms(
    500, -1006, "The request was carried out, but its answer has more than %s bytes: ask for less, or over HTTP.")
TIMEOUT = Terms(
    503, -1007, "Timeout waiting for response from backend server. Send status unknown; execution status unknown.")
SERVER_BUSY = Terms(
    503, -1008, "Server is currently overloaded with other requests. Please try again in a few minutes.")
STORAGE_FULL = Terms(503, -1008, "Server is out of storage and takes cancels only. Please try again in a few minutes.")
LEDGER_BEHIND = Terms(
    503, -1008, "Server's ledger is behind and no new orders are taken. Please try again in a few minutes.")
FILTER_FAILURE = Terms(400, -1013, "Filter failure: %s")
NOT_FOR_SYMBOL = Terms(400, -1013, "%s are not supported for this symbol.")
NO_STP_MODE = Terms(400, -1013, "This symbol does not allow the specified self-trade prevention mode.")
TOO_MANY_ORDERS = Terms(429, -1015, "Too many new orders; current limit is %s orders per %s.")
UNSUPPORTED = Terms(400, -1020, "This operation is not supported.")
OUTSIDE_RECV_WINDOW = Terms(400, -1021, "Timestamp for this request is outside of the recvWindow.")
AHEAD_OF_SERVER = Terms(400, -1021, "Timestamp for this request was 1000ms ahead of the server's time.")
INVALID_SIGNATURE = Terms(400, -1022, "Signature for this request is not valid.")

ILLEGAL = Terms(400, -1100, "Illegal characters found in a parameter.")
ILLEGAL_CHARACTERS = Terms(400, -1100, "Illegal characters found in parameter '%s'; legal range is '%s'.")
TOO_MANY_PARAMETERS = Terms(400, -1101, "Too many parameters sent for this endpoint.")
DUPLICATE_PARAMETER = Terms(400, -1101, "Duplicate values for a parameter detected.")
MANDATORY = Terms(400, -1102, "Mandatory parameter '%s' was not sent, was empty/null, or malformed.")
ONE_OF_TWO = Terms(400, -1102, "Param '%s' or '%s' must be sent, but both were empty/null!")
ABOVE_MAXIMUM = Terms(400, -1102, "'%s' contains unexpected value. Cannot be greater than %s.")
UNKNOWN_PARAMETER = Terms(400, -1103, "An unknown parameter was sent.")
UNREAD_PARAMETERS = Terms(400, -1104, "Not all sent parameters were read; read '%s' parameter(s) but was sent '%s'.")
EMPTY_PARAMETER = Terms(400, -1105, "Parameter '%s' was empty.")
NOT_REQUIRED = Terms(400, -1106, "Parameter '%s' sent when not required.")
PARAMETER_OVERFLOW = Terms(400, -1108, "Parameter '%s' overflowed.")
TOO_MUCH_PRECISION = Terms(400, -1111, "Parameter '%s' has too much precision.")
TIME_IN_FORCE_NOT_REQUIRED = Terms(400, -1114, "TimeInForce parameter sent when not required.")
INVALID_TIME_IN_FORCE = Terms(400, -1115, "Invalid timeInForce.")
INVALID_ORDER_TYPE = Terms(400, -1116, "Invalid orderType.")
INVALID_SIDE = Terms(400, -1117, "Invalid side.")
INVALID_INTERVAL = Terms(400, -1120, "Invalid interval.")
INVALID_SYMBOL = Terms(400, -1121, "Invalid symbol.")
INVALID_LISTEN_KEY = Terms(400, -1125, "This listenKey does not exist.")
LOOKUP_TOO_BIG = Terms(400, -1127, "More than %s hours between startTime and endTime.")
BAD_COMBINATION = Terms(400, -1128, "Combination of optional parameters invalid.")
INVALID_PARAMETER = Terms(400, -1130, "Data sent for parameter '%s' is not valid.")
BAD_RECV_WINDOW = Terms(400, -1131, "recvWindow must be less than 60000.")
INVALID_JSON = Terms(400, -1135, "Invalid JSON Request")
INVALID_JSON_PARAMETER = Terms(400, -1135, "JSON sent for parameter '%s' is not valid")
INVALID_CANCEL_RESTRICTIONS = Terms(
    400, -1145, "`cancelRestrictions` has to be either `ONLY_NEW` or `ONLY_PARTIALLY_FILLED`.")
DUPLICATE_SYMBOLS = Terms(400, -1151, "Symbol is present multiple times in the list.")
INVALID_TIME_UNIT = Terms(
    400, -1194, "Invalid value for time unit; expected either MICROSECOND or MILLISECOND.")

INSUFFICIENT_BALANCE = Terms(400, -2010, "Account has insufficient balance for requested action.")
WOULD_MATCH = Terms(400, -2010, "Order would immediately match and take.")
WOULD_TRIGGER = Terms(400, -2010, "Order would trigger immediately.")
BAD_LIST = Terms(400, -1013, "The relationship of the prices for the orders is not correct.")
CLIENT_ID_REUSED = Terms(400, -2010, "Client order id was used for another order.")
DUPLICATE_ORDER = Terms(400, -2010, "Duplicate order sent.")
KILLED = Terms(400, -2010, "This action is disabled on this account.")
AUCTION_ONLY = Terms(400, -2010, "Only limit orders that may rest are taken during an auction.")
MARKET_CLOSED = Terms(400, -2010, "Market is closed.")
NOTHING_TO_TRADE = Terms(400, -2010, "Price * QTY is zero or less.")
ACCOUNT_FROZEN = Terms(400, -2010, "This account may not place or cancel orders.")
UNKNOWN_ORDER = Terms(400, -2011, "Unknown order sent.")
CANCEL_RESTRICTED = Terms(400, -2011, "Order was not canceled due to cancel restrictions.")
NO_SUCH_ORDER = Terms(400, -2013, "Order does not exist.")
NO_SUCH_LIST = Terms(400, -2018, "Order list does not exist.")
BAD_API_KEY = Terms(401, -2014, "API-key format invalid.")
REJECTED_API_KEY = Terms(401, -2015, "Invalid API-key, IP, or permissions for action.")
REPLACE_PARTIAL = Terms(409, -2021, "Order cancel-replace partially failed.")
REPLACE_FAILED = Terms(400, -2022, "Order cancel-replace failed.")
SUBSCRIPTION_ACTIVE = Terms(400, -2035, "User Data Stream subscription already active.")
SUBSCRIPTION_INACTIVE = Terms(400, -2036, "User Data Stream subscription not active.")
AMEND_INCREASE = Terms(400, -2038, "Order amend (quantity increase) is not supported.")
AMEND_NO_CHANGE = Terms(400, -2038, "The requested action would change no state; rejecting.")
CLIENT_ORDER_ID_MISMATCH = Terms(400, -2039, "Client order ID is not correct for this order ID.")
ONLY_ED25519 = Terms(400, -4056, "%s API key is not supported.")

# HTTP's own refusals; the protocol names a code for none of them
BAD_HTTP = Terms(400, -1020, "The HTTP request is not valid.")
NO_SUCH_ROUTE = Terms(404, -1020, "This operation is not supported: no such path.")
METHOD_NOT_ALLOWED = Terms(405, -1020, "This operation is not supported: the path has no such method.")
BODY_TOO_LARGE = Terms(413, -1020, "The body is too large; at most %s bytes are read.")
WRONG_CONTENT_TYPE = Terms(415, -1020, "Content-Type must be application/x-www-form-urlencoded.")
WRONG_CONTENT_ENCODING = Terms(415, -1020, "Content-Encoding is not supported: send the body as it is.")
TOO_MANY_HEADERS = Terms(431, -1020, "There are too many headers; at most %s are read.")
HEADERS_TOO_LARGE = Terms(431, -1020, "The headers are too large; at most %s bytes are read.")

REFUSALS_OF_CORE: dict[int, tuple[Terms, tuple[str, ...]]] = {
    Code.BAD_COMMAND: (UNKNOWN_ERROR, ()),
    Code.UNKNOWN_ACCOUNT: (REJECTED_API_KEY, ()),
    Code.ACCOUNT_FROZEN: (ACCOUNT_FROZEN, ()),
    Code.UNKNOWN_INSTRUMENT: (INVALID_SYMBOL, ()),
    Code.UNKNOWN_ASSET: (INVALID_PARAMETER, ("asset",)),
    Code.CONFLICT: (UNKNOWN_ERROR, ()),
    Code.MARKET_CLOSED: (MARKET_CLOSED, ()),
    Code.PRICE_RANGE: (FILTER_FAILURE, ("PRICE_FILTER",)),
    Code.QTY_RANGE: (FILTER_FAILURE, ("LOT_SIZE",)),
    Code.MIN_NOTIONAL: (FILTER_FAILURE, ("NOTIONAL",)),
    Code.OVERFLOW: (FILTER_FAILURE, ("LOT_SIZE",)),
    Code.INSUFFICIENT_BALANCE: (INSUFFICIENT_BALANCE, ()),
    Code.WOULD_MATCH: (WOULD_MATCH, ()),
    Code.DUPLICATE_CLIENT_ID: (DUPLICATE_ORDER, ()),
    Code.UNKNOWN_ORDER: (UNKNOWN_ORDER, ()),
    Code.BAD_REDUCE: (AMEND_INCREASE, ()),
    Code.CAPACITY: (SERVER_BUSY, ()),
    Code.PRICE_BAND: (FILTER_FAILURE, ("PERCENT_PRICE_BY_SIDE",)),
    Code.MAX_NOTIONAL: (FILTER_FAILURE, ("NOTIONAL",)),
    Code.TOO_MANY_ORDERS: (FILTER_FAILURE, ("MAX_NUM_ORDERS",)),
    Code.WOULD_TRIGGER: (WOULD_TRIGGER, ()),
    Code.TOO_MANY_STOPS: (FILTER_FAILURE, ("MAX_NUM_ALGO_ORDERS",)),
    Code.BAD_LIST: (BAD_LIST, ()),
    Code.BAD_ICEBERG: (FILTER_FAILURE, ("ICEBERG_PARTS",)),
    Code.KILLED: (KILLED, ()),
    Code.EXPIRED_ALREADY: (INVALID_PARAMETER, ("goodTillDate",)),
    Code.UNKNOWN_TRADE: (UNKNOWN_ERROR, ()),
    Code.AUCTION_ONLY: (AUCTION_ONLY, ()),
    Code.REPEATED: (DUPLICATE_ORDER, ()),
    Code.CLIENT_ID_REUSED: (CLIENT_ID_REUSED, ()),
}

_NAMED_BEFORE = (Code.REPEATED, Code.CLIENT_ID_REUSED)


def of_core(code: int, order_id: int = 0) -> Refusal:
    """The refusal that tells of a REJECTED event's code; order_id: the order that has had the client order id."""
    terms, args = REFUSALS_OF_CORE.get(code, (UNKNOWN_ERROR, ()))
    return Refusal(terms, *args, data=PlacedBefore(order_id) if order_id and code in _NAMED_BEFORE else None)
