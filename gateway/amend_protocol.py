"""The reply to order.amend.keepPriority, beside the shapes of protocol.py; only data."""
from msgspec import UNSET, Struct, UnsetType

from gateway.list_protocol import ListLeg


class AmendedOrder(Struct, gc=False, rename="camel"):
    """The order after its quantity was reduced."""

    symbol: str
    order_id: int
    order_list_id: int
    orig_client_order_id: str
    client_order_id: str
    price: str
    qty: str
    executed_qty: str
    prevented_qty: str
    quote_order_qty: str
    cumulative_quote_qty: str
    status: str
    time_in_force: str
    type: str
    side: str
    working_time: int
    self_trade_prevention_mode: str


class AmendedList(Struct, gc=False, rename="camel"):
    """The list whose leg it is."""

    order_list_id: int
    contingency_type: str
    list_order_status: str
    list_client_order_id: str
    symbol: str
    orders: list[ListLeg]


class OrderAmended(Struct, gc=False, rename="camel"):
    """Reply to order.amend.keepPriority."""

    transact_time: int
    execution_id: int
    amended_order: AmendedOrder
    list_status: AmendedList | UnsetType = UNSET
