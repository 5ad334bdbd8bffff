"""The shapes on the wire: one struct per reply and event, fields in the documented order (see PROTOCOL.md).

Prices, quantities and amounts are texts with 8 decimal places; ids and times are integers; times are milliseconds, or
microseconds where the connection asked for them. Only data here: who fills the fields is written where they are filled.
"""
import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType, field

ZERO = "0.00000000"
NO_LIST = -1           # orderListId of an order that is in no list: all of ours
EMPTY_RESULT, NULL = b"{}", b"null"

SIDES = ("BUY", "SELL")                         # indexed by engine.core.codes.Side, and so on
ORDER_TYPES = (
    "LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT")
TIMES_IN_FORCE = ("GTC", "IOC", "FOK", "GTD", "DAY")
STP_MODES = ("NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT")
NO_GROUP = -1          # tradeGroupId of an account that is in none

encode = msgspec.json.Encoder().encode


class Fill(Struct, gc=False, rename="camel"):
    """One trade of an order, as its own side sees it."""

    price: str
    qty: str
    commission: str
    commission_asset: str
    trade_id: int


class OrderAck(Struct, gc=False, rename="camel"):
    """newOrderRespType ACK."""

    symbol: str
    order_id: int
    order_list_id: int
    client_order_id: str
    transact_time: int


class OrderResult(OrderAck, gc=False, rename="camel"):
    """newOrderRespType RESULT."""

    price: str
    orig_qty: str
    executed_qty: str
    orig_quote_order_qty: str
    cummulative_quote_qty: str
    status: str
    time_in_force: str
    type: str
    side: str
    working_time: int
    self_trade_prevention_mode: str
    stop_price: str | UnsetType = UNSET
    trailing_delta: int | UnsetType = UNSET
    trailing_time: int | UnsetType = UNSET   # -1: waits for its stop price
    iceberg_qty: str | UnsetType = UNSET
    prevented_match_id: int | UnsetType = UNSET
    prevented_quantity: str | UnsetType = UNSET
    expiry_reason: str | UnsetType = UNSET


class OrderFull(OrderResult, rename="camel"):
    """newOrderRespType FULL."""

    fills: list[Fill] = []


class OrderCanceled(Struct, gc=False, rename="camel"):
    """Reply to a cancel; clientOrderId is the cancel's own, origClientOrderId the order's."""

    symbol: str
    orig_client_order_id: str
    order_id: int
    order_list_id: int
    client_order_id: str
    transact_time: int
    price: str
    orig_qty: str
    executed_qty: str
    orig_quote_order_qty: str
    cummulative_quote_qty: str
    status: str
    time_in_force: str
    type: str
    side: str
    self_trade_prevention_mode: str
    stop_price: str | UnsetType = UNSET
    trailing_delta: int | UnsetType = UNSET
    trailing_time: int | UnsetType = UNSET   # -1: waits for its stop price
    iceberg_qty: str | UnsetType = UNSET
    prevented_match_id: int | UnsetType = UNSET
    prevented_quantity: str | UnsetType = UNSET


class OrderState(Struct, gc=False, rename="camel"):
    """Reply to order.status, and one row of openOrders.status."""

    symbol: str
    order_id: int
    order_list_id: int
    client_order_id: str
    price: str
    orig_qty: str
    executed_qty: str
    cummulative_quote_qty: str
    status: str
    time_in_force: str
    type: str
    side: str
    stop_price: str
    iceberg_qty: str
    time: int
    update_time: int
    is_working: bool
    working_time: int
    orig_quote_order_qty: str
    self_trade_prevention_mode: str
    prevented_match_id: int | UnsetType = UNSET
    prevented_quantity: str | UnsetType = UNSET
    trailing_delta: int | UnsetType = UNSET
    trailing_time: int | UnsetType = UNSET   # -1: waits for its stop price
    trigger_price: str | UnsetType = UNSET   # of one that follows: what would set it off now


class PreventedMatch(Struct, gc=False, rename="camel"):
    """One row of myPreventedMatches; a quantity is there for each side that lost one."""

    symbol: str
    prevented_match_id: int
    taker_order_id: int
    maker_symbol: str
    maker_order_id: int
    trade_group_id: int
    self_trade_prevention_mode: str
    price: str
    taker_prevented_quantity: str | UnsetType = UNSET
    maker_prevented_quantity: str | UnsetType = UNSET
    transact_time: int = 0


class CancelReplaced(Struct, rename="camel"):
    """Reply to order.cancelReplace, and `data` of its refusals: a half that failed is {code, msg}, not tried null."""

    cancel_result: str
    new_order_result: str
    cancel_response: Raw
    new_order_response: Raw


class Balance(Struct, gc=False):
    """One asset of an account."""

    asset: str
    free: str
    locked: str


class CommissionRates(Struct, gc=False):
    """Fees as fractions of what is received."""

    maker: str
    taker: str
    buyer: str
    seller: str


class AccountState(Struct, rename="camel"):
    """Reply to account.status."""

    maker_commission: int
    taker_commission: int
    buyer_commission: int
    seller_commission: int
    commission_rates: CommissionRates
    can_trade: bool
    can_withdraw: bool
    can_deposit: bool
    brokered: bool
    require_self_trade_prevention: bool
    prevent_sor: bool
    update_time: int
    account_type: str
    balances: list[Balance]
    permissions: list[str]
    uid: int


class PublicTrade(Struct, gc=False, rename="camel"):
    """One row of trades.recent."""

    id: int
    price: str
    qty: str
    quote_qty: str
    time: int
    is_buyer_maker: bool
    is_best_match: bool


class BookTicker(Struct, gc=False, rename="camel"):
    """One row of ticker.book."""

    symbol: str
    bid_price: str
    bid_qty: str
    ask_price: str
    ask_qty: str


