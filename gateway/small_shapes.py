"""The shapes on the wire of replies that say one or two things; only data."""
from msgspec import UNSET, Struct, UnsetType, field


class OrderDepth(Struct, rename="camel"):
    """Reply to depth.l3: [price, quantity shown, order id] in the order in which they would trade."""

    last_update_id: int
    bids: list[tuple[str, str, int]]
    asks: list[tuple[str, str, int]]


class Empty(Struct):
    """An object without members."""


class PlacedBefore(Struct, rename="camel"):
    """`data` of a refused idempotent order: the order that was placed under its client order id."""

    order_id: int


class ServerTime(Struct, rename="camel"):
    """Reply to time."""

    server_time: int


class ListenKey(Struct, rename="camel"):
    """Reply to userDataStream.start."""

    listen_key: str


class Countdown(Struct, rename="camel"):
    """Reply to openOrders.cancelAllAfter; symbol is null when it is for all."""

    symbol: str | None
    countdown_time: int
    end_time: int


class Amendment(Struct, rename="camel"):
    """One row of order.amendments; the client order id stays as it is."""

    symbol: str
    order_id: int
    execution_id: int
    orig_client_order_id: str
    new_client_order_id: str
    orig_qty: str
    new_qty: str
    time: int


class Allocation(Struct, rename="camel"):
    """One row of myAllocations, of which there are none: orders are not routed to other books."""

    symbol: str
    allocation_id: int
    allocation_type: str
    order_id: int
    order_list_id: int
    price: str
    qty: str
    quote_qty: str
    commission: str
    commission_asset: str
    time: int
    is_buyer: bool
    is_maker: bool
    is_allocator: bool


class DisconnectMode(Struct):
    """Reply to session.cancelOnDisconnect."""

    mode: str


class StreamTerminated(Struct, kw_only=True):
    """A subscription to private events is over; the last of its events."""

    event: str = field(name="e", default="eventStreamTerminated")
    event_time: int = field(name="E")


class Subscription(Struct, rename="camel"):
    """Reply to userDataStream.subscribe, and one row of session.subscriptions.

    resumed: to who asked, whether it goes on without a gap or begins anew.
    """

    subscription_id: int
    resumed: bool | UnsetType = UNSET
