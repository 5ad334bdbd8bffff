"""The shapes of order lists on the wire, beside those of protocol.py; only data."""
from msgspec import Struct, field

from gateway.protocol import OrderState


class ListLeg(Struct, gc=False, rename="camel"):
    """One order of a list."""

    symbol: str
    order_id: int
    client_order_id: str


class OrderListState(Struct, gc=False, rename="camel"):
    """Reply to orderList.status."""

    order_list_id: int
    contingency_type: str
    list_status_type: str
    list_order_status: str
    list_client_order_id: str
    transaction_time: int
    symbol: str
    orders: list[ListLeg]


class OrderListReply(OrderListState, rename="camel"):
    """Reply to orderList.place.* and orderList.cancel."""

    order_reports: list[OrderState] = []


class ListStatus(Struct, kw_only=True):
    """An order list began or is done."""

    event: str = field(name="e", default="listStatus")
    event_time: int = field(name="E")
    symbol: str = field(name="s")
    order_list_id: int = field(name="g")
    contingency_type: str = field(name="c")
    list_status_type: str = field(name="l")
    list_order_status: str = field(name="L")
    reject_reason: str = field(name="r", default="NONE")
    list_client_order_id: str = field(name="C")
    transaction_time: int = field(name="T")
    orders: list[dict[str, str | int]] = field(name="O")