class PriceTicker(Struct, gc=False):
    """One row of ticker.price."""

    symbol: str
    price: str


class Depth(Struct, rename="camel"):
    """Reply to depth: [price, quantity], best first."""

    last_update_id: int
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]


class Discount(Struct, rename="camel"):
    """Fees paid in another asset: not offered."""

    enabled_for_account: bool = False
    enabled_for_symbol: bool = False
    discount_asset: str = ""
    discount: str = ZERO


class OrderCommission(Struct, gc=False):
    """Fees of one order as fractions of what is received."""

    maker: str
    taker: str


class TestCommission(Struct, rename="camel"):
    """Reply to order.test with computeCommissionRates."""

    standard_commission_for_order: OrderCommission
    special_commission_for_order: OrderCommission
    tax_commission_for_order: OrderCommission
    discount: Discount


class AccountCommission(Struct, rename="camel"):
    """Reply to account.commission."""

    symbol: str
    standard_commission: CommissionRates
    special_commission: CommissionRates
    tax_commission: CommissionRates
    discount: Discount


class SessionState(Struct, gc=False, rename="camel"):
    """Reply to session.logon, session.status and session.logout."""

    api_key: str | None
    authorized_since: int | None
    connected_since: int
    return_rate_limits: bool
    server_time: int
    user_data_stream: bool


class ExecutionReport(Struct, gc=False, kw_only=True):
    """One change of one order of the subscribed account. Field order is part of the format."""

    event: str = field(name="e", default="executionReport")
    event_time: int = field(name="E")
    symbol: str = field(name="s")
    client_order_id: str = field(name="c")          # of the cancel when the order was cancelled
    side: str = field(name="S")
    order_type: str = field(name="o")
    time_in_force: str = field(name="f")
    qty: str = field(name="q")
    price: str = field(name="p")
    stop_price: str = field(name="P", default=ZERO)
    iceberg_qty: str = field(name="F", default=ZERO)
    order_list_id: int = field(name="g", default=NO_LIST)
    orig_client_order_id: str = field(name="C", default="")   # the order's own when it was cancelled
    execution_type: str = field(name="x")
    status: str = field(name="X")
    reject_reason: str = field(name="r", default="NONE")
    order_id: int = field(name="i")
    last_qty: str = field(name="l", default=ZERO)
    executed_qty: str = field(name="z")
    last_price: str = field(name="L", default=ZERO)
    commission: str = field(name="n", default="0")
    commission_asset: str | None = field(name="N", default=None)
    transaction_time: int = field(name="T")
    trade_id: int = field(name="t", default=-1)
    execution_id: int = field(name="I")
    on_book: bool = field(name="w")
    is_maker: bool = field(name="m", default=False)
    ignored: bool = field(name="M", default=False)
    order_time: int = field(name="O")
    quote_filled: str = field(name="Z")
    last_quote: str = field(name="Y", default=ZERO)
    quote_order_qty: str = field(name="Q")
    working_time: int = field(name="W")
    self_trade_prevention: str = field(name="V", default="NONE")
    prevented_match_id: int | UnsetType = field(name="v", default=UNSET)
    prevented_qty: str | UnsetType = field(name="A", default=UNSET)
    last_prevented_qty: str | UnsetType = field(name="B", default=UNSET)
    trade_group_id: int | UnsetType = field(name="u", default=UNSET)
    counter_order_id: int | UnsetType = field(name="U", default=UNSET)
    counter_symbol: str | UnsetType = field(name="Cs", default=UNSET)
    prevented_execution_qty: str | UnsetType = field(name="pl", default=UNSET)
    prevented_execution_price: str | UnsetType = field(name="pL", default=UNSET)
    prevented_execution_quote: str | UnsetType = field(name="pY", default=UNSET)
    expiry_reason: str | UnsetType = field(name="eR", default=UNSET)
    trailing_delta: int | UnsetType = field(name="d", default=UNSET)
    trailing_time: int | UnsetType = field(name="D", default=UNSET)


class PositionBalance(Struct, gc=False):
    """One asset of an outboundAccountPosition."""

    asset: str = field(name="a")
    free: str = field(name="f")
    locked: str = field(name="l")


class AccountPosition(Struct, kw_only=True):
    """Balances that may have changed, after the executionReports of the same commands."""

    event: str = field(name="e", default="outboundAccountPosition")
    event_time: int = field(name="E")
    update_time: int = field(name="u")
    balances: list[PositionBalance] = field(name="B")


class BalanceUpdate(Struct, gc=False, kw_only=True):
    """Money that came or went other than by trading."""

    event: str = field(name="e", default="balanceUpdate")
    event_time: int = field(name="E")
    asset: str = field(name="a")
    change: str = field(name="d")
    clear_time: int = field(name="T")


class UserEvent(Struct, rename="camel"):
    """What a subscription delivers."""

    subscription_id: int
    event: Raw


def reply(request_id: bytes, body: bytes, show_limits: bool, limits: bytes = b"[]") -> bytes:
    """A successful reply; `limits`: the rate limits that the request counts towards."""
    if show_limits:
        return b'{"id":%b,"status":200,"result":%b,"rateLimits":%b}' % (request_id, body, limits)
    return b'{"id":%b,"status":200,"result":%b}' % (request_id, body)


def error_reply(request_id: bytes, status: int, body: bytes, show_limits: bool, limits: bytes = b"[]") -> bytes:
    """A refusal; `body` is {"code", "msg"}."""
    shown = b',"rateLimits":%b' % limits if show_limits else b""
    return b'{"id":%b,"status":%d,"error":%b%b}' % (request_id, status, body, shown)
